import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { backupArchive } from '../test/backup-builder.ts';
import { cpioArchive } from '../test/cpio-builder.ts';
import { archive, record } from '../test/tar-builder.ts';
import { type ArchiveFormat, type CatalogueEntry, watchArchive } from './index.ts';

const large = Buffer.alloc(200_000, 'large ');

function outlineOf(format: Exclude<ArchiveFormat, 'raw'>, bytes: Buffer, size: number) {
  const entries: CatalogueEntry[] = [];
  const watch = watchArchive(format, { digest: 'outline', onEntry: (entry) => entries.push(entry) });
  for (let at = 0; at < bytes.length; at += size) watch.push(bytes.subarray(at, at + size));
  return { summary: watch.end(), entries };
}

/** As the README defines it: the digest of a content stands in its place. */
function expected(bytes: Buffer, entries: readonly CatalogueEntry[]): string {
  const hash = createHash('sha256');
  let at = 0;
  for (const { size, sha256, dataOffset } of entries) {
    if (size === 0 || sha256 === null) continue;
    hash.update(bytes.subarray(at, dataOffset)).update(sha256);
    at = dataOffset + size;
  }
  return hash.update(bytes.subarray(at)).digest('hex');
}

describe('watchArchive with the digest of the outline', () => {
  it.each([
    ['tar', archive(record({ body: 'abc' }), record({ name: 'd/', flag: '5' }), record({ body: large }), record({}))],
    ['cpio', cpioArchive('newc', { body: 'abc' }, { mode: 0o120777, body: 'abc' }, { body: large }, {})],
  ] as const)('replaces each content of %s by its digest', (format, bytes) => {
    for (const size of [1, 100, 1000, 70_000, bytes.length]) {
      const { summary, entries } = outlineOf(format, bytes, size);
      expect(summary).toMatchObject({ digest: 'outline', sha256: expected(bytes, entries), bytes: bytes.length });
    }
  });

  it('is that of the stream where there is no outline, and says so', () => {
    const bytes = backupArchive({ body: 'abc' });
    expect(outlineOf('backup', bytes, 100).summary).toMatchObject({
      digest: 'stream',
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });
});
