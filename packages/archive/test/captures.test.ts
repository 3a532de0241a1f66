import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CatalogueEntry, type Entry, watchArchive } from '../src/index.ts';
import { backupArchive } from './backup-builder.ts';

const root = process.env.SPLITMIRROR_CAPTURES ?? resolve(import.meta.dirname, '../../../../shared/captures');
const folder = join(root, 'archive');

interface TarRecord {
  headerOffset: number;
  path: string;
  typeflag: string;
  mode: string;
  uid: number;
  gid: number;
  sizeField: number;
  mtime: number;
  checksumOk: boolean;
  linkName: string;
  bodySha256?: string;
}

interface Expected {
  file: string;
  bytes: number;
  sha256: string;
  kind: string;
  rawRecords?: TarRecord[];
  endMarkerOffset?: number | null;
  endMarkerBlocks?: number;
  nonZeroAfterMarker?: boolean;
  expect?: string;
}

interface CpioExpected extends Expected {
  entries: {
    headerOffset: number;
    path: string;
    type: string;
    mode: string;
    uid: number;
    gid: number;
    nlink: number;
    mtime: number;
    size: number;
    dataOffset: number;
    linkTarget?: string;
    dataSha256?: string;
  }[];
}

/** Reads as far as the archive is sound; `code` tells why not to the end. */
function readSome(format: 'tar' | 'cpio' | 'backup', bytes: Buffer) {
  const started: Entry[] = [];
  const finished = new Map<number, CatalogueEntry>();
  const watch = watchArchive(format, {
    onStart: (entry) => started.push(entry),
    onEntry: (entry) => finished.set(entry.offset, entry),
  });
  try {
    watch.push(bytes);
    return { started, finished, summary: watch.end(), code: 'whole' };
  } catch (error) {
    return { started, finished, summary: undefined, code: (error as { code: string }).code };
  }
}

function checkTar(bytes: Buffer, expected: Expected) {
  const { started, finished, summary, code } = readSome('tar', bytes);
  const whole =
    expected.endMarkerOffset !== null && (expected.endMarkerBlocks ?? 0) >= 2 && !expected.nonZeroAfterMarker;
  expect(code === 'whole').toBe(whole);
  if (summary !== undefined) expect(summary).toMatchObject({ bytes: expected.bytes, sha256: expected.sha256 });

  const records = expected.rawRecords ?? [];
  const extensions = 'xgXLKAV';
  const isExtended = (index: number) => extensions.includes(records[index - 1]?.typeflag ?? '-');
  records.forEach((record, index) => {
    if (extensions.includes(record.typeflag)) return;
    const entry = started.find(({ dataOffset }) => dataOffset === record.headerOffset + 512);
    if (entry === undefined) throw new Error(`no entry at ${record.headerOffset}: ${code}`);
    expect(entry.mode).toBe(Number.parseInt(record.mode, 8) & 0o7777);
    expect([entry.uid, entry.gid]).toEqual([record.uid, record.gid]);
    if (entry.type === 'file') expect(entry.size).toBe(record.sizeField);
    if (record.bodySha256 && entry.type === 'file' && finished.has(entry.offset)) {
      expect(finished.get(entry.offset)?.sha256).toBe(record.bodySha256);
    }
    // Where a record of the extension comes before, name, link and time are not those of the header.
    if (isExtended(index) && entry.attributes.length === 0) return;
    expect(entry.path).toBe(record.path);
    expect(entry.mtime).toBe(record.mtime);
    expect(entry.link ?? '').toBe(record.linkName);
  });
  expect(started).toHaveLength(records.filter(({ typeflag }) => !extensions.includes(typeflag)).length);
}

