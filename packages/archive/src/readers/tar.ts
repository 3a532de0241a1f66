import type { ArchiveReader, ArchiveSink, Entry, EntryType } from '../entry.ts';
import { ArchiveError, type ArchiveFault, hexOf } from '../errors.ts';
import { nameOf } from '../names.ts';
import { latched } from './latch.ts';
import { parsePax, paxAttributes, paxNumber, paxTime } from './pax.ts';
import {
  checksumForm,
  checksumHolds,
  createTextMemory,
  formsAgree,
  isUsualForm,
  isZeroBlock,
  numberField,
  tellsPadding,
  textField,
  wordsOf,
} from './tar-header.ts';

/** Most bytes of one long name or pax header that are kept: many times the longest path of any system. */
const mostExtensionBytes = 1 << 20;

const types: Readonly<Record<string, EntryType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
};

/** What the body that is being read belongs to. */
type Body = 'content' | 'nothing' | Extension;
type Extension = 'name' | 'link' | 'pax' | 'global-pax';

const extensions: Readonly<Record<string, Extension>> = { L: 'name', K: 'link', x: 'pax', X: 'pax', g: 'global-pax' };

/**
 * Reads tar as it flows: v7, ustar, GNU long names, pax, base-256 numbers, and the `A` records of AIX (`tar -U`), which
 * follow the body that they belong to. Strict: two zero blocks have to end the archive, and nothing but zeros may follow
 * them. Filler that is cut short loses nothing and is accepted at any block.
 */
