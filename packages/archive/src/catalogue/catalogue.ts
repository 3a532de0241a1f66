import { createHash } from 'node:crypto';
import { SplitmirrorError } from '@splitmirror/host';
import type { Entry, EntryType } from '../entry.ts';

/**
 * Forms of archives that have a reader. `backup` is AIX `backup -i`, by name. Of `backup-inode` no more than the first
 * record is checked, and `raw` is a volume without any form: neither has entries.
 */
export type ArchiveFormat = (typeof formats)[number];

export type DigestKind = 'stream' | 'outline';

const formats = ['tar', 'cpio', 'backup', 'backup-inode', 'raw'] as const;

/** One entry with the digest of its content. */
export interface CatalogueEntry extends Entry {
  /** Lower-case hex SHA-256 of the content of a regular file; `null` for everything else, and where it was not read. */
  readonly sha256: string | null;
  /** Something that belongs to the entry could not be read: it must not be reported as verified. */
  readonly partial: boolean;
}

/** How a catalogue was made. */
export interface CatalogueOpening {
  readonly format: ArchiveFormat;
  /** What `sha256` of the summary covers: the bytes of the stream, or its outline, in which digests stand for content. */
  readonly digest: DigestKind;
}

/** What is known of an archive that was seen whole. */
export interface ArchiveSummary extends CatalogueOpening {
  readonly entries: number;
  /** Regular files among the entries. */
  readonly files: number;
  /** Entries of which something could not be read. */
  readonly partial: number;
  /** Bytes of content of all regular files. */
  readonly fileBytes: number;
  /** Bytes of the stream. */
  readonly bytes: number;
  /** Lower-case hex SHA-256 of the stream, or of its outline. */
  readonly sha256: string;
  /** Lower-case hex SHA-256 of the catalogue up to this field. */
  readonly catalogueSha256: string;
}

