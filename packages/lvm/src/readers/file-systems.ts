import { type Command, changes, type Line, linesOf, nowhere, ParseError, reads } from '@splitmirror/host';

/** A configured file system: one stanza of /etc/filesystems as `lsfs` shows it. */
export interface FileSystem {
  readonly mountPoint: string;
  /** `/dev/...` for a local one. */
  readonly device: string;
  readonly vfs: string;
  readonly nodename: string | null;
  /** Mount group. */
  readonly type: string | null;
  readonly blocks512: number | null;
  readonly options: string | null;
  readonly autoMount: boolean | null;
  readonly accounting: boolean | null;
  /** What `-q` adds for JFS and JFS2; `null` when it was not asked or could not be answered. */
  readonly details: FileSystemDetails | null;
}

/** Key and value as printed, for instance `inline log` to `yes`. */
export type FileSystemDetails = Readonly<Record<string, string>>;

/** `lsfs -cq`: all configured file systems, or those with these mount points. */
export function listFileSystems(...mountPoints: readonly string[]): Command {
  return reads('lsfs', '-cq', ...mountPoints);
}

/**
 * Reads what `lsfs -c` or `lsfs -cq` prints.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseFileSystems(text: string): FileSystem[] {
  const [heading = nowhere, ...lines] = linesOf(text);
  if (!heading.text.startsWith('#MountPoint:Device:Vfs:Nodename:Type:Size:Options:AutoMount:Acct')) {
    throw new ParseError('lsfs -c', 'no heading', heading);
  }
  return withDetails('lsfs -c', lines, [':', ' '], (line) => {
    // Options may hold colons (sec=sys:krb5); what stands before and after them does not.
    const fields = line.text.split(':');
    const [mountPoint, device, vfs, nodename, type, size, ...options] = fields;
    const [autoMount, accounting] = options.splice(-2);
    if (fields.length < 9 || !mountPoint || !device || !vfs) throw new ParseError('lsfs -c', 'not nine fields', line);
    return {
      mountPoint,
      device,
      vfs,
      nodename: cell(nodename),
      type: cell(type),
      blocks512: blocks(size, 'lsfs -c', line),
      options: cell(options.join(':')),
      autoMount: yes(autoMount, 'lsfs -c', line),
      accounting: yes(accounting, 'lsfs -c', line),
      details: null,
    };
  });
}

const tableHeading = /^Name\s+Nodename\s+Mount Pt\s+VFS\s+Size\s+Options\s+Auto\s+Accounting\s*$/;

/**
 * Reads the table that `lsfs` and `lsfs -q` print for people: eight words a row, `--` where there is nothing.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseFileSystemTable(text: string): FileSystem[] {
  const [heading = nowhere, ...lines] = linesOf(text);
  if (!tableHeading.test(heading.text)) throw new ParseError('lsfs', 'no column heading', heading);
  return withDetails('lsfs', lines, [',', ':'], (line) => {
    // Options may hold blanks, as they were written in /etc/filesystems.
    const words = line.text.trim().split(/\s+/);
    const [device, nodename, mountPoint, vfs, size, ...options] = words;
    const [autoMount, accounting] = options.splice(-2);
    if (words.length < 8 || !device || !mountPoint || !vfs) throw new ParseError('lsfs', 'not a file system', line);
    return {
      mountPoint,
      device,
      vfs,
      nodename: cell(nodename),
      type: null,
      blocks512: blocks(size, 'lsfs', line),
      options: cell(options.join(' ')),
      autoMount: yes(autoMount, 'lsfs', line),
      accounting: yes(accounting, 'lsfs', line),
      details: null,
    };
  });
}

/** Rows, each perhaps with its details in parentheses below it. */
function withDetails(
  source: string,
  lines: readonly Line[],
  [between, after]: readonly [between: string, after: string],
  rowOf: (line: Line) => FileSystem,
): FileSystem[] {
  const found: FileSystem[] = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (!/^\s*\(/.test(line.text)) found.push(rowOf(line));
    else if (last === undefined || last.details !== null) throw new ParseError(source, 'details of nothing', line);
    else found[found.length - 1] = { ...last, details: detailsOf(line, between, after, source) };
  }
  return found;
}

function cell(text: string | undefined): string | null {
  const word = text?.trim() ?? '';
  return word === '' || word === '--' ? null : word;
}

function yes(text: string | undefined, source: string, line: Line): boolean | null {
  const word = cell(text);
  if (word !== null && word !== 'yes' && word !== 'no') throw new ParseError(source, 'neither yes nor no', line);
  return word === null ? null : word === 'yes';
}

function blocks(text: string | undefined, source: string, line: Line): number | null {
  const word = cell(text);
  if (word !== null && !/^\d+$/.test(word)) throw new ParseError(source, 'size is no number', line);
  return word === null ? null : Number(word);
}

function detailsOf(at: Line, between: string, after: string, source: string): FileSystemDetails {
  const [, inside] = /^\s*\((.*)\)$/.exec(at.text) ?? [];
  if (inside === undefined) throw new ParseError(source, 'details without an end', at);
  const details = new Map<string, string>();
  for (const item of inside.split(between)) {
    const word = item.trim();
    const cut = word.lastIndexOf(after);
    if (cut < 1) throw new ParseError(source, 'a detail without a value', at);
    const key = word.slice(0, cut);
    if (details.has(key)) throw new ParseError(source, `${key} a second time`, at);
    details.set(key, word.slice(cut + 1).trim());
  }
  return Object.fromEntries(details);
}

/**
 * Flushes a JFS2 file system and holds its writers. The kernel lets them go on after so many seconds, whatever becomes
 * of whoever asked.
 */
export function freeze(mountPoint: string, seconds: number): Command {
  return changes('chfs', '-a', `freeze=${seconds}`, mountPoint);
}

/** Lets the writers of a JFS2 file system go on. */
export function thaw(mountPoint: string): Command {
  return changes('chfs', '-a', 'freeze=off', mountPoint);
}

/** Replays the log of an unmounted JFS2 file system and repairs what can be repaired without a question. */
export function repairFileSystem(device: string): Command {
  return changes('fsck', '-V', 'jfs2', '-p', device);
}

/** Checks an unmounted JFS2 file system and changes nothing. */
export function checkFileSystem(device: string): Command {
  return reads('fsck', '-V', 'jfs2', '-n', device);
}