export function createTarReader(sink: ArchiveSink): ArchiveReader {
  /** Stream offset of the chunk under way. */
  let base = 0;
  let bodyLeft = 0;
  let body: Body = 'nothing';
  /** Bytes to leave out: padding, and bodies that nobody reads. */
  let skip = 0;
  /** Size that a directory states: whether that many bytes follow is told by the next block. */
  let doubtful = 0;
  let zeroBlocks = 0;
  let entries = 0;
  let form = -1;
  let isConfirmed = true;

  /** A header that straddles chunks. */
  const carried = Buffer.alloc(512);
  let held = 0;

  /** What extension records say about the next entry. */
  let extension = Buffer.alloc(0);
  let extensionOffset = -1;
  let longName: string | undefined;
  let longLink: string | undefined;
  let pax: Map<string, string> | undefined;
  let solarisAcl = false;
  /** A sparse file whose map goes on. */
  let sparseEntry: Entry | undefined;
  const globals = new Map<string, string>();
  const userName = createTextMemory(32);
  const groupName = createTextMemory(32);

  function fail(code: ArchiveFault, message: string, offset: number, seen: string): never {
    throw new ArchiveError(code, message, { offset, seen });
  }

  function take(chunk: Buffer): void {
    const words = wordsOf(chunk);
    const length = chunk.length;
    let at = 0;
    while (at < length) {
      if (bodyLeft > 0) {
        const end = Math.min(length, at + bodyLeft);
        if (body === 'content') sink.data(chunk, at, end);
        else chunk.copy(extension, extension.length - bodyLeft, at, end);
        bodyLeft -= end - at;
        at = end;
        if (bodyLeft === 0 && body !== 'content') extend(base + at);
      } else if (skip > 0) {
        const some = Math.min(length - at, skip);
        skip -= some;
        at += some;
      } else if (held > 0 || length - at < 512) {
        const some = chunk.copy(carried, held, at, at + 512 - held);
        held += some;
        at += some;
        if (held === 512) {
          held = 0;
          block(carried, 0, base + at - 512, undefined);
        }
      } else {
        block(chunk, at, base + at, words);
        at += 512;
      }
    }
    base += length;
  }

  /** A block that is no body: a header, or a part of the end. */
  function block(bytes: Buffer, at: number, offset: number, words: Uint32Array | undefined): void {
    if (sparseEntry !== undefined) {
      if (bytes[at + 504] === 0) closeSparse(offset + 512);
      return;
    }
    if (zeroBlocks > 0 || bytes[at] === 0) {
      if (isZeroBlock(bytes, at)) {
        doubtful = 0;
        zero(offset);
        return;
      }
      if (zeroBlocks > 1)
        fail('ARCHIVE_JUNK_AFTER_END', 'bytes follow the end of the archive', offset, seen(bytes, at));
      if (zeroBlocks > 0) fail('ARCHIVE_HEADER_DAMAGED', 'one zero block within the archive', offset, seen(bytes, at));
    }
    if (!checksumHolds(bytes, at, words)) {
      if (doubtful > 0) {
        passDoubtful();
        return;
      }
      fail('ARCHIVE_HEADER_DAMAGED', 'not a tar header: its checksum does not hold', offset, seen(bytes, at));
    }
    doubtful = 0;
    header(bytes, at, offset);
  }

  function zero(offset: number): void {
    if (extensionOffset >= 0) {
      fail(
        'ARCHIVE_TRUNCATED',
        'the archive ends where a long name or attribute still waits for its entry',
        offset,
        '00',
      );
    }
    zeroBlocks += 1;
  }

  /** No header follows the directory, so what follows is the body that its size speaks of. */
  function passDoubtful(): void {
    skip = doubtful + paddingOf(doubtful) - 512;
    doubtful = 0;
  }

  function header(bytes: Buffer, at: number, offset: number): void {
    const foundForm = checksumForm(bytes, at);
    if (form < 0) {
      form = foundForm;
      isConfirmed = isUsualForm(bytes, at);
    } else if (form === foundForm) isConfirmed = true;
    else if (formsAgree(form, foundForm)) {
      if (tellsPadding(foundForm)) form = foundForm;
    } else {
      fail(
        'ARCHIVE_HEADER_DAMAGED',
        'a tar header of another writer',
        offset,
        hexOf(bytes.subarray(at + 148, at + 156)),
      );
    }
    const size = numberField(bytes, at + 124, 12, 'size', offset);
    if (size < 0) fail('ARCHIVE_FIELD_INVALID', 'a negative size', offset, hexOf(bytes.subarray(at + 124, at + 136)));
    const flag = String.fromCharCode(bytes[at + 156] as number);
    const kind = extensions[flag];
    if (kind !== undefined) openExtension(kind, size, offset);
    else if (flag === 'A') attribute(bytes, at, size, offset);
    else if (flag === 'S') sparse(bytes, at, size, offset);
    else if (flag === 'V' && size === 0 && extensionOffset < 0)
      return; // The label of GNU tar: names the volume only.
    else {
      const type = types[flag];
      if (type === undefined) {
        const message = `a tar record of the type ${JSON.stringify(flag)}, which is not known`;
        fail('ARCHIVE_UNSUPPORTED', message, offset, seen(bytes, at));
      }
      entry(bytes, at, offset, type, size);
    }
  }

  function openExtension(kind: Extension, size: number, offset: number): void {
    const isName = kind === 'name' || kind === 'link';
    if ((isName && size === 0) || size > mostExtensionBytes) {
      fail('ARCHIVE_FIELD_INVALID', `a name or pax record of ${size} bytes`, offset, String(size));
    }
    const earlier = { name: longName, link: longLink, pax, 'global-pax': undefined }[kind];
    if (earlier !== undefined) fail('ARCHIVE_FIELD_INVALID', 'two such records for one entry', offset, kind);
    if (extensionOffset < 0 && kind !== 'global-pax') extensionOffset = offset;
    body = kind;
    extension = Buffer.alloc(size);
    bodyLeft = size;
    skip = paddingOf(size);
    if (size === 0) extend(offset + 512);
  }

  /** An extension record is complete; `offset` is where it ends. */
  function extend(offset: number): void {
    const bytes = extension;
    const start = offset - bytes.length;
    if (body === 'pax') {
      pax = parsePax(bytes, start);
      refusePax(pax, start);
    } else if (body === 'global-pax') {
      const records = parsePax(bytes, start);
      refusePax(records, start);
      for (const keyword of ['path', 'linkpath', 'size']) {
        if (records.has(keyword)) fail('ARCHIVE_UNSUPPORTED', `${keyword} stated for all entries`, start, keyword);
      }
      for (const keyword of ['uid', 'gid', 'uname', 'gname', 'mtime']) {
        const value = records.get(keyword);
        if (value !== undefined) globals.set(keyword, value);
      }
    } else {
      const nul = bytes.indexOf(0);
      const text = nameOf(nul < 0 ? bytes : bytes.subarray(0, nul));
      if (text === '') fail('ARCHIVE_FIELD_INVALID', 'an empty long name', start, hexOf(bytes));
      if (body === 'name') longName = text;
      else longLink = text;
    }
  }

  function refusePax(records: ReadonlyMap<string, string>, offset: number): void {
    for (const keyword of records.keys()) {
      const isForeign = keyword.startsWith('GNU.volume.') && keyword !== 'GNU.volume.label';
      if (isForeign || keyword === 'SUN.holesdata') {
        fail('ARCHIVE_UNSUPPORTED', 'content that is spread over volumes or holes', offset, keyword);
      }
    }
  }

  /** `A`: an ACL. AIX writes it after the body of its file, under the name of the kind; Solaris before, under the file's. */
  function attribute(bytes: Buffer, at: number, size: number, offset: number): void {
    const name = textField(bytes, at, 100);
    if ((name === 'AIXC' || name === 'NFS4') && entries > 0 && extensionOffset < 0) sink.attribute(name, 'whole');
    else {
      if (extensionOffset < 0) extensionOffset = offset;
      solarisAcl = true;
    }
    skip = size + paddingOf(size);
  }

  function entry(bytes: Buffer, at: number, offset: number, flagged: EntryType, stated: number): void {
    const ustar = bytes[at + 257] === 0x75 && bytes.toString('latin1', at + 257, at + 262) === 'ustar';
    const isPosix = ustar && bytes[at + 262] === 0;
    const records = globals.size === 0 || pax === undefined ? (pax ?? globals) : new Map([...globals, ...pax]);
    const path = pax?.get('path') ?? longName ?? plainName(bytes, at, isPosix);
    if (path === '') fail('ARCHIVE_FIELD_INVALID', 'an entry without a name', offset, seen(bytes, at));
    // Before ustar a directory was told from a file by the slash at the end of its name.
    const type = flagged === 'file' && path.charCodeAt(path.length - 1) === 0x2f ? 'directory' : flagged;
    let size = stated;
    let uid = numberField(bytes, at + 108, 8, 'uid', offset);
    let gid = numberField(bytes, at + 116, 8, 'gid', offset);
    let mtime = numberField(bytes, at + 136, 12, 'mtime', offset);
    let user = ustar ? userName(bytes, at + 265) || null : null;
    let group = ustar ? groupName(bytes, at + 297) || null : null;
    let attributes = none;
    if (records.size > 0) {
      const number = (keyword: string, plain: number) => {
        const text = records.get(keyword);
        return text === undefined ? plain : paxNumber(keyword, text, offset);
      };
      size = number('size', stated);
      uid = number('uid', uid);
      gid = number('gid', gid);
      user = (records.get('uname') ?? user) || null;
      group = (records.get('gname') ?? group) || null;
      const time = records.get('mtime');
      const read = time === undefined ? mtime : paxTime(time);
      // A time that is none stands for itself among the attributes, and that of the header is taken.
      attributes = [...(read === undefined ? ['mtime'] : []), ...paxAttributes(pax)];
      mtime = read ?? mtime;
    }
    if (solarisAcl) attributes = ['solaris-acl', ...attributes];
    const isLink = type === 'hardlink' || type === 'symlink';
    const link = isLink ? (pax?.get('linkpath') ?? longLink ?? textField(bytes, at + 157, 100)) : null;
    if (link === '') fail('ARCHIVE_FIELD_INVALID', 'a link without a target', offset, seen(bytes, at));
    if (type === 'hardlink' && size > 0 && pax !== undefined) {
      fail('ARCHIVE_UNSUPPORTED', 'a hard link in a pax archive that states a size', offset, String(size));
    }
    const storedSize = type === 'file' ? size : 0;
    const isDevice = type === 'character-device' || type === 'block-device';

    const found: Entry = {
      path,
      type,
      size: storedSize,
      mode: numberField(bytes, at + 100, 8, 'mode', offset) & 0o7777,
      uid,
      gid,
      user,
      group,
      mtime,
      link,
      device: isDevice
        ? [
            numberField(bytes, at + 329, 8, 'device major', offset),
            numberField(bytes, at + 337, 8, 'device minor', offset),
          ]
        : null,
      links: null,
      offset: extensionOffset < 0 ? offset : extensionOffset,
      dataOffset: offset + 512,
      storedSize,
      attributes,
    };
    const isSparse = records.has('GNU.sparse.size') || records.has('GNU.sparse.realsize');
    if (isSparse) emitSparse({ ...found, ...sparseFields(records, path, offset) });
    else sink.entry(found);

    entries += 1;
    extensionOffset = -1;
    longName = longLink = pax = undefined;
    solarisAcl = false;
    body = 'content';
    bodyLeft = isSparse ? 0 : storedSize;
    // The record of a file has the body that it states, also where its name makes it a directory. That of a directory
    // has none by the standard, and has one by some writers.
    const isUnread = isSparse || type !== flagged;
    skip = isUnread ? size + paddingOf(size) : paddingOf(storedSize);
    doubtful = flagged === 'directory' ? size : 0;
  }

  /**
   * A file with holes, in the old form of GNU tar: the map of its pieces starts in the header, and may go on in blocks
   * before the content. Only its name and sizes are read.
   */
  function sparse(bytes: Buffer, at: number, size: number, offset: number): void {
    const realSize = numberField(bytes, at + 483, 12, 'real size', offset);
    if (realSize < 0)
      fail('ARCHIVE_FIELD_INVALID', 'a negative size', offset, hexOf(bytes.subarray(at + 483, at + 495)));
    if (pax !== undefined) fail('ARCHIVE_UNSUPPORTED', 'a sparse file in two ways', offset, seen(bytes, at));
    const path = longName ?? plainName(bytes, at, false);
    if (path === '') fail('ARCHIVE_FIELD_INVALID', 'an entry without a name', offset, seen(bytes, at));
    sparseEntry = {
      path,
      type: 'file',
      size: realSize,
      mode: numberField(bytes, at + 100, 8, 'mode', offset) & 0o7777,
      uid: numberField(bytes, at + 108, 8, 'uid', offset),
      gid: numberField(bytes, at + 116, 8, 'gid', offset),
      user: userName(bytes, at + 265) || null,
      group: groupName(bytes, at + 297) || null,
      mtime: numberField(bytes, at + 136, 12, 'mtime', offset),
      link: null,
      device: null,
      links: null,
      offset: extensionOffset < 0 ? offset : extensionOffset,
      dataOffset: offset + 512,
      storedSize: size,
      attributes: none,
    };
    extensionOffset = -1;
    longName = longLink = pax = undefined;
    if (bytes[at + 482] === 0) closeSparse(offset + 512);
  }

  /** The map of a sparse file is complete. */
  function closeSparse(dataOffset: number): void {
    if (sparseEntry === undefined) return;
    const { storedSize } = sparseEntry;
    emitSparse({ ...sparseEntry, dataOffset });
    sparseEntry = undefined;
    entries += 1;
    skip = storedSize + paddingOf(storedSize);
  }

  function emitSparse(found: Entry): void {
    sink.entry({ ...found, attributes: [...found.attributes, 'GNU.sparse'] });
    sink.attribute('GNU.sparse', 'partial');
  }

  return latched({
    push: take,
    end() {
      if (base === 0) fail('ARCHIVE_EMPTY', 'not one byte of an archive', 0, 'nothing');
      if (bodyLeft > 0 || skip > 0 || held > 0 || sparseEntry !== undefined) {
        fail('ARCHIVE_TRUNCATED', 'the archive stops within an entry or a block', base, 'the end of the stream');
      }
      if (!isConfirmed) {
        fail('ARCHIVE_HEADER_DAMAGED', 'a checksum in a form of which no second header is evidence', 0, String(form));
      }
      if (zeroBlocks < 2) fail('ARCHIVE_END_MISSING', 'no end of archive', base, `${zeroBlocks} of 2 zero blocks`);
    },
  });
}

const none: readonly string[] = [];

function paddingOf(size: number): number {
  const rest = size % 512;
  return rest === 0 ? 0 : 512 - rest;
}

/** What the pax records of GNU tar say of a file with holes; the header has a stand-in for its name. */
function sparseFields(
  records: ReadonlyMap<string, string>,
  path: string,
  offset: number,
): Pick<Entry, 'path' | 'size'> {
  const size = records.get('GNU.sparse.realsize') ?? records.get('GNU.sparse.size') ?? '';
  return { path: records.get('GNU.sparse.name') ?? path, size: paxNumber('GNU.sparse.size', size, offset) };
}

function plainName(bytes: Buffer, at: number, withPrefix: boolean): string {
  const name = textField(bytes, at, 100);
  if (!withPrefix || bytes[at + 345] === 0) return name;
  return `${textField(bytes, at + 345, 155)}/${name}`;
}

function seen(bytes: Buffer, at: number): string {
  return hexOf(bytes.subarray(at, at + 16));
}