/** A catalogue is damaged, cut short or of another version. */
export class CatalogueError extends SplitmirrorError {
  readonly code = 'CATALOGUE_INVALID';
  /** Line at fault, from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(`catalogue line ${line}: ${message}`, {
      remedy: 'Make the catalogue anew by reading the stored archive through watchArchive().',
    });
    this.line = line;
  }
}

/** First line of a catalogue. */
export function openingLine({ format, digest }: CatalogueOpening): string {
  return `{"catalogue":"splitmirror","version":1,"format":"${format}","digest":"${digest}"}\n`;
}

/** Makes the line of one entry. Keys that say nothing are left out. */
type EntryPrinter = (entry: Entry, sha256: string | null, attributes: readonly string[], isPartial: boolean) => string;

/** A printer for the entries of one archive: most have the mode and the owners of the one before. */
export function createEntryPrinter(): EntryPrinter {
  let last: Entry | undefined;
  let rights = '';
  return (entry, sha256, attributes, isPartial) => {
    const { mode, uid, gid, user, group, storedSize, size } = entry;
    const isSame =
      mode === last?.mode && uid === last.uid && gid === last.gid && user === last.user && group === last.group;
    if (!isSame) rights = rightsText(entry);
    last = entry;
    const content = entry.type === 'file' ? `,"size":${size}` : '';
    const hashed = sha256 === null ? '' : `,"sha256":"${sha256}"`;
    let line = `{"path":${quoted(entry.path)},"type":"${entry.type}"${content}${hashed}${rights},"mtime":${entry.mtime}`;
    if (entry.link !== null) line += `,"link":${quoted(entry.link)}`;
    if (entry.device !== null) line += `,"device":[${entry.device}]`;
    if (entry.links !== null) line += `,"links":[${entry.links.count},${quoted(entry.links.id)}]`;
    line += `,"offset":${entry.offset},"dataOffset":${entry.dataOffset}`;
    if (storedSize !== size) line += `,"storedSize":${storedSize}`;
    if (attributes.length > 0) line += `,"attributes":${JSON.stringify(attributes)}`;
    return isPartial ? `${line},"partial":true}\n` : `${line}}\n`;
  };
}

function rightsText({ mode, uid, gid, user, group }: Entry): string {
  const names = (user === null ? '' : `,"user":${quoted(user)}`) + (group === null ? '' : `,"group":${quoted(group)}`);
  return `,"mode":"${mode.toString(8).padStart(4, '0')}","uid":${uid},"gid":${gid}${names}`;
}

/** A string in JSON. Most names need no escape, and telling so is cheaper than escaping. */
function quoted(text: string): string {
  return /^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** The last line, up to where the catalogue's own digest is written. */
export function closingStart(summary: Omit<ArchiveSummary, 'catalogueSha256' | 'format' | 'digest'>): string {
  const { entries, files, partial, fileBytes, bytes, sha256 } = summary;
  const counts = `"entries":${entries},"files":${files},"partial":${partial},"fileBytes":${fileBytes},"bytes":${bytes}`;
  return `{"end":true,${counts},"sha256":"${sha256}"`;
}

/** The last 83 bytes of a catalogue. */
export function closingEnd(digest: string): string {
  return `,"catalogueSha256":"${digest}"}\n`;
}

/** What a catalogue tells, in its order. */
export type CatalogueItem =
  /** Comes first. */
  | ({ readonly kind: 'opening' } & CatalogueOpening)
  | { readonly kind: 'entry'; readonly entry: CatalogueEntry }
  /** Comes last, and only when the catalogue is whole and undamaged. */
  | { readonly kind: 'summary'; readonly summary: ArchiveSummary };

/**
 * Reads a catalogue line by line, in memory for one line.
 *
 * @param chunks Its bytes, for instance `createReadStream(path)`.
 * @returns The opening, the entries, and the summary as the last item.
 * @throws CatalogueError at the first line that is damaged, and when the closing line is missing: entries that came
 * before it are no more than a part.
 */
export async function* readCatalogue(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<CatalogueItem> {
  const parser = createCatalogueParser();
  for await (const chunk of chunks) yield* parser.push(chunk);
  yield* parser.end();
}

/** The same in push style. */
function createCatalogueParser(): {
  push(chunk: Uint8Array): CatalogueItem[];
  end(): CatalogueItem[];
} {
  const hash = createHash('sha256');
  /** What came of the line under way. */
  let rest: Buffer[] = [];
  let restBytes = 0;
  let line = 0;
  let opening: CatalogueOpening | undefined;
  let summary: ArchiveSummary | undefined;
  const counted = { entries: 0, files: 0, partial: 0, fileBytes: 0 };

  function take(bytes: Buffer): CatalogueItem {
    if (opening === undefined) {
      opening = readOpening(parseLine(bytes, line));
      hash.update(bytes).update('\n');
      return { kind: 'opening', ...opening };
    }
    if (summary !== undefined) throw new CatalogueError(line, 'something follows the closing line');
    const fields = parseLine(bytes, line);
    if ('end' in fields) {
      const tail = Buffer.byteLength(closingEnd('')) + 64;
      hash.update(bytes.subarray(0, bytes.length + 1 - tail));
      summary = readSummary(fields, opening, line);
      const digest = hash.digest('hex');
      if (digest !== summary.catalogueSha256) throw new CatalogueError(line, `damaged: its digest is ${digest}`);
      for (const [key, value] of Object.entries(counted)) {
        if (fields[key] !== value) throw new CatalogueError(line, `${key} says ${fields[key]}, and there are ${value}`);
      }
      return { kind: 'summary', summary };
    }
    hash.update(bytes).update('\n');
    const entry = readEntry(fields, line);
    counted.entries += 1;
    if (entry.partial) counted.partial += 1;
    if (entry.type === 'file') {
      counted.files += 1;
      counted.fileBytes += entry.size;
    }
    return { kind: 'entry', entry };
  }

  return {
    push(chunk) {
      const bytes = Buffer.from(chunk);
      const items: CatalogueItem[] = [];
      let start = 0;
      for (let end = bytes.indexOf(10); end >= 0; start = end + 1, end = bytes.indexOf(10, start)) {
        line += 1;
        items.push(take(Buffer.concat([...rest, bytes.subarray(start, end)])));
        rest = [];
        restBytes = 0;
      }
      rest.push(bytes.subarray(start));
      restBytes += bytes.length - start;
      if (restBytes > longestLine) throw new CatalogueError(line + 1, 'longer than any entry');
      return items;
    },
    end() {
      if (restBytes > 0 || summary === undefined) {
        throw new CatalogueError(line + 1, 'the catalogue stops before its closing line');
      }
      return [];
    },
  };
}

/** A path, a link and the attributes of 1 MiB each, with every byte escaped. */
const longestLine = 20 << 20;

type Fields = Readonly<Record<string, unknown>>;

function parseLine(bytes: Buffer, line: number): Fields {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new CatalogueError(line, `not JSON: ${JSON.stringify(bytes.toString('latin1', 0, 60))}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new CatalogueError(line, 'not an object');
}

function readOpening({ catalogue, version, format, digest }: Fields): CatalogueOpening {
  if (catalogue !== 'splitmirror') throw new CatalogueError(1, 'not a catalogue of splitmirror');
  if (version !== 1) throw new CatalogueError(1, `version ${JSON.stringify(version)} is not known`);
  const known = formats.find((name) => name === format);
  if (known === undefined) throw new CatalogueError(1, `the format ${JSON.stringify(format)} is not known`);
  if (digest !== 'stream' && digest !== 'outline') {
    throw new CatalogueError(1, `the digest ${JSON.stringify(digest)} is not known`);
  }
  return { format: known, digest };
}

const types: ReadonlySet<unknown> = new Set<EntryType>([
  'file',
  'directory',
  'symlink',
  'hardlink',
  'character-device',
  'block-device',
  'fifo',
  'socket',
]);

function readEntry(fields: Fields, line: number): CatalogueEntry {
  const wrong = (key: string): never => {
    throw new CatalogueError(line, `${key} is ${JSON.stringify(fields[key])}`);
  };
  const text = (key: string) => (typeof fields[key] === 'string' ? fields[key] : wrong(key));
  const optional = (key: string) => (fields[key] === undefined ? null : text(key));
  const number = (key: string) => (Number.isSafeInteger(fields[key]) ? (fields[key] as number) : wrong(key));
  const type = types.has(fields.type) ? (fields.type as EntryType) : wrong('type');
  const hex = (key: string) => (/^[0-9a-f]{64}$/.test(text(key)) ? text(key) : wrong(key));
  const size = type === 'file' ? number('size') : 0;
  const [count, id] = Array.isArray(fields.links) ? fields.links : [];
  const attributes = fields.attributes ?? [];
  if (!Array.isArray(attributes)) return wrong('attributes');
  return {
    path: text('path'),
    type,
    size,
    sha256: type !== 'file' || (fields.partial === true && fields.sha256 === undefined) ? null : hex('sha256'),
    mode: /^[0-7]{4}$/.test(text('mode')) ? Number.parseInt(text('mode'), 8) : wrong('mode'),
    uid: number('uid'),
    gid: number('gid'),
    user: optional('user'),
    group: optional('group'),
    mtime: typeof fields.mtime === 'number' ? fields.mtime : wrong('mtime'),
    link: optional('link'),
    device: Array.isArray(fields.device) ? fields.device.map(Number) : null,
    links: fields.links === undefined ? null : { count: Number(count), id: String(id) },
    offset: number('offset'),
    dataOffset: number('dataOffset'),
    storedSize: fields.storedSize === undefined ? size : number('storedSize'),
    attributes: attributes.map(String),
    partial: fields.partial === true,
  };
}

function readSummary(fields: Fields, opening: CatalogueOpening, line: number): ArchiveSummary {
  const number = (key: string): number => {
    const value = fields[key];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw new CatalogueError(line, `${key} is ${JSON.stringify(value)}`);
  };
  const digest = (key: string): string => {
    const value = fields[key];
    if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return value;
    throw new CatalogueError(line, `${key} is ${JSON.stringify(value)}`);
  };
  return {
    ...opening,
    entries: number('entries'),
    files: number('files'),
    partial: number('partial'),
    fileBytes: number('fileBytes'),
    bytes: number('bytes'),
    sha256: digest('sha256'),
    catalogueSha256: digest('catalogueSha256'),
  };
}
