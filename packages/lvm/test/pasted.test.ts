import { ParseError } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { readerOf } from '../src/index.ts';
import { queryOf } from '../src/readers/readers.ts';

/*
 * Output as people keep it: at levels and in forms that the lab does not print, with what a terminal, an editor or a web page
 * adds and takes away. All names are ours; the layouts are those of facts 7.
 */

function read(command: string, text: string): unknown {
  const reader = readerOf(command) ?? expect.unreachable(`no reader for ${command}`);
  return reader(text);
}

const striped433 = `LOGICAL VOLUME:     paylv                  VOLUME GROUP:   payvg
LV IDENTIFIER:      000104ab7c0de111.4     PERMISSION:     read/write
VG STATE:           active/complete        LV STATE:       opened/syncd
TYPE:               jfs                    WRITE VERIFY:   off
MAX LPs:            512                    PP SIZE:        8 megabyte(s)
COPIES:             2                      SCHED POLICY:   striped
LPs:                64                     PPs:            128
STALE PPs:          0                      BB POLICY:      relocatable
INTER-POLICY:       maximum                RELOCATABLE:    no
INTRA-POLICY:       outer middle           UPPER BOUND:    4
MOUNT POINT:        /pay                   LABEL:          Pay roll 1999
MIRROR WRITE CONSISTENCY: off
EACH LP COPY ON A SEPARATE PV ?: yes (superstrict)
STRIPE WIDTH:       4
STRIPE SIZE:        64K
`;

const group433 = `VOLUME GROUP:   payvg                    VG IDENTIFIER:  000104ab7c0de111
VG STATE:       active                   PP SIZE:        8 megabyte(s)
VG PERMISSION:  read/write               TOTAL PPs:      1074 (8592 megabytes)
MAX LVs:        256                      FREE PPs:       900 (7200 megabytes)
LVs:            4                        USED PPs:       174 (1392 megabytes)
OPEN LVs:       3                        QUORUM:         2
TOTAL PVs:      2                        VG DESCRIPTORS: 3
STALE PVs:      0                        STALE PPs       0
ACTIVE PVs:     2                        AUTO ON:        no
Concurrent:     Capable                  Auto-Concurrent: Disabled
VG Mode:        Non-Concurrent
MAX PPs per PV: 1016                     MAX PVs:        32
`;

const volumes = `payvg:
LV NAME             TYPE       LPs   PPs   PVs  LV STATE      MOUNT POINT
paylv               jfs        64    128   4    open/stale    /pay
payrollarchive1     jfs2       1000000 2000000 12   closed/syncd  /pay/roll/archive
lvpay00copy00       jfs        0     0     0    open???????   /pay/copy
paychild            jfs        0     0     0    open/???????  N/A
`;

const disks = `payvg:
PV_NAME           PV STATE          TOTAL PPs   FREE PPs    FREE DISTRIBUTION
hdisk4            active            537         450         108..20..107..107..108
hdisk5            removed           537         450         108..20..107..107..108
hdiskpower117     missing           1           0           00..00..00..00..00
`;

const area = `Max LVs:        256
PP Size:        28
LV count:       2
PV count:       1
Logical:        000104ab7c0de111.4   paylv 2
                000104ab7c0de111.5   paylog 2
Physical:       000104ab33334444                2   0
`;
const pools = `COPY 1 MIRROR POOL: east
COPY 2 MIRROR POOL: west
COPY 3 MIRROR POOL: None
`;
const scalable = group433.replace(/MAX PPs per PV.*/, 'MAX PPs per VG: 32768                    MAX PVs:        1024');
const controlBlock = '\t AIX LVCB\n\t copies = 2 \n\t lvname = paylv \n\t time created  = Mon Nov  9 03:02:11 2026\n';
const ranges = `hdisk4:
PP RANGE  STATE   REGION        LV NAME             TYPE       MOUNT POINT
  1-1     vgda    outer edge
  2-100   free    outer edge
`;

const disk61 = `PHYSICAL VOLUME:    hdisk4                   VOLUME GROUP:     payvg
PV IDENTIFIER:      000104ab33334444 VG IDENTIFIER     000104ab7c0de111
PV STATE:           active
STALE PARTITIONS:   0                        ALLOCATABLE:      yes
PP SIZE:            8 megabyte(s)            LOGICAL VOLUMES:  2
TOTAL PPs:          100 (800 megabytes)      VG DESCRIPTORS:   2
FREE PPs:           40 (320 megabytes)       HOT SPARE:        no
USED PPs:           60 (480 megabytes)       MAX REQUEST:      256 kilobytes
FREE DISTRIBUTION:  00..00..00..20..20
USED DISTRIBUTION:  20..20..20..00..00
`;

