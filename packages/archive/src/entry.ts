/** What an entry is. */
export type EntryType =
  | 'file'
  | 'directory'
  | 'symlink'
  /** Another name of a file that came earlier in the same archive. */
  | 'hardlink'
  | 'character-device'
  | 'block-device'
  | 'fifo'
  | 'socket';

/** One member of an archive, as its header tells. */
export interface Entry {
  /** As stored, `./` and a trailing `/` included. See `nameOf` for bytes that are not UTF-8. */
  readonly path: string;
  readonly type: EntryType;
  /** Bytes of content, after unpacking; 0 for everything but regular files. */
  readonly size: number;
  /** Permission bits with set-id and sticky bits, `0o0` to `0o7777`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Name of the owner, `null` where the format carries none. */
  readonly user: string | null;
  readonly group: string | null;
  /** Seconds since 1970, UTC; with a fraction where the archive has one. */
  readonly mtime: number;
  /** Target of a symbolic or hard link; `null` for everything else, and for a hard link of which only `links` is told. */
  readonly link: string | null;
  /** Numbers of a device: `[major, minor]`, or one number where the format packs both in the system's own way. */
  readonly device: readonly number[] | null;
  /** For one of several names of a file: how many there are, and what they have in common. `null` where none is told. */
  readonly links: { readonly count: number; readonly id: string } | null;
  /** Offset in the stream of the first record that belongs to this entry, in bytes. */
  readonly offset: number;
  /** Offset of the first byte of its content. */
  readonly dataOffset: number;
  /** Bytes that the content takes in the stream, without padding. */
  readonly storedSize: number;
  /**
   * Names of attributes that travel with the entry and are not interpreted: `AIXC`, `NFS4`, pax keywords. `packed` says
   * that the content is stored as `backup -p` packs it.
   */
  readonly attributes: readonly string[];
}

/** What a reader tells while bytes flow. The methods are called from within `push` and `end`, in stream order. */
export interface ArchiveSink {
  /** A header was read. */
  entry(entry: Entry): void;
  /**
   * A piece of the content of the last entry, which is a regular file: `chunk[start]` up to before `chunk[end]`.
   * The bytes may be kept only by copying them.
   */
  data(chunk: Buffer, start: number, end: number): void;
  /** An attribute of the last entry that came after its content; `partial` when its length could not be told. */
  attribute(name: string, reading: 'whole' | 'partial'): void;
}

/** Reads one archive, in pieces of any size. */
export interface ArchiveReader {
  /** @throws ArchiveError at the first thing that is wrong. */
  push(chunk: Buffer): void;
  /**
   * The stream ended.
   *
   * @throws ArchiveError unless the archive was whole.
   */
  end(): void;
}

/** The type in a Unix file mode; AIX keeps more above the low 16 bits. `undefined` for one that is not known. */
export function typeOfMode(mode: number): EntryType | undefined {
  return modeTypes.get((mode >>> 12) & 0xf);
}

const modeTypes: ReadonlyMap<number, EntryType> = new Map([
  [1, 'fifo'],
  [2, 'character-device'],
  [4, 'directory'],
  [6, 'block-device'],
  [8, 'file'],
  [10, 'symlink'],
  [12, 'socket'],
]);
