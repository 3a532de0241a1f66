import { ParseError, renderCommand } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { listFileSystems } from './file-systems.ts';
import type { Message } from './messages.ts';
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

  const map = `datalv:/data
LP    PP1  PV1               PP2  PV2               PP3  PV3
0001  0101 hdisk4            0007 hdisk5
`;
  const table = `Name            Nodename   Mount Pt               VFS   Size    Options    Auto Accounting
/dev/fslv00     --         /data                  jfs2  65536   rw         no   no
`;

  it.each([
    [
      'lslv -m datalv',
      `0516-1147 lslv: Warning - logical volume datalv may be partially mirrored.\n${map}`,
      { number: '0516-1147', class: 'warning' },
    ],
    [
      'lsfs -q /data',
      `${table}lsfs: 0506-301 Cannot open /dev/fslv00 to read the superblock.\n`,
      { number: '0506-301', class: 'unknown' },
    ],
  ])('hands out what %s says among its rows', (command, text, message) => {
    const read = readerOf(command) ?? expect.unreachable('no reader');
    const messages: Message[] = [];
    expect(read(text, { onMessage: (each) => messages.push(each) })).toEqual(read(text));
    expect(messages).toMatchObject([message]);
  });

  it('refuses rows beside a failure, and quotes it', () => {
    const read = readerOf('lslv -m datalv') ?? expect.unreachable('no reader');
    const failed = '0516-1296 lresynclv: Unable to completely resynchronize volume.';
    expect(() => read(`${failed}\n${map}`)).toThrow(/0516-1296 lresynclv: Unable to completely/);
    expect(() => read(`${map}${failed}\n`)).toThrow(ParseError);
  });
});