const full = disk61.replace('FREE PPs:           40', 'FREE PPs:           0').replace('20..20\n', '00..00\n');

const cutOutputs: [command: string, whole: string, cut: string][] = [
  ['lqueryvg -Atp hdisk4', area, area.replace(/Physical.*\n/, '')],
  ['lqueryvg -Atp hdisk4', area, area.replace(/.*paylog.*\n/, '')],
  ['lqueryvg -Atp hdisk4', area.slice(0, area.indexOf('Logical')), area.replace(/Logical.*\n.*paylog.*\n/, '')],
  ['lsvg -M payvg', 'hdisk4:9\tpaylv:1:1\nhdisk5:9\tpaylv:1:2\n', 'hdisk4:9\tpaylv:1:1\nhdisk5:9\tpaylv:1\n'],
  ['lsvg -M payvg', 'hdisk4:9\tpaylv:1:2\nhdisk5:9\tpaylv:2\n', 'hdisk4:9\tpaylv:1:2\nhdisk5:9\tpaylv:1\n'],
  ['lspv -M hdisk4', 'hdisk4:9\tpaylv:1:1\nhdisk4:11\tpaylv:1:2\n', 'hdisk4:9\tpaylv:1:1\nhdisk4:11\tpaylv:1:1\n'],
  ['lslv paylv', striped433 + pools, `${striped433}COPY 1 MIRROR POOL: ea`],
  ['lslv paylv', striped433 + pools, `${striped433}${pools.slice(0, pools.indexOf('COPY 3'))}`],
  [
    'lsmp payvg',
    'VOLUME GROUP:       payvg               Mirror Pool Super Strict: yes\n',
    'VOLUME GROUP:       payvg               Mirror Pool Super Strict: ye',
  ],
  [
    'lspv -p hdisk4',
    `${ranges}101-128   used    outer edge    paylv  jfs2  /pay\n`,
    `${ranges}101-128   used    outer edge`,
  ],
  [
    'lspv -p hdisk4',
    `${ranges}101-128   stale   outer edge    paylv  jfs2  N/A\n`,
    `${ranges}101-128   stale   outer edge\n`,
  ],
  ['lsvg -p payvg', disks, disks.replace('108..20..107..107..108\nhdisk5', '108..20..107..107..10\nhdisk5')],
  ['lspv hdisk4', disk61, disk61.replace('20..20\n', '20..2\n')],
  ['lspv hdisk4', full, full.replace('00..00\n', '00\n')],
  ['lsvg payvg', scalable, scalable.trimEnd().slice(0, -1)],
  ['lsvg payvg', scalable, scalable.trimEnd().slice(0, -2)],
  [
    'lsvg payvg',
    group433.replace('1016                     MAX PVs:        32', '2032 MAX PVs: 64'),
    group433.replace(/32$/m, '100'),
  ],
  ['getlvcb -AT paylv', controlBlock, '\t AIX LVCB\n\t copies = 2 \n\t lvname = pay'],
];

const mounted = `  node       mounted        mounted over    vfs       date        options
-------- ---------------  ---------------  ------ ------------ ---------------
         /dev/paylv       /pay             jfs2   Feb 03 07:05 rw,log=INLINE
         /dev/cd0         /cdrom           cdrfs  Feb 03 07:05 ro
         /pay             /srv/pay         namefs Feb 03 07:05 rw
nfsserver.shop.example /export/media    /media           nfs4   Feb  3 07:06 bg,hard,intr,sec=sys
`;

