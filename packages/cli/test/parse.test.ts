import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const program = join(import.meta.dirname, '../src/bin.ts');

function parse(command: string, output: string) {
  const argv = ['--conditions=@splitmirror/source', program, 'parse', '--command', command];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { input: output, encoding: 'utf8' });
  return { status, value: stdout === '' ? undefined : JSON.parse(stdout), stderr };
}

it.each([
  [
    'a list without its header, of a French node',
    '# LANG=fr_FR lslpp -lcq',
    '/usr/lib/objrepos:bos.rte:6.1.6.0::VALIDE:I:Base :\n',
    [{ fileset: 'bos.rte', stateText: 'VALIDE', efixLocked: false }],
  ],
  [
    'one attribute with remarks',
    'odmget HACMPnode | grep version',
    '\tversion = 18 (east is done)\n\tversion = 15\n',
    [18, 15],
  ],
  [
    'whole objects, as the first reader gives them',
    'odmget HACMPnode',
    'HACMPnode:\n\tname = "east"\n\tversion = 18\n',
    [{ attributes: { name: 'east', version: 18 } }],
  ],
])('parse reads %s', (_, command, output, value) => {
  expect(parse(command, output)).toMatchObject({ status: 0, value });
});

it('parse says why the reader refused', () => {
  expect(parse('odmget HACMPnode', 'odmget: no such class\n')).toMatchObject({
    value: undefined,
    stderr: expect.stringMatching(/^PARSE_OUTPUT: odmget:1:1: /),
  });
});

it('parse asks no other reader once one has refused, however little that one needs', () => {
  const cut = `VOLUME GROUP:       datavg                   VG IDENTIFIER:  00c0ffee00004c000000017d43623a1b
VG STATE:           active                   PP SIZE:        64 megabyte(s)
VG PERMISSION:      read/write               TOTAL PPs:      30 (1920 meg`;
  expect(parse('lsvg datavg', cut)).toMatchObject({
    value: undefined,
    stderr: expect.stringMatching(/^PARSE_OUTPUT: lsvg:/),
  });
});

it('parse tells what LVM says among the rows, and reads the rows', () => {
  const map =
    'datalv:/data\nLP    PP1  PV1               PP2  PV2               PP3  PV3\n0001  0101 hdisk4            0007 hdisk5\n';
  const warned = parse(
    'lslv -m datalv',
    `0516-1147 lslv: Warning - logical volume datalv may be partially mirrored.\n${map}`,
  );
  expect(warned).toEqual({
    ...parse('lslv -m datalv', map),
    stderr: '0516-1147 lslv: Warning - logical volume datalv may be partially mirrored.\n',
  });
});
