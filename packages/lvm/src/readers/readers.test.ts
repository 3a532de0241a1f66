import { ParseError, renderCommand } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { listFileSystems } from './file-systems.ts';
import { listMounts } from './mounts.ts';
import { readerOf } from './readers.ts';
import { listSnapshots } from './snapshots.ts';
import { describeGroup, listDisks, mapGroup } from './volume-groups.ts';
import { describeVolume, listVolumes, mapVolume } from './volumes.ts';

describe('readerOf', () => {
  it('knows every query that the package sends', () => {
    const queries = [
      ...[describeGroup, listDisks, listVolumes, mapGroup].map((query) => query('datavg')),
      ...[describeVolume, mapVolume].map((query) => query('datalv')),
      ...[listFileSystems(), listFileSystems('/data'), listMounts(), listSnapshots('/data')],
    ];
    for (const query of queries) expect(readerOf(renderCommand(query)), renderCommand(query)).toBeTypeOf('function');
  });

  it.each([
    '/usr/sbin/lsvg -o',
    'lsvg',
    'lsvg -L datavg',
    'lsvg -l -L datavg',
    'lslv  -l   datalv',
    'lspv',
    'lspv hdisk2',
    'lspv -M hdisk2',
    'lsmp -A datavg',
    'lsfs -q /data',
    'cat /etc/filesystems',
    '/etc/filesystems',
    'df -k',
    'getlvcb -AT datalv',
    'lqueryvg -Atp hdisk2',
    'odmget -q name=datalv CuDv',
    'fsck -p /dev/datalv',
  ])('knows %s', (command) => {
    expect(readerOf(command)).toBeTypeOf('function');
  });

  it.each(['', 'errpt', 'lsvg -x datavg', 'mount -a', 'rm datalv', 'lslv'])('does not know "%s"', (command) => {
    expect(readerOf(command)).toBeUndefined();
  });

  it('reads what LVM answers with messages alone, and refuses other text', () => {
    const read = readerOf('lsvg -l datavg') ?? expect.unreachable('no reader');
    expect(read('0516-010 : Volume group must be varied on; use varyonvg command.\n')).toMatchObject({
      messages: [{ number: '0516-010', class: 'varied-off' }],
    });
    expect(() => read('segmentation fault\n')).toThrow(ParseError);
  });
});
