import { type Command, changes, ParseError, reads } from '@splitmirror/host';

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
  const [heading = '', ...lines] = text.trimEnd().split('\n');
  if (!heading.startsWith('#MountPoint:Device:Vfs:Nodename:Type:Size:Options:AutoMount:Acct')) {
    throw new ParseError('lsfs -c', 'no heading', { line: 1, text: heading });
  }
  const found: FileSystem[] = [];
  lines.forEach((line, index) => {
    const at = { line: index + 2, text: line };
    const last = found.at(-1);
    if (/^\s*\(/.test(line)) {
      if (last === undefined || last.details !== null) throw new ParseError('lsfs -c', 'details of nothing', at);
      found[found.length - 1] = { ...last, details: detailsOf(line, ':', ' ', 'lsfs -cq', at) };
      return;
    }
    const fields = line.split(':');
    const [mountPoint, device, vfs, nodename, type, size, options, autoMount, accounting] = fields;
    if (fields.length !== 9 || !mountPoint || !device || !vfs) throw new ParseError('lsfs -c', 'not nine fields', at);
    if (size && !/^(\d+|--)$/.test(size)) throw new ParseError('lsfs -c', 'size is no number', at);
    found.push({
      mountPoint,
      device,
      vfs,
      nodename: cell(nodename),
      type: cell(type),
      blocks512: cell(size) === null ? null : Number(size),
      options: cell(options),
      autoMount: yes(autoMount),
      accounting: yes(accounting),
      details: null,
    });
  });
  return found;
}

const tableHeading = /^Name\s+Nodename\s+Mount Pt\s+VFS\s+Size\s+Options\s+Auto\s+Accounting\s*$/;

/**
 * Reads the table that `lsfs` and `lsfs -q` print for people: eight words a row, `--` where there is nothing.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseFileSystemTable(text: string): FileSystem[] {
  const [heading = '', ...lines] = text.trimEnd().split('\n');
  if (!tableHeading.test(heading)) throw new ParseError('lsfs', 'no column heading', { line: 1, text: heading });
  const found: FileSystem[] = [];
  lines.forEach((line, index) => {
    const at = { line: index + 2, text: line };
    const last = found.at(-1);
    if (/^\s+\(/.test(line)) {
      if (last === undefined || last.details !== null) throw new ParseError('lsfs -q', 'details of nothing', at);
      found[found.length - 1] = { ...last, details: detailsOf(line, ', ', ':', 'lsfs -q', at) };
      return;
    }
    const words = line.trim().split(/\s+/);
    const [device, nodename, mountPoint, vfs, size, options, autoMount, accounting] = words;
    if (words.length !== 8 || !device || !mountPoint || !vfs || !/^(\d+|--)$/.test(size ?? '')) {
      throw new ParseError('lsfs', 'not a file system', at);
    }
    found.push({
      mountPoint,
      device,
      vfs,
      nodename: cell(nodename),
      type: null,
      blocks512: cell(size) === null ? null : Number(size),
      options: cell(options),
      autoMount: yes(autoMount),
      accounting: yes(accounting),
      details: null,
    });
  });
  return found;
}

function cell(text: string | undefined): string | null {
  const word = text?.trim() ?? '';
  return word === '' || word === '--' ? null : word;
}

function yes(text: string | undefined): boolean | null {
  const word = cell(text);
  return word === null ? null : word === 'yes';
}

function detailsOf(
  line: string,
  between: string,
  after: string,
  source: string,
  at: { line: number; text: string },
): FileSystemDetails {
  const [, inside] = /^\s*\((.*)\)\s*$/.exec(line) ?? [];
  if (inside === undefined) throw new ParseError(source, 'details without an end', at);
  return Object.fromEntries(
    inside.split(between).map((item) => {
      const word = item.trim();
      const cut = word.lastIndexOf(after);
      if (cut < 1) throw new ParseError(source, 'a detail without a value', at);
      return [word.slice(0, cut), word.slice(cut + 1).trim()];
    }),
  );
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
