import { ParseError } from '@splitmirror/host';

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
}

/**
 * Reads the state and the permission from `lsvg VG`; all other rows must at least look like rows.
 *
 * @throws {@link ParseError} on a line without a label, and unless each row wanted is there once.
 */
export function parseVolumeGroup(text: string): VolumeGroup {
  const lines = text.trimEnd().split('\n');
  for (const [index, line] of lines.entries()) {
    if (!/^[A-Za-z][^:]*:/.test(line)) {
      throw new ParseError('lsvg', 'not a row that begins with a label', { line: index + 1, text: line });
    }
  }
  const row = (label: string): string => {
    const [line = '', ...more] = lines.filter((other) => other.startsWith(`${label}:`));
    const value = /^\s*(\S+)/.exec(line.slice(label.length + 1))?.[1];
    if (!value || more.length > 0) throw new ParseError('lsvg', `not one row ${label}`, { line: 1, text });
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

/**
 * Reads `lsvg -l VG`.
 *
 * @throws {@link ParseError} without the two heading lines, or at a row of another shape.
 */
export function parseLogicalVolumes(text: string): LogicalVolume[] {
  const [title = '', heading = '', ...rows] = text.trimEnd().split('\n');
  if (!/^\S+:\s*$/.test(title) || !heading.startsWith('LV NAME ')) {
    throw new ParseError('lsvg -l', 'no heading', { line: 1, text: title });
  }
  return rows.map((line, index) => {
    const [, name, type, mountPoint] =
      /^(\S+)\s+(\S+)\s+\d+\s+\d+\s+\d+\s+(?:open|closed)\/(?:syncd|stale)\s+(N\/A|\/\S*)\s*$/.exec(line) ?? [];
    if (!name || !type || !mountPoint) {
      throw new ParseError('lsvg -l', 'not a volume row', { line: index + 3, text: line });
    }
    return { name, type, mountPoint: mountPoint === 'N/A' ? null : mountPoint };
  });
}
