import * as fs from 'node:fs';
import type { Entry } from '../entry.ts';
import { displayName, nameBytes } from '../names.ts';
import { ExtractError, onDisk } from './errors.ts';
import { fileTime } from './file-time.ts';

/**
 * How several names of one file stand in an archive: the later ones name the first (tar); one has the content, first or
 * last, and all have one number (newc, crc); or each has its own content, and the numbers are too short to rely on.
 */
export type Names = 'linked' | 'numbered' | 'apart';

/** Makes entries below `root`, and nothing anywhere else. */
export function createWriter(root: string, owners: 'mine' | 'numeric', names: Names) {
  const base = Buffer.from(root);
  const directories: { path: Buffer; entry: Entry }[] = [];
  /** The directory that was looked at last: most entries stand in the one of their predecessor. */
  let proved = '';
  let open: { descriptor: number; path: Buffer; entry: Entry } | undefined;
  /** Where the content of several names is, by what they have in common; `undefined` where it was left out. */
  const contents = new Map<string, Buffer | undefined>();
  /** Names without content, which wait until all content was seen and compared. */
  const waiting: { id: string; entry: Entry }[] = [];

  const at = (parts: readonly string[]) =>
    Buffer.concat([base, ...parts.flatMap((part) => [Buffer.from('/'), nameBytes(part)])]);

  /** Proves that the directories above are real ones, and makes those that are missing. */
  function enter(parts: readonly string[], path: string): void {
    const key = parts.join('/');
    if (key === proved) return;
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const directory = at(parts.slice(0, depth));
      const found = fs.lstatSync(directory, { throwIfNoEntry: false });
      if (found === undefined) fs.mkdirSync(directory, 0o700);
      else if (!found.isDirectory()) {
        throw new ExtractError('EXTRACT_ESCAPES', path, 'something that is no directory stands in its way');
      }
    }
    proved = key;
  }

  function place(path: string): Buffer {
    const parts = componentsOf(path);
    if (parts.length === 0) throw new ExtractError('EXTRACT_EXISTS', path, 'names the directory itself');
    enter(parts.slice(0, -1), path);
    return at(parts);
  }

  /** Gives a name without content that of its file; where nobody has any, the file is empty. */
  function join({ id, entry }: { id: string; entry: Entry }): void {
    const path = place(entry.path);
    const content = contents.get(id);
    if (content !== undefined) fs.linkSync(content, path);
    else if (contents.has(id)) {
      throw new ExtractError('EXTRACT_LINK_MISSING', entry.path, 'its content is with a name that was left out');
    } else {
      settle(fs.openSync(path, 'wx', 0o600), entry);
      contents.set(id, path);
    }
  }

  /** Gives a file its owner, mode and time. */
  function settle(descriptor: number, entry: Entry): void {
    if (owners === 'numeric') fs.fchownSync(descriptor, ...ownersOf(entry));
    fs.fchmodSync(descriptor, modeOf(entry, owners));
    fs.futimesSync(descriptor, fileTime(entry.mtime), fileTime(entry.mtime));
    fs.closeSync(descriptor);
  }

  /** Makes an entry; a file is open then, for its content. */
  function make(entry: Entry): void {
    switch (entry.type) {
      case 'directory': {
        const parts = componentsOf(entry.path);
        enter(parts, entry.path);
        directories.push({ path: at(parts), entry });
        return;
      }
      case 'file': {
        if (entry.attributes.includes('GNU.sparse'))
          throw new ExtractError('EXTRACT_UNSUPPORTED', entry.path, 'has holes');
        if (names === 'numbered' && entry.links !== null && entry.size === 0) {
          waiting.push({ id: entry.links.id, entry });
          return;
        }
        const path = place(entry.path);
        if (names === 'numbered' && entry.links !== null) contents.set(entry.links.id, path);
        open = { descriptor: fs.openSync(path, 'wx', 0o600), path, entry };
        return;
      }
      case 'symlink': {
        const path = place(entry.path);
        fs.symlinkSync(nameBytes(entry.link ?? ''), path);
        if (owners === 'numeric') fs.lchownSync(path, ...ownersOf(entry));
        setLinkTime(path, entry.mtime);
        return;
      }
      case 'hardlink': {
        if (entry.link === null) {
          throw new ExtractError('EXTRACT_UNSUPPORTED', entry.path, 'a further name of a file, without its content');
        }
        const target = place(entry.link);
        const path = place(entry.path);
        const found = fs.lstatSync(target, { throwIfNoEntry: false });
        // Whether link(2) follows a symbolic link differs between systems: such a link is made anew instead.
        if (found?.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(target, 'buffer'), path);
        else if (found?.isFile()) fs.linkSync(target, path);
        else {
          throw new ExtractError('EXTRACT_LINK_MISSING', entry.path, `${displayName(entry.link)} is no file here`);
        }
        return;
      }
      default:
        throw new ExtractError('EXTRACT_UNSUPPORTED', entry.path, `is a ${entry.type}`);
    }
  }

  return {
    /** An entry that was left out. */
    pass({ type, size, links }: Entry): void {
      const hasContent = names === 'numbered' && type === 'file' && size > 0 && links !== null;
      if (hasContent && !contents.has(links.id)) contents.set(links.id, undefined);
    },
    open: (entry: Entry): void => onDisk(entry.path, () => make(entry)),
    write(chunk: Buffer, start: number, end: number): void {
      if (open === undefined) return;
      const { descriptor, entry } = open;
      onDisk(entry.path, () => {
        for (let from = start; from < end; ) from += fs.writeSync(descriptor, chunk, from, end - from);
      });
    },
    close(): void {
      if (open === undefined) return;
      const { descriptor, entry } = open;
      onDisk(entry.path, () => settle(descriptor, entry));
      open = undefined;
    },
    /** Takes away what is not as it should be. */
    discard(entry: Entry): void {
      if (entry.type !== 'directory') onDisk(entry.path, () => fs.rmSync(place(entry.path), { force: true }));
    },
    /** Names that waited; then modes and times of directories, deepest first: writing into them would have changed both. */
    finish(): void {
      for (const name of waiting) onDisk(name.entry.path, () => join(name));
      for (const { path, entry } of directories.reverse()) {
        onDisk(entry.path, () => {
          if (owners === 'numeric') fs.lchownSync(path, ...ownersOf(entry));
          fs.chmodSync(path, modeOf(entry, owners));
          fs.utimesSync(path, fileTime(entry.mtime), fileTime(entry.mtime));
        });
      }
    },
    /** Takes away the file under way, if there is one. */
    abandon(): void {
      if (open === undefined) return;
      try {
        fs.closeSync(open.descriptor);
      } catch {
        // It may have been the closing that failed; what was wrong is on its way already.
      }
      fs.rmSync(open.path, { force: true });
      open = undefined;
    },
  };
}

/** The time of a symbolic link itself, which not every system can set. */
function setLinkTime(path: Buffer, mtime: number): void {
  try {
    fs.lutimesSync(path, fileTime(mtime), fileTime(mtime));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSYS') throw error;
  }
}

function modeOf(entry: Entry, owners: 'mine' | 'numeric'): number {
  return owners === 'numeric' ? entry.mode : entry.mode & 0o1777;
}

/** Owner and group as `chown` takes them. An archive has room for numbers that no system has, and for the one that leaves all as it is. */
function ownersOf({ uid, gid, path }: Entry): [uid: number, gid: number] {
  for (const id of [uid, gid]) {
    if (id < 0 || id >= 0xffff_ffff) throw new ExtractError('EXTRACT_UNSUPPORTED', path, `belongs to ${uid}:${gid}`);
  }
  return [uid, gid];
}

/** The parts of a name below the root; `.` and doubled slashes say nothing. */
function componentsOf(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || parts.includes('..')) {
    throw new ExtractError('EXTRACT_ESCAPES', path, 'leads out of the directory');
  }
  return parts;
}