function checkCpio(bytes: Buffer, expected: CpioExpected) {
  const { finished, summary } = readSome('cpio', bytes);
  expect(summary).toMatchObject({ bytes: expected.bytes, sha256: expected.sha256 });
  const found = [...finished.values()].map((entry) => ({
    headerOffset: entry.offset,
    path: entry.path,
    type: entry.type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    nlink: entry.type === 'directory' ? '-' : (entry.links?.count ?? 1),
    mtime: entry.mtime,
    size: entry.type === 'symlink' ? Buffer.byteLength(entry.link ?? '') : entry.size,
    dataOffset: entry.dataOffset,
    linkTarget: entry.link ?? undefined,
    dataSha256: entry.sha256 ?? undefined,
  }));
  const wanted = expected.entries.map((entry) => ({
    headerOffset: entry.headerOffset,
    path: entry.path,
    type: entry.type,
    mode: Number.parseInt(entry.mode, 8) & 0o7777,
    uid: entry.uid,
    gid: entry.gid,
    nlink: entry.type === 'directory' ? '-' : entry.nlink,
    mtime: entry.mtime,
    size: entry.size,
    dataOffset: entry.dataOffset,
    linkTarget: entry.linkTarget,
    dataSha256: entry.type === 'file' ? entry.dataSha256 : undefined,
  }));
  expect(found).toEqual(wanted);
}

interface BackupExpected extends Expected {
  entries: (CpioExpected['entries'][number] & { modeRaw: string; acl: { extended: unknown[] } })[];
}

function checkBackup(bytes: Buffer, expected: BackupExpected) {
  const { finished, summary } = readSome('backup', bytes);
  expect(summary).toMatchObject({ bytes: expected.bytes, sha256: expected.sha256, partial: 0 });
  const found = [...finished.values()].map((entry) => ({
    headerOffset: entry.offset,
    path: entry.path,
    type: entry.type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: entry.mtime,
    size: entry.size,
    dataOffset: entry.dataOffset,
    dataSha256: entry.sha256 ?? undefined,
    hasAcl: entry.attributes.includes('AIXC'),
  }));
  const wanted = expected.entries.map((entry) => ({
    headerOffset: entry.headerOffset,
    path: entry.path,
    type: entry.type,
    mode: Number.parseInt(entry.mode, 8) & 0o7777,
    uid: entry.uid,
    gid: entry.gid,
    mtime: entry.mtime,
    size: entry.size,
    dataOffset: entry.dataOffset,
    dataSha256: entry.type === 'file' ? entry.dataSha256 : undefined,
    hasAcl: entry.acl.extended.length > 0,
  }));
  expect(found).toEqual(wanted);
}

/** The payload of a packed member, in a volume of our own around it. */
function checkPacked(bytes: Buffer, expected: Expected & { decodedBytes: number; decodedSha256: string }) {
  const packed = backupArchive({ name: 'packed', packed: bytes, size: expected.decodedBytes });
  const { finished, code } = readSome('backup', packed);
  expect(code).toBe('whole');
  expect([...finished.values()]).toMatchObject([{ size: expected.decodedBytes, sha256: expected.decodedSha256 }]);
}

describe('captures of real archives', () => {
  if (!existsSync(folder)) {
    it.skip(`not compared: ${folder} does not exist`, () => {});
    return;
  }
  for (const kind of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const directory = join(folder, kind.name);
    for (const name of readdirSync(directory).filter((file) => file.endsWith('.expected.json'))) {
      const expected = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Expected;
      const bytes = readFileSync(join(directory, expected.file));
      it(`${kind.name}/${expected.file}`, ({ skip }) => {
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(expected.sha256);
        if (expected.kind === 'tar') checkTar(bytes, expected);
        else if (expected.kind === 'cpio') checkCpio(bytes, expected as CpioExpected);
        else if (expected.kind === 'aix-backup-by-name') checkBackup(bytes, expected as BackupExpected);
        else if (expected.kind.startsWith('payload of one packed')) checkPacked(bytes, expected as never);
        else if (expected.expect === 'reject') expect(readSome('backup', bytes).code).toMatch(/^ARCHIVE_/);
        else skip(`no reader yet for ${expected.kind}`);
      });
    }
  }
});
