import { ArchiveError, hexOf } from '../errors.ts';
import { nameOf } from '../names.ts';

/** Reads the records of a pax extended header: `<length> <keyword>=<value>\n`. A later record replaces an earlier one. */
export function parsePax(body: Buffer, offset: number): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const wrong = (why: string) =>
      new ArchiveError('ARCHIVE_FIELD_INVALID', `a pax record ${why}`, {
        offset: offset + at,
        seen: hexOf(body.subarray(at, at + 16)),
      });
    let start = at;
    let length = 0;
    for (; start < at + 8; start += 1) {
      const byte = body[start] ?? 0;
      if (byte < 48 || byte > 57) break;
      length = length * 10 + byte - 48;
    }
    if (start === at || body[start] !== 0x20) throw wrong('does not start with its length');
    const end = at + length;
    if (end > body.length || end <= start + 1 || body[end - 1] !== 0x0a) throw wrong('does not end where it says');
    const equals = body.indexOf(0x3d, start);
    if (equals <= start + 1 || equals >= end) throw wrong('has no keyword');
    const value = body.subarray(equals + 1, end - 1);
    const keyword = nameOf(body.subarray(start + 1, equals));
    if (value.includes(0) && carried.has(keyword)) throw wrong(`holds a NUL byte in ${keyword}`);
    records.set(keyword, nameOf(value));
    at = end;
  }
  return records;
}

/** Keywords that say what a header has no room for. */
const carried: ReadonlySet<string> = new Set(['path', 'linkpath', 'size', 'uid', 'gid', 'uname', 'gname', 'mtime']);

/** Keywords that change nothing in how an entry is read. */
const silent: ReadonlySet<string> = new Set([
  'atime',
  'ctime',
  'comment',
  'charset',
  'hdrcharset',
  'LIBARCHIVE.creationtime',
  'GNU.volume.label',
]);

/** Keywords of files with holes, which become one attribute of their own. */
const sparse = 'GNU.sparse.';

/** The keywords among these records that travel with the entry without being read. */
export function paxAttributes(records: ReadonlyMap<string, string> | undefined): string[] {
  const unread = (keyword: string) => !carried.has(keyword) && !silent.has(keyword) && !keyword.startsWith(sparse);
  return [...(records?.keys() ?? [])].filter(unread).sort();
}

/** A number of seconds, which may have a sign and a fraction; `undefined` when it is none. */
export function paxTime(value: string): number | undefined {
  return /^-?\d{1,15}(\.\d{1,30})?$/.test(value) ? Math.round(Number(value) * 1e6) / 1e6 : undefined;
}

/** A whole number that is not negative. */
export function paxNumber(keyword: string, value: string, offset: number): number {
  if (/^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
  throw invalid(keyword, value, offset);
}

function invalid(keyword: string, value: string, offset: number): ArchiveError {
  return new ArchiveError('ARCHIVE_FIELD_INVALID', `the pax keyword ${keyword} has an impossible value`, {
    offset,
    seen: JSON.stringify(value.slice(0, 40)),
  });
}
