import { linesOf, nowhere, ParseError } from '@splitmirror/host';
import { isWarning } from './messages.ts';

/** What tells whether this node, and not the standby, works with a volume group. */
export interface VolumeGroup {
  readonly name: string;
  /** `active` also on a standby that has it varied on in passive mode. */
  readonly state: string;
  /** `read/write`, `read-only` or `passive-only`. */
  readonly permission: string;
}

/** A logical volume as far as mounts need it. */
export interface LogicalVolume {
  readonly name: string;
  readonly type: string;
  /** Configured mount point, also of a closed volume; `null` where `N/A` is printed. */
  readonly mountPoint: string | null;
  /** It reads a copy that was split off, and has no partitions of its own: nothing follows from where it is mounted. */
  readonly splitCopy: boolean;
}

/**
 * Reads the state and the permission from `lsvg VG`; all other rows must at least look like rows.
 *
 * @throws {@link ParseError} on a line without a label, at a warning, and unless each row wanted is there once.
 */
export function parseVolumeGroup(text: string): VolumeGroup {
  const lines = linesOf(text);
  const strange = lines.find((line) => !/^[A-Za-z][^:]*:/.test(line.text) || isWarning(line.text));
  if (strange) throw new ParseError('lsvg', 'not a row that begins with a label', strange);
  const row = (label: string): string => {
    const [line = nowhere, ...more] = lines.filter((other) => other.text.startsWith(`${label}:`));
    const value = /^\s*(\S+)/.exec(line.text.slice(label.length + 1))?.[1];
    if (!value || more.length > 0) throw new ParseError('lsvg', `not one row ${label}`, line);
    return value;
  };
  return { name: row('VOLUME GROUP'), state: row('VG STATE'), permission: row('VG PERMISSION') };
}

/** Why `lsvg` told nothing, where that is an answer in itself; `null`: a failure that means nothing. */
export function absenceOf(message: string): 'varied off' | 'not defined' | null {
  if (/^0516-010\b/m.test(message)) return 'varied off';
  if (/^0516-30[46]\b/m.test(message)) return 'not defined';
  return null;
}

const volumeRow = /^(\S+)\s+(\S+)\s+(\d+\s+\d+\s+\d+)\s+(?:open|closed)(\/syncd|\/stale|\/?\?+)\s+(N\/A|\/\S*)$/;

/**
 * Reads `lsvg -l VG`.
 *
 * @throws {@link ParseError} without the two heading lines, or at a row of another shape.
 */
export function parseLogicalVolumes(text: string): LogicalVolume[] {
  const [title = nowhere, heading = nowhere, ...rows] = linesOf(text);
  if (!/^\S+:$/.test(title.text) || !heading.text.startsWith('LV NAME ')) {
    throw new ParseError('lsvg -l', 'no heading', title);
  }
  return rows.map((row) => {
    const [, name, type, partitions = '', staleness = '', mountPoint] = volumeRow.exec(row.text) ?? [];
    const splitCopy = /^0\s+0\s+0$/.test(partitions);
    // AIX prints question marks only for what has no partitions to be stale.
    if (!name || !type || !mountPoint || (staleness.endsWith('?') && !splitCopy)) {
      throw new ParseError('lsvg -l', 'not a volume row', row);
    }
    return { name, type, mountPoint: mountPoint === 'N/A' ? null : mountPoint, splitCopy };
  });
}
