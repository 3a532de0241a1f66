import { type Command, changes, ParseError, reads } from '@splitmirror/host';

/** A mounted file system: one row of `mount`. */
export interface Mount {
  /** Server of a remote file system, or `null`. */
  readonly node: string | null;
  readonly device: string;
  readonly mountPoint: string;
  readonly vfs: string;
  /** `Mon dd hh:mm` of the node's clock; the year is not printed. */
  readonly date: string;
  readonly options: readonly string[];
  readonly readOnly: boolean;
  /** Log volume; the device itself when the log is inline. `null` without a log. */
  readonly log: string | null;
}

/** `mount`. */
export function listMounts(): Command {
  return reads('mount');
}

/**
 * Reads what `mount` prints without operands. Columns overflow, so a row is read around its date.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseMounts(text: string): Mount[] {
  const [heading = '', rule = '', ...rows] = text.trimEnd().split('\n');
  if (!/^\s*node\s+mounted\s+mounted over\s+vfs\s+date\s+options\s*$/.test(heading)) {
    throw new ParseError('mount', 'no heading', { line: 1, text: heading });
  }
  if (!/^[-\s]+$/.test(rule)) throw new ParseError('mount', 'no rule under the heading', { line: 2, text: rule });
  return rows.map((line, index) => {
    const at = { line: index + 3, text: line };
    const date = /\s([A-Z][a-z]{2} [ \d]\d \d\d:\d\d)(?=\s|$)/.exec(line);
    if (date?.[1] === undefined) throw new ParseError('mount', 'no date', at);
    const words = line.slice(0, date.index).trim().split(/\s+/);
    const rest = line.slice(date.index + date[0].length).trim();
    const remote = /^\S/.test(line);
    const [device, mountPoint, vfs] = remote ? words.slice(1) : words;
    if (words.length !== (remote ? 4 : 3) || !device || !mountPoint || !vfs || /\s/.test(rest)) {
      throw new ParseError('mount', 'not a mount', at);
    }
    const options = rest === '' ? [] : rest.split(',');
    return {
      node: remote ? (words[0] ?? null) : null,
      device,
      mountPoint,
      vfs,
      date: date[1],
      options,
      readOnly: options.includes('ro'),
      log: options.find((option) => option.startsWith('log='))?.slice(4) ?? null,
    };
  });
}

/** Mounts a file system for reading. It needs no stanza in /etc/filesystems. */
export function mountReadOnly(device: string, mountPoint: string, vfs: string): Command {
  return changes('mount', '-v', vfs, '-o', 'ro', device, mountPoint);
}

/** `umount MP`. */
export function unmount(mountPoint: string): Command {
  return changes('umount', mountPoint);
}
