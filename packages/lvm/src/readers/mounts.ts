import { type Command, changes, linesOf, nowhere, ParseError, reads } from '@splitmirror/host';

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
  /** Log volume as printed; of an inline log the device itself, or `INLINE`. `null` without a log. */
  readonly log: string | null;
  /** Whether the log lies within the file system; `null` without a log. */
  readonly inlineLog: boolean | null;
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
  const [heading = nowhere, rule = nowhere, ...rows] = linesOf(text);
  if (!/^\s*node\s+mounted\s+mounted over\s+vfs\s+date\s+options$/.test(heading.text)) {
    throw new ParseError('mount', 'no heading', heading);
  }
  if (!/^[-\s]+$/.test(rule.text)) throw new ParseError('mount', 'no rule under the heading', rule);
  return rows.map((at) => {
    const date = /\s([A-Z][a-z]{2} [ \d]\d \d\d:\d\d)(?=\s|$)/.exec(at.text);
    if (date?.[1] === undefined) throw new ParseError('mount', 'no date', at);
    const words = at.text.slice(0, date.index).trim().split(/\s+/);
    const rest = at.text.slice(date.index + date[0].length).trim();
    // Blanks in front may be lost, but a node never stands behind them.
    const remote = /^\S/.test(at.text) && words.length === 4;
    const [device, mountPoint, vfs] = remote ? words.slice(1) : words;
    if (words.length !== (remote ? 4 : 3) || !device || !mountPoint || !vfs || /\s/.test(rest)) {
      throw new ParseError('mount', 'not a mount', at);
    }
    const options = rest === '' ? [] : rest.split(',');
    const log = options.find((option) => option.startsWith('log='))?.slice(4) ?? null;
    return {
      node: remote ? (words[0] ?? null) : null,
      device,
      mountPoint,
      vfs,
      date: date[1],
      options,
      readOnly: options.includes('ro'),
      log,
      inlineLog: log === null ? null : log === device || log === 'INLINE',
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
