import { expect, it } from 'vitest';
import { archive, record } from '../../test/tar-builder.ts';
import { readTar } from '../../test/watching.ts';
import { createNameCheck } from './name-check.ts';

it('createNameCheck tells which requested names are missing, and which sizes are others', () => {
  const check = createNameCheck([
    { path: '.' },
    { path: './a', size: 3 },
    { path: './b', size: 4 },
    { path: './d', size: undefined },
    { path: './gone' },
  ]);
  const { entries } = readTar(
    archive(
      record({ name: './', flag: '5' }),
      record({ name: './a', body: 'abc' }),
      record({ name: './b', body: 'abc' }),
      record({ name: './d/', flag: '5' }),
      record({ name: './more' }),
    ),
  );
  for (const entry of entries) check.see(entry);
  expect(check.findings()).toEqual({ missing: ['gone'], changed: [{ path: './b', archived: 3, onDisk: 4 }] });
});

it.each([Number.NaN, -1, 0.5])('createNameCheck refuses the size %d', (size) => {
  const message = `size must be a whole number from 0: it is ${size}`;
  expect(() => createNameCheck([{ path: './a', size }])).toThrow(new RangeError(message));
});