describe('outputs as they are kept', () => {
  it('lslv of a striped volume at AIX 4.3.3, with a label of several words', () => {
    expect(read('lslv paylv', striped433)).toMatchObject({
      identifier: '000104ab7c0de111.4',
      schedulePolicy: 'striped',
      separateDisks: 'yes (superstrict)',
      label: 'Pay roll 1999',
      stripeWidth: 4,
      stripeSize: '64K',
      copies: 2,
      serializeIo: null,
    });
  });

  it('lslv that knows nothing, whatever it knows nothing of', () => {
    const unknown = striped433
      .replaceAll(/(VG STATE|LV STATE|COPIES|STALE PPs|LPs|PP SIZE):( +)\S+( megabyte\(s\))?/g, '$1:$2???????')
      .replace(/ PV \?: .*/, ' PV ?: ???????');
    expect(read('lslv paylv', unknown)).toMatchObject({ open: null, stale: null, copies: null, separateDisks: null });
    expect(() => read('lslv paylv', unknown.replace('PV ?: ???????', 'PV ?: '))).toThrow(ParseError);
  });

  it('lslv of a closed volume that says no more, and of one without the blanks of its columns', () => {
    expect(read('lslv paylv', striped433.replace('opened/syncd', 'Closed'))).toMatchObject({
      open: false,
      stale: null,
    });
    const squeezed = striped433.replaceAll(/ {2,}(?=[A-Z])/g, ' ');
    expect(read('lslv paylv', squeezed)).toEqual(read('lslv paylv', striped433));
  });

  it('a partition size in another unit is refused, not taken for megabytes', () => {
    expect(() => read('lslv paylv', striped433.replace('8 megabyte(s)', '8 gigabyte(s)'))).toThrow(ParseError);
    expect(() => read('lsvg payvg', group433.replace('8 megabyte(s)', '8 gigabyte(s)'))).toThrow(ParseError);
  });

  it('lsvg of AIX 4.3.3, which leaves out a colon', () => {
    expect(read('lsvg payvg', group433)).toMatchObject({
      stalePartitions: 0,
      concurrent: 'Capable',
      mode: 'Non-Concurrent',
      quorum: 2,
      quorumEnabled: null,
      maxDisks: 32,
      maxPartitions: null,
    });
    expect(() => read('lsvg payvg', group433.replace('QUORUM:         2', 'QUORUM:         two'))).toThrow(ParseError);
  });

  it('lsvg -l with numbers that push their columns, and states without a word', () => {
    const { volumes: rows } = read('lsvg -l payvg', volumes) as { volumes: Record<string, unknown>[] };
    expect(rows.map(({ stale, physicalPartitions, mountPoint }) => [stale, physicalPartitions, mountPoint])).toEqual([
      [true, 128, '/pay'],
      [false, 2_000_000, '/pay/roll/archive'],
      [null, 0, '/pay/copy'],
      [null, 0, null],
    ]);
  });

  it('lsvg -p with disks that are gone', () => {
    expect(read('lsvg -p payvg', disks)).toMatchObject({
      disks: [
        { state: 'active' },
        { state: 'removed', freePartitions: 450 },
        { name: 'hdiskpower117', state: 'missing' },
      ],
    });
  });

  it('lsmp of pools that mirror asynchronously', () => {
    const text = `VOLUME GROUP:       payvg               Mirror Pool Super Strict: yes

MIRROR POOL:        east                Mirroring Mode:           ASYNC
ASYNC MIRROR STATE: inactive            ASYNC CACHE LV:           eastcache
ASYNC CACHE VALID:  yes ASYNC CACHE EMPTY:        yes
ASYNC CACHE HWM:    80                  ASYNC DATA DIVERGED:      no

MIRROR POOL:        west                Mirroring Mode:           SYNC
`;
    expect(read('lsmp -A payvg', text)).toMatchObject({
      group: 'payvg',
      superStrict: true,
      pools: [
        { name: 'east', mode: 'ASYNC' },
        { name: 'west', mode: 'SYNC' },
      ],
    });
  });

  it('mount with every kind of file system, and a log that is called INLINE', () => {
    expect(read('mount', mounted)).toMatchObject([
      { node: null, log: 'INLINE', inlineLog: true, readOnly: false },
      { vfs: 'cdrfs', readOnly: true, log: null, inlineLog: null },
      { device: '/pay', mountPoint: '/srv/pay', vfs: 'namefs' },
      {
        node: 'nfsserver.shop.example',
        device: '/export/media',
        date: 'Feb  3 07:06',
        options: ['bg', 'hard', 'intr', 'sec=sys'],
      },
    ]);
    const leftAligned = mounted.replaceAll(/^ +/gm, '');
    expect(read('mount', leftAligned)).toEqual(read('mount', mounted));
  });

  it('lsfs of JFS, of NFS with colons in its options, and of a medium that can be taken out', () => {
    const compact = `#MountPoint:Device:Vfs:Nodename:Type:Size:Options:AutoMount:Acct
/pay:/dev/paylv:jfs:::524288:rw:yes:no
(lv size 524288:fs size 524288:frag size 4096:nbpi 4096:compress no:bf false:ag 8)
/media:/export/media:nfs:nfsserver::--:bg,sec=sys:krb5,hard:no:no
/cdrom:/dev/cd0:cdrfs:::--:ro:no:no
`;
    expect(read('lsfs -cq', compact)).toMatchObject([
      { vfs: 'jfs', details: { 'frag size': '4096', bf: 'false', ag: '8' } },
      {
        nodename: 'nfsserver',
        device: '/export/media',
        blocks512: null,
        options: 'bg,sec=sys:krb5,hard',
        autoMount: false,
      },
      { device: '/dev/cd0', options: 'ro', accounting: false },
    ]);
    const table = `Name            Nodename   Mount Pt               VFS   Size    Options    Auto Accounting
/dev/paylv      --         /pay                   jfs   524288  rw, nosuid yes  no
  (lv size: 524288, fs size: 524288, frag size: 4096, nbpi: 4096, compress: no, bf: false, ag: 8)
/dev/cd0        --         /cdrom                 cdrfs --      --         no   no
`;
    expect(read('lsfs -q', table)).toMatchObject([
      { options: 'rw, nosuid', details: { nbpi: '4096' }, autoMount: true },
      { blocks512: null, options: null, autoMount: false },
    ]);
    expect(() => read('lsfs', table.replace('yes  no', 'yes  maybe'))).toThrow(ParseError);
  });

  it('/etc/filesystems with lost indents, quotas and a line that fills up', () => {
    const text = `*
* @(#)filesystems
*
default:
vol = "AIX"
mount = false
/pay:
dev = /dev/paylv
\tquota\t\t= userquota,groupquota
\tquotafiles = /pay/u:/pay/g
`;
    expect(read('cat /etc/filesystems', text)).toEqual([
      { name: 'default', attributes: { vol: 'AIX', mount: 'false' } },
      {
        name: '/pay',
        attributes: { dev: '/dev/paylv', quota: 'userquota,groupquota', quotafiles: '/pay/u:/pay/g' },
      },
    ]);
  });

  it.each([
    [
      'df -k',
      'Filesystem    1024-blocks      Free %Used    Iused %Iused Mounted on',
      '65536 -12 101% 7 1%',
      { free: -12, usedPercent: 101, inodesUsed: 7 },
    ],
    [
      'df -I',
      'Filesystem    512-blocks      Used      Free %Used Mounted on',
      '65536 40 65496 1%',
      { used: 40, free: 65_496, inodesUsed: null },
    ],
    [
      'df -Pk',
      'Filesystem    1024-blocks      Used Available Capacity Mounted on',
      '65536 40 65496 1%',
      { used: 40, free: 65_496, usedPercent: 1 },
    ],
    [
      'df -m',
      'Filesystem    MB blocks      Free %Used    Iused %Iused Mounted on',
      '64.00 63.96 1% 7 1%',
      { blocks: 64, free: 63.96 },
    ],
    [
      'df -i',
      'Filesystem    512-blocks      Free %Used    Iused    Ifree %Iused Mounted on',
      '65536 65496 1% 7 99 8%',
      { inodesFree: 99, inodesUsedPercent: 8 },
    ],
  ])('%s', (command, heading, cells, row) => {
    const text = `${heading}\n/dev/paylv ${cells} /pay\nnfsserver.shop.example:/export/media\n  ${cells} /media\n`;
    expect(read(command, text)).toMatchObject({
      rows: [
        { fileSystem: '/dev/paylv', ...row },
        { fileSystem: 'nfsserver.shop.example:/export/media', mountPoint: '/media', ...row },
      ],
    });
    expect(() => read(command, `${heading}\nnfsserver.shop.example:/export/media\n`)).toThrow(ParseError);
    expect(() => read(command, text.replace('Mounted on', 'Shared Mounted on'))).toThrow(ParseError);
  });

  it.each(cutOutputs)('%s, cut so that the text contradicts itself', (command, whole, cut) => {
    expect(() => read(command, whole)).not.toThrow();
    expect(() => read(command, cut)).toThrow(ParseError);
  });

  it('odmget and lsfs with an attribute that comes twice, which nobody prints', () => {
    expect(() => read('odmget CuAt', 'CuAt:\n\tname = "paylv"\n\tvalue = "/pay"\n\tvalue = "/other"\n')).toThrow(
      ParseError,
    );
    const heading = '#MountPoint:Device:Vfs:Nodename:Type:Size:Options:AutoMount:Acct';
    const row = '/pay:/dev/paylv:jfs2:::10485760:rw:no:no';
    expect(() => read('lsfs -cq', `${heading}\n${row}\n(lv size 10485760:lv size 5)\n`)).toThrow(ParseError);
  });

  it('getlvcb with its indents and rows of newer levels', () => {
    const text =
      '\t AIX LVCB\n\t intrapolicy = m \n\t copies = 2 \n\t lvname = paylv \n\t DEVSUBTYPE = DS_LVZ \n\t fs = vfs=jfs2:log=INLINE \n';
    expect(read('getlvcb -A -T paylv', text)).toMatchObject({ rows: { DEVSUBTYPE: 'DS_LVZ', copies: '2' } });
  });

  it('lspv with other owners, locks and long identifiers', () => {
    const text = `hdisk0          000104ab11112222                    rootvg          active
hdisk4          000104ab33334444                    payvg           locked
hdisk6          000104ab555566660000000000000000    VeritasVolumes
hdisk7          none                                None            
`;
    const heading = 'NAME             PVID                                 VG               STATUS\n';
    expect(read('lspv', heading + text)).toEqual(read('lspv', text));
    expect(() => read('lspv', heading)).toThrow(ParseError);
    expect(read('lspv (two disks are not ours)', text)).toMatchObject([
      { group: 'rootvg', state: 'active' },
      { group: 'payvg', state: 'locked' },
      { group: 'VeritasVolumes', state: null },
      { identifier: null, group: null, state: null },
    ]);
  });
});

