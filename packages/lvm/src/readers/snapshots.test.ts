import { ParseError } from '@splitmirror/host';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSnapshots } from './snapshots.ts';

const external = `Snapshots for /shop/data
Current  Location      512-blocks        Free Time
         /dev/fslv03        65536       64768 Mon Nov  9 03:02:11 2026
*        /dev/fslv04        65536           - Tue Nov 10 03:02:09 2026
`;
const internal = `Snapshots for /shop/orders
Current  Name         Time
*        monday       Mon Nov  9 03:02:11 2026
`;

describe('parseSnapshots', () => {
  it('reads lists of several file systems', () => {
    expect(parseSnapshots(`${external}/shop has no snapshots.\n${internal}`)).toEqual([
      {
        mountPoint: '/shop/data',
        kind: 'external',
        snapshots: [
          { name: '/dev/fslv03', freeBlocks: 64_768 },
          { name: '/dev/fslv04', freeBlocks: null },
        ],
      },
      { mountPoint: '/shop', kind: null, snapshots: [] },
      { mountPoint: '/shop/orders', kind: 'internal', snapshots: [{ name: 'monday', freeBlocks: null }] },
    ]);
  });

  it('refuses a row without its heading, and words that it does not know', () => {
    for (const text of [
      external.replace(/^Current.*\n/m, ''),
      external.replace(/^Snapshots.*\n/, ''),
      external.replace('64768', 'many'),
      'snapshot: 0516-1 something\n',
    ]) {
      expect(() => parseSnapshots(text), text).toThrow(ParseError);
    }
  });

  it('throws nothing but ParseError', () => {
    const pieces = fc.constantFrom(...external.split(/(?<=\s)/), ...internal.split(/(?<=\s)/), '\n', '*', '-');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((words) => words.join('')),
        ),
        (text) => {
          try {
            parseSnapshots(text);
          } catch (error) {
            expect(error).toBeInstanceOf(ParseError);
          }
        },
      ),
    );
  });
});
