import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { archive, record } from '../../test/tar-builder.ts';
import { readTar } from '../../test/watching.ts';
import { readCatalogue } from './catalogue.ts';
import { diffCatalogues } from './diff.ts';

const catalogueOf = (...records: Buffer[]) => {
  const { catalogue } = readTar(archive(...records));
  return readCatalogue(Readable.from([Buffer.from(catalogue)]));
};

it('diffCatalogues tells what came, what went and what is not the same', async () => {
  const earlier = catalogueOf(
    record({ name: 'same', body: 'x' }),
    record({ name: 'gone' }),
    record({ name: 'rewritten', body: 'x' }),
    record({ name: 'now a link' }),
  );
  const later = catalogueOf(
    record({ name: 'new' }),
    record({ name: 'same', body: 'x' }),
    record({ name: 'rewritten', body: 'y', mode: '0000600\0', mtime: '14000000001' }),
    record({ name: 'now a link', flag: '2', link: 'same' }),
  );
  expect(await diffCatalogues(earlier, later)).toEqual({
    added: ['new'],
    removed: ['gone'],
    changed: [
      { path: 'rewritten', fields: ['content', 'mode', 'mtime'] },
      { path: 'now a link', fields: ['type', 'content', 'link'] },
    ],
  });
});
