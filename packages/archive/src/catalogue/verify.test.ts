import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ParseError } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { backupArchive } from '../../test/backup-builder.ts';
import { cpioArchive } from '../../test/cpio-builder.ts';
import { archive, record } from '../../test/tar-builder.ts';
import { scratch } from '../../test/tools.ts';
import { readTar } from '../../test/watching.ts';
import { type ArchiveFormat, type DigestKind, watchArchive } from '../index.ts';
import { compress, decompress } from '../stored.ts';
import { verifyArchive } from './verify.ts';

const bytes = archive(...Array.from({ length: 30 }, (_, index) => record({ name: `f${index}`, body: `${index}` })));

/** Catalogues one archive and verifies another against it. */
async function verify(
  stored: Buffer,
  catalogued = stored,
  format: ArchiveFormat = 'tar',
  digest: DigestKind = 'stream',
) {
  using root = scratch();
  const pieces: Buffer[] = [];
  const options = { digest, onCatalogue: (lines: Buffer) => pieces.push(lines) };
  const watch =
    format === 'raw'
      ? watchArchive('raw', { ...options, expectedBytes: catalogued.length })
      : watchArchive(format, options);
  watch.push(catalogued);
  watch.end();
  const paths = { archive: join(root.path, 'archive'), catalogue: join(root.path, 'catalogue') };
  writeFileSync(paths.archive, stored);
  writeFileSync(paths.catalogue, Buffer.concat(pieces));
  const verdict = await verifyArchive(paths);
  return verdict.kind === 'good' ? 'good' : verdict.reasons.map(({ code, message }) => `${code}: ${message}`);
}

describe('verifyArchive', () => {
  it.each<[ArchiveFormat, DigestKind, Buffer]>([
    ['tar', 'stream', bytes],
    ['tar', 'outline', bytes],
    ['cpio', 'outline', cpioArchive('odc', { body: 'x' })],
    ['backup', 'stream', backupArchive({ body: 'x' })],
    ['raw', 'stream', Buffer.from('volume')],
  ])('passes %s with the digest of its %s', async (format, digest, stored) => {
    expect(await verify(stored, stored, format, digest)).toBe('good');
  });

  it('names each entry that is another, and counts the rest', async () => {
    const one = Buffer.from(bytes);
    one.write('x', 1536);
    expect(await verify(one, bytes)).toEqual([
      'ENTRY_DIFFERS: f1 is not what the catalogue says',
      'STREAM_DIFFERS: the archive is not the one that was catalogued',
    ]);
    const all = archive(...Array.from({ length: 30 }, (_, index) => record({ name: `f${index}`, body: 'x' })));
    const reasons = await verify(all, bytes);
    expect(reasons).toHaveLength(22);
    expect(reasons[20]).toBe('ENTRY_DIFFERS: 10 more entries are not what the catalogue says');
  });

  it('does not pass an archive that is shorter, longer, cut, or differs in padding only', async () => {
    const shorter = archive(record({ name: 'f0', body: '0' }));
    expect(await verify(shorter, bytes)).toEqual(['STREAM_DIFFERS: the archive is not the one that was catalogued']);
    expect(await verify(bytes, shorter)).toContain('ENTRY_DIFFERS: f1 is not what the catalogue says');
    expect(await verify(bytes.subarray(0, 2000), bytes)).toEqual(['NOT_WHOLE: the archive is not whole']);
    const padded = Buffer.from(bytes);
    padded[1000] = 1;
    expect(await verify(padded, bytes)).toEqual(['STREAM_DIFFERS: the archive is not the one that was catalogued']);
  });

  it('compares nothing with a damaged catalogue', async () => {
    using root = scratch();
    const catalogue = join(root.path, 'catalogue');
    writeFileSync(catalogue, '{}\n');
    expect(await verifyArchive({ archive: '/dev/null', catalogue })).toMatchObject({
      kind: 'failed',
      reasons: [{ code: 'CATALOGUE_INVALID' }],
    });
    await expect(verifyArchive({ archive: '/dev/null', catalogue: join(root.path, 'no') })).rejects.toThrow('ENOENT');
    // Nor is the archive opened for it.
    const missing = join(root.path, 'no');
    expect(await verifyArchive({ archive: missing, catalogue })).toMatchObject({ kind: 'failed' });
  });

  it('stops with the reason of its signal, and gives no verdict', async () => {
    using root = scratch();
    const [file, catalogue] = [join(root.path, 'archive'), join(root.path, 'catalogue')];
    writeFileSync(file, bytes);
    writeFileSync(catalogue, readTar(bytes).catalogue);
    const { signal } = new AbortController();
    expect(await verifyArchive({ archive: file, catalogue, signal })).toMatchObject({ kind: 'good' });
    // An error of ours, too, is no reason against the archive.
    const reason = new ParseError('kill', 'enough', { line: 1, text: '' });
    const aborted = AbortSignal.abort(reason);
    await expect(verifyArchive({ archive: file, catalogue, signal: aborted })).rejects.toBe(reason);
    const controller = new AbortController();
    async function* stalled() {
      yield bytes.subarray(0, 3000);
      controller.abort(reason);
      await new Promise(() => {});
    }
    await expect(verifyArchive({ archive: stalled(), catalogue, signal: controller.signal })).rejects.toBe(reason);
  });

  it('reads a compressed archive as it is unpacked', async () => {
    using root = scratch();
    const catalogue = join(root.path, 'catalogue');
    const pieces: Buffer[] = [];
    const watch = watchArchive('tar', { onCatalogue: (lines) => pieces.push(lines) });
    watch.push(bytes);
    watch.end();
    writeFileSync(catalogue, Buffer.concat(pieces));
    async function* plain() {
      yield bytes;
    }
    const verdict = await verifyArchive({ archive: decompress(compress(plain(), 'gzip'), 'gzip'), catalogue });
    expect(verdict.kind).toBe('good');
  });
});
