import { linesOf, nowhere, ParseError } from '@splitmirror/host';

/** A row of `mount`. */
export interface Mount {
  /** Serving host, or `null` for a local mount. */
  readonly host: string | null;
  /** Device, or the exported path of a remote file system. */
  readonly device: string;
  readonly mountPoint: string;
  readonly vfs: string;
  /** When it was mounted, as printed (`Nov 07 19:11`): a group that went away and came back shows another date. */
  readonly since: string;
  readonly options: readonly string[];
}

const row = /^(\s+|\S+\s+)(\S+)\s+(\S+)\s+(\S+)\s+([A-Z][a-z]{2} [ \d]\d \d\d:\d\d)(?:\s+(\S+))?\s*$/;

/**
 * Reads what `mount` prints without arguments. Columns overflow, so a row is anchored on its date.
 *
 * @throws {@link ParseError} without the two heading lines, or at a row of another shape.
 */
export function parseMounts(text: string): Mount[] {
  const [heading = nowhere, ruler = nowhere, ...rows] = linesOf(text);
  const headed = /^\s*node\s+mounted\s+mounted over\s+vfs\s+date\s+options$/.test(heading.text);
  if (!headed || !/^[\s-]+$/.test(ruler.text)) throw new ParseError('mount', 'no heading', heading);
  return rows.map((line) => {
    const [, host = '', device, mountPoint, vfs, since, options = ''] = row.exec(line.text) ?? [];
    if (!device || !mountPoint || !vfs || !since) throw new ParseError('mount', 'not a row with a date', line);
    return {
      host: host.trim() || null,
      device,
      mountPoint,
      vfs,
      since,
      options: options === '' ? [] : options.split(','),
    };
  });
}
