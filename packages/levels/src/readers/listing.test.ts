import { readFileSync } from 'node:fs';
import { ParseError } from '@splitmirror/host';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ListedFileset, parseListing, type RowTable } from './listing.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../../test/fixtures/${name}.lslpp-Lc.txt`, import.meta.url), 'utf8');
const find = (rows: readonly ListedFileset[], name: string) => rows.find((row) => row.package === name);

describe('parseListing', () => {
  it('reads the list of AIX 5.3 and later', () => {
    const rows = parseListing(fixture('east'));
    expect(rows).toHaveLength(14);
    expect(rows[0]).toEqual({
      line: 'bos.cluster:bos.cluster.rte:7.2.5.101: : :C:F:Cluster Aware AIX : : : : : : :0:0:/:2148',
      columns: 18,
      package: 'bos.cluster',
      fileset: 'bos.cluster.rte',
      level: '7.2.5.101',
      state: 'committed',
      stateText: 'C',
      type: 'F',
      description: 'Cluster Aware AIX',
      uninstaller: '',
      automatic: false,
      efixLocked: false,
      installPath: '/',
      buildDate: '2148',
    });
    expect(rows.find(({ fileset }) => fileset === 'bos.rte.lvm')?.efixLocked).toBe(true);
  });

  it('keeps an RPM whole, although its build time holds colons', () => {
    expect(find(parseListing(fixture('east')), 'lsof')).toMatchObject({
      fileset: 'lsof-4.91-1',
      level: '4.91-1',
      type: 'R',
      description: 'Lists files open by processes.',
      uninstaller: '/bin/rpm -e lsof',
      efixLocked: null,
      installPath: '/opt/freeware',
      buildDate: 'Tue Mar 6 09:30:11 CST 2018',
    });
  });

  it('keeps colons in a description', () => {
    expect(find(parseListing(fixture('east')), 'devices.fcp.disk')?.description).toBe(
      'FC SCSI CD-ROM: Disk, Read/Write Optical Device Software',
    );
  });

  it('reads the lists of AIX 4.3 and 5.1', () => {
    expect(parseListing(fixture('harbour')).map(({ columns, fileset, level }) => [columns, fileset, level])).toEqual([
      [8, 'bos.rte', '4.3.3.0'],
      [8, 'cluster.base.server.rte', '4.3.1.2'],
    ]);
    expect(parseListing(fixture('meadow')).map(({ columns, description }) => [columns, description])).toEqual([
      [14, 'Base Operating System Runtime'],
      [14, 'SMIT: Context Helps'],
    ]);
  });

  it.each(['east', 'west', 'harbour', 'meadow'])('reads %s the same without its header', (name) => {
    const text = fixture(name);
    expect(parseListing(text.slice(text.indexOf('\n') + 1))).toEqual(parseListing(text));
  });

  it('knows every state letter, and says so when it knows one not', () => {
    const row = (letter: string) => `a.b:a.b.c:1.0.0.0: : :${letter}: :Words: : : : : : :0:0:/:\n`;
    expect([...'ABCEO?V'].map((letter) => parseListing(row(letter))[0]?.state)).toEqual([
      'applied',
      'broken',
      'committed',
      'efix-locked',
      'obsolete',
      'inconsistent',
      'unknown',
    ]);
  });

  it.each(['Thu 12 Mar 2020 03:04:05 AM EDT', 'Thu Mar 12 03:04:05 2020', 'jeu. 12 mars 2020 03:04:05 CET'])(
    'reads an RPM that was built on %s',
    (date) => {
      const row = `flock:flock-2.34-1:2.34-1: : :C:R:Locks: files.: :/bin/rpm -e flock: : : : :0: :/opt/freeware:${date}\n`;
      expect(parseListing(row)).toMatchObject([{ columns: 18, description: 'Locks: files.', buildDate: date }]);
    },
  );

  it('reads a list of 14 columns whose lines all end with a colon', () => {
    const [header, ...rows] = fixture('meadow').replace(/\n$/, '').split('\n');
    const text = [`${header}:`, ...rows.map((row) => `${row}:`), ''].join('\n');
    const asPlain = (row: ListedFileset) => ({ ...row, line: `${row.line}:` });
    expect(parseListing(text)).toEqual(parseListing(fixture('meadow')).map(asPlain));
  });

  it('takes one object for equal rows of several lists', () => {
    const rows: RowTable = new Map();
    const [east, west] = [parseListing(fixture('east'), rows), parseListing(fixture('west'), rows)];
    expect(find(west, 'rsct.core')).toBe(find(east, 'rsct.core'));
  });

  it.each([
    ['an unknown header', '#Fileset:Level\n'],
    ['a row of another generation', `${fixture('harbour')}${fixture('east').split('\n')[1]}\n`],
    ['a text that is no row', `${fixture('east')}lslpp: 0504-132 not installed.\n`],
    ['a row whose tail is of no known generation', 'a.b:a.b.c:1.0.0.0: : :C: :Words: : : :0:0:/:2148\n'],
    ['a row without a level', 'a.b:a.b.c: : : :C: :Words: : : : : : :0:0:/:\n'],
  ])('refuses %s', (_, text) => {
    expect(() => parseListing(text)).toThrow(ParseError);
  });

  it('names the line that it does not understand', () => {
    const lines = fixture('east').split('\n');
    lines[4] = 'bos.rte:bos.rte.lvm';
    expect(() => parseListing(lines.join('\n'))).toThrow('lslpp -Lc:5:1: not a row of 18 columns');
  });

  it('never takes a list that was cut inside a line for whole', () => {
    const text = fixture('east');
    for (let length = 1; length < text.length; length += 1) {
      if (text[length - 1] === '\n') continue;
      expect(() => parseListing(text.slice(0, length))).toThrow(ParseError);
    }
  });

  it('throws nothing but ParseError, whatever was changed in the text', () => {
    const text = fixture('east');
    const cell = fc.constantFrom(':', ' ', '\n', '0', 'C', '?', '#', '\r', 'é', '\u0000');
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(40), fc.array(cell, { maxLength: 12 }), (start, length, cells) => {
        try {
          parseListing(text.slice(0, start) + cells.join('') + text.slice(start + length));
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('stays linear with a long line of colons', () => {
    const started = process.cpuUsage();
    expect(() => parseListing(`${':'.repeat(2_000_000)}\n`)).toThrow(ParseError);
    expect(process.cpuUsage(started).user).toBeLessThan(5e6);
  });
});
