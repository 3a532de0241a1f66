import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archive, pax, record } from '../../test/tar-builder.ts';
import { readTar } from '../../test/watching.ts';
import { watchArchive } from '../watch.ts';
import { type CatalogueItem, readCatalogue } from './catalogue.ts';

const read = readTar(
  archive(
    record({ name: './', flag: '5', mode: '0001777\0' }),
    record({ name: './a "quoted"', body: 'abc', user: 'oracle' }),
    record({ name: Buffer.from([0xff]), flag: '2', link: 'x' }),
    record({ flag: 'x', body: Buffer.concat([pax('mtime', '-1.25'), pax('SCHILY.acl.access', 'x')]) }),
    record({ name: 'dev', flag: '3', major: '0000001\0' }),
    record({ name: 'AIXC', flag: 'A', body: 'acl' }),
    record({ flag: 'x', body: pax('GNU.sparse.size', '9') }),
    record({ name: 'holes', body: 'abc' }),
  ),
);

async function* chunks(text: string | Buffer, size = 1000): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(text: string | Buffer, size?: number): Promise<CatalogueItem[]> {
  const items: CatalogueItem[] = [];
  for await (const item of readCatalogue(chunks(text, size))) items.push(item);
  return items;
}

describe('readCatalogue', () => {
  it.each([1, 13, 5000])('gives back what was watched, read %i bytes at a time', async (size) => {
    const items = await collect(read.catalogue, size);
    expect(items).toEqual([
      { kind: 'opening', format: 'tar', digest: 'stream' },
      ...read.entries.map((entry) => ({ kind: 'entry', entry })),
      { kind: 'summary', summary: read.summary },
    ]);
  });

  it('is handed out in pieces that may be kept, long names and all', async () => {
    const names = ['short', 'ä'.repeat(9_000), 'b'.repeat(70_000), '€'.repeat(30_000), 'last'];
    const records = names.flatMap((name) => [record({ flag: 'L', body: `${name}\0` }), record({ body: name })]);
    const pieces: Buffer[] = [];
    const watch = watchArchive('tar', { onCatalogue: (piece) => pieces.push(piece) });
    for (let time = 0; time < 20; time += 1) for (const one of records) watch.push(one);
    watch.push(Buffer.alloc(1024));
    const summary = watch.end();
    const items = await collect(Buffer.concat(pieces), 10_000);
    const paths = items.flatMap((item) => (item.kind === 'entry' ? [item.entry.path] : []));
    expect(paths.join('\n') === Array.from({ length: 20 }, () => names.join('\n')).join('\n')).toBe(true);
    expect(items.at(-1)).toEqual({ kind: 'summary', summary });
    expect(pieces.length).toBeGreaterThan(20);
    expect(Buffer.concat(pieces).length).toBeGreaterThan(20 * 70_000);
  });

  it('is written in lines for people and programs', () => {
    expect(read.catalogue.split('\n').slice(0, 3)).toEqual([
      '{"catalogue":"splitmirror","version":1,"format":"tar","digest":"stream"}',
      '{"path":"./","type":"directory","mode":"1777","uid":202,"gid":1,"mtime":1610612736,"offset":0,"dataOffset":512}',
      '{"path":"./a \\"quoted\\"","type":"file","size":3,' +
        '"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",' +
        '"mode":"0644","uid":202,"gid":1,"user":"oracle","mtime":1610612736,"offset":512,"dataOffset":1024}',
    ]);
  });

  it('ends in a digest that head and sha256sum can check', () => {
    const bytes = Buffer.from(read.catalogue);
    const digest = createHash('sha256').update(bytes.subarray(0, -87)).digest('hex');
    expect(bytes.subarray(-87).toString()).toBe(`,"catalogueSha256":"${digest}"}\n`);
  });

  it('refuses a catalogue that is cut anywhere', async () => {
    const bytes = Buffer.from(read.catalogue);
    for (let end = 0; end < bytes.length; end += 1) {
      await expect(collect(bytes.subarray(0, end))).rejects.toMatchObject({ code: 'CATALOGUE_INVALID' });
    }
  });

  it('refuses a catalogue in which any byte is another', async () => {
    const bytes = Buffer.from(read.catalogue);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ by;
        await expect(collect(changed)).rejects.toMatchObject({ code: 'CATALOGUE_INVALID' });
      }),
      { numRuns: 500 },
    );
  });

  it('refuses lines behind the closing one, and a version it does not know', async () => {
    await expect(collect(`${read.catalogue}${read.catalogue}`)).rejects.toThrow('follows the closing line');
    await expect(collect(read.catalogue.replace('"version":1', '"version":2'))).rejects.toThrow('version 2');
    await expect(collect('[]\n')).rejects.toThrow('not an object');
  });

  it('is closed once: behind its end nothing is taken', () => {
    const watch = watchArchive('tar');
    watch.push(archive(record({ body: 'abc' })));
    watch.end();
    expect(() => watch.push(Buffer.alloc(512))).toThrow(new RangeError('the watch has ended'));
    expect(() => watch.end()).toThrow(new RangeError('the watch has ended'));
  });

  it('has no closing line when the archive was not whole', () => {
    let text = '';
    const watch = watchArchive('tar', { onCatalogue: (lines) => (text += lines.toString()) });
    watch.push(record({ body: 'abc' }));
    expect(() => watch.end()).toThrow('no end of archive');
    expect(text).not.toContain('"end"');
  });
});

describe('watchArchive(raw)', () => {
  const watchRaw = (expectedBytes: number, ...pieces: string[]) => {
    const watch = watchArchive('raw', { expectedBytes });
    for (const piece of pieces) watch.push(Buffer.from(piece));
    return watch.end();
  };

  it('hashes a volume of the expected size', () => {
    expect(watchRaw(3, 'a', 'bc')).toMatchObject({
      format: 'raw',
      bytes: 3,
      entries: 0,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    });
  });

  it.each([
    ['nothing', 'ARCHIVE_EMPTY', 3, []],
    ['too little', 'ARCHIVE_SIZE_DIFFERS', 3, ['ab']],
    ['too much', 'ARCHIVE_SIZE_DIFFERS', 3, ['ab', 'cd']],
  ])('refuses %s', (_, code, expected, pieces) => {
    expect(() => watchRaw(expected, ...pieces)).toThrow(expect.objectContaining({ code }));
  });
});