describe('what pasting does', () => {
  const outputs: [command: string, text: string][] = [
    ['lslv paylv', striped433],
    ['lsvg payvg', group433],
    ['lsvg -l payvg', volumes],
    ['lsvg -p payvg', disks],
    ['mount', mounted],
    [
      'lsvg -m payvg',
      'Logical Volume    Copy 1            Copy 2            Copy 3\npaylv             east              west              None\n',
    ],
    ['lsvg -M payvg', 'hdisk4:1-100\nhdisk4:101\tpaylv:1:1\nhdisk4:102\tpaylv:2:1\tstale\n'],
    [
      'lslv -m paylv',
      'paylv:/pay\nLP    PP1  PV1               PP2  PV2               PP3  PV3\n0001  0101 hdisk4            0007 hdiskpower117     \n',
    ],
    [
      'lspv -p hdisk4',
      'hdisk4:\nPP RANGE  STATE   REGION        LV NAME             TYPE       MOUNT POINT\n  1-100   free    outer edge\n101-102   stale   outer middle  paylv               jfs        /pay\n',
    ],
    ['lspv', 'hdisk4          000104ab33334444                    payvg           active\n'],
    ['odmget CuDv', '\nCuDv:\n\tname = "paylv"\n\tstatus = 0\n\tparent = "payvg"\n'],
    [
      'snapshot -q /pay',
      'Snapshots for /pay\nCurrent  Location      512-blocks        Free Time\n*        /dev/paysnap        65536       64768 Mon Nov  9 03:02:11 2026\n',
    ],
    [
      'lqueryvg -Atp hdisk4',
      'Max LVs:        256\nPP Size:        23\nAuto Varyon ?:  0\nConc Autovaryo  0\nLogical:        000104ab7c0de111.4   paylv 2\nPhysical:       000104ab33334444                2   0\nVARYON MODE:    ???????\n',
    ],
    ['lsvg -o', 'payvg\nrootvg\n'],
  ];

  it.each(outputs)(
    '%s: blank lines, blanks at the ends, CR LF, messages and the prompt change nothing',
    (command, text) => {
      const plain = read(command, text);
      const pasted = [
        text.trimEnd(),
        text.replaceAll('\n', '\r\n'),
        text.replaceAll('\n', '  \t\n'),
        `\n${text.replaceAll('\n', '\n\n')}\n`,
        `# ${command}\n${text}`,
        `root@pay1:/ # /usr/sbin/${command}\r\n${text}root@pay1:/ # \n`,
      ];
      for (const variant of pasted) expect(read(command, variant), JSON.stringify(variant)).toEqual(plain);
      const [first, ...rows] = text.split('\n');
      const warned = [
        `0516-1201 lsvg: Warning: Volume group payvg is locked. This command\n        will continue retries until lock is free.\n${text}`,
        `${text}0516-010 : Volume group must be varied on; use varyonvg command.\n`,
        `0516-1734 rmlvcopy: Warning, savebase failed\n${text}`,
        `0516-1201 lsvg: Warning: Volume group payvg is locked. This command \r\n\r\n        will continue retries until lock is free.\r\n\r\n${text}`,
        [first, '0516-1734 rmlvcopy: Warning, savebase failed.', ...rows].join('\n'),
      ];
      for (const variant of warned) {
        // Rows that are indented could be the rest of a message: none of them may be lost.
        if (/^ls/.test(command)) expect(read(command, variant)).toEqual(plain);
        else expect(() => read(command, variant)).toThrow(ParseError);
      }
      expect(() => read(command, `${text}Segmentation fault (coredump)\n`)).toThrow(ParseError);
    },
  );

  it('a message that was torn apart is one', () => {
    const text = '0516-1396 : The physical volume hdisk4, was not found in the  \n\nsystem database.\n';
    expect(read('lspv hdisk4', text)).toMatchObject({
      messages: [{ text: 'The physical volume hdisk4, was not found in the system database.' }],
    });
  });

  it('what a changing command said is told apart from what it asked and what else it printed', () => {
    const text = `0516-1224 chvg: WARNING, once this operation is completed, volume group payvg
        cannot be imported into older versions. Continue (y/n) ?
y
0516-1164 chvg: Volume group payvg changed.  With given characteristics payvg
        can include up to 16 physical volumes with 2032 physical partitions each.
`;
    expect(read('chvg -G payvg', text)).toMatchObject({
      messages: [
        { number: '0516-1224', class: 'question' },
        { number: '0516-1164', class: 'information' },
      ],
      others: ['y'],
    });
    expect(read('rmlv -f paylv', 'rmlv: Logical volume paylv is removed.\n')).toEqual({
      messages: [],
      others: ['rmlv: Logical volume paylv is removed.'],
      questions: [],
    });
  });

  it('a question without a number is one, answered or not', () => {
    const open = 'splitlvcopy: The logical volume paylv is open.';
    const asked = 'Do you wish to continue? y(es) n(o)?';
    for (const question of [asked, `${asked} y`, `rmlv: ${asked}`]) {
      expect(read('splitlvcopy -y paycopy paylv 1', `${open}\n${question} `)).toEqual({
        messages: [],
        others: [open, question],
        questions: [question],
      });
    }
  });

  it('a message about a device is a message', () => {
    expect(read('lsfs -q /pay', 'lsfs: 0506-915 /pay is nowhere to be found.\n')).toMatchObject({
      messages: [{ number: '0506-915', text: '/pay is nowhere to be found.', class: 'unknown' }],
    });
  });

  it.each([
    ['LANG=C lslv paylv', 'lslv NAME'],
    ['LC_ALL=C /usr/sbin/lslv -L -m paylv', 'lslv -m NAME'],
    ['env LANG=C sudo -n /usr/sbin/lslv -mL paylv', 'lslv -m NAME'],
    ['# lsvg -l payvg', 'lsvg -l NAME'],
    ['root@pay1:/home/root # lspv', 'lspv'],
    ['$ lsvg -o 2>&1', 'lsvg -o'],
    ['lspv hdisk4 2>/dev/null', 'lspv NAME'],
    ['lsvg -l payvg | more', 'lsvg -l NAME'],
    ['lsvg -p payvg (one disk is missing)', 'lsvg -p NAME'],
    ['lsfs -q -c /pay', 'lsfs -c'],
    ['lsfs -v jfs2', 'lsfs'],
    ['more /etc/filesystems', 'filesystems'],
    ['grep -p /pay /etc/filesystems', 'filesystems'],
    ['/etc/filesystems (part)', 'filesystems'],
    ['getlvcb -TA paylv', 'getlvcb -AT NAME'],
    ['lqueryvg -p hdisk4 -At', 'lqueryvg -Apt NAME'],
    ['odmget -q "name=paylv AND attribute like (x)" CuAt', 'odmget'],
  ])('%s is %s', (command, query) => {
    expect(queryOf(command)).toBe(query);
    expect(readerOf(command)).toBeTypeOf('function');
  });

  it.each([
    'lsvg -o | lsvg -il',
    'lsvg -l payvg | grep stale',
    'lsvg -l payvg rootvg',
    'snapshot -q -c /pay',
    'constructor',
    'sudo',
  ])('%s has no reader', (command) => {
    expect(readerOf(command)).toBeUndefined();
  });
});
