import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backupArchive, pack } from '../../test/backup-builder.ts';
import { cpioArchive } from '../../test/cpio-builder.ts';
import { archive, pax, record } from '../../test/tar-builder.ts';
import { scratch } from '../../test/tools.ts';
import { readArchive } from '../../test/watching.ts';
import { extractEntry } from './extract-entry.ts';

const text = Buffer.from('content of one file, '.repeat(30_000));

describe('extractEntry', () => {
  it.each([
    ['tar', archive(record({ name: 'a', body: 'x' }), record({ name: 'b', body: text, mode: '0004750\0' }))],
    ['cpio', cpioArchive('newc', { name: 'a', body: 'x' }, { name: 'b', body: text })],
    ['backup', backupArchive({ name: 'a', body: 'x' }, { name: 'b', body: text })],
    ['backup', backupArchive({ name: 'a', body: 'x' }, { name: 'b', packed: pack(text), size: text.length })],
    ['tar', archive(record({ name: 'a', body: 'x' }), record({ name: 'b' }))],
  ] as const)('takes one file out of a stored archive: %s', async (format, bytes) => {
    using root = scratch();
    const [stored, to] = [join(root.path, 'archive'), join(root.path, 'b')];
    // Everything before the file may be gone: it is not read.
    const [, entry] = readArchive(format, bytes).entries;
    if (entry === undefined) throw new Error('no entry');
    writeFileSync(stored, Buffer.from(bytes).fill(0, 0, entry.offset));
    await extractEntry(stored, entry, to);
    expect(readFileSync(to)).toEqual(entry.size === 0 ? Buffer.alloc(0) : text);
    expect(lstatSync(to)).toMatchObject({ mode: 0o100000 | (entry.mode & 0o777), mtimeMs: entry.mtime * 1000 });

    await expect(extractEntry(stored, entry, to)).rejects.toMatchObject({ code: 'EXTRACT_EXISTS', path: to });
    const nowhere = join(root.path, 'no', 'b');
    await expect(extractEntry(stored, entry, nowhere)).rejects.toMatchObject({
      code: 'EXTRACT_FILE_SYSTEM',
      path: nowhere,
    });
    if (entry.size === 0) return;
    writeFileSync(stored, Buffer.from(bytes).fill(1, entry.dataOffset + entry.storedSize - 1));
    await expect(extractEntry(stored, entry, `${to}2`)).rejects.toMatchObject({
      code: expect.stringMatching(/^(EXTRACT_DIFFERS|ARCHIVE_DATA_DAMAGED)$/),
    });
    expect(existsSync(`${to}2`)).toBe(false);
  });

  it('leaves nothing behind when it is aborted', async () => {
    using root = scratch();
    const [stored, to] = [join(root.path, 'archive'), join(root.path, 'b')];
    const bytes = archive(record({ body: text }));
    writeFileSync(stored, bytes);
    const [entry] = readArchive('tar', bytes).entries;
    if (entry === undefined) throw new Error('no entry');
    const reason = new Error('enough');
    await expect(extractEntry(stored, entry, to, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const extracting = extractEntry(stored, entry, to, { signal: controller.signal });
    controller.abort(reason);
    await expect(extracting).rejects.toBe(reason);
    expect(existsSync(to)).toBe(false);
  });

  it('gives back a time before 1970', async () => {
    using root = scratch();
    const [stored, to] = [join(root.path, 'archive'), join(root.path, 'b')];
    const bytes = archive(record({ flag: 'x', body: pax('mtime', '-86400') }), record({ body: 'x' }));
    writeFileSync(stored, bytes);
    const [entry] = readArchive('tar', bytes).entries;
    if (entry === undefined) throw new Error('no entry');
    await extractEntry(stored, entry, to);
    expect(lstatSync(to).mtimeMs).toBe(-86_400_000);
  });

  it('refuses what is no regular file', async () => {
    using root = scratch();
    const [entry] = readArchive('tar', archive(record({ flag: '2', link: 'x' }))).entries;
    if (entry === undefined) throw new Error('no entry');
    const extracted = extractEntry('/dev/null', entry, join(root.path, 'x'));
    await expect(extracted).rejects.toMatchObject({ code: 'EXTRACT_UNSUPPORTED' });
  });
});
