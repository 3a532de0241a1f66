import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ParseError } from '@splitmirror/host';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as lvm from '../src/index.ts';
import { printMap, printVolume, shopModel } from './model.ts';

const fixtures = join(import.meta.dirname, 'fixtures');

function fixture(name: string): string {
  return readFileSync(join(fixtures, `${name}.txt`), 'utf8')
    .split('\n')
    .slice(2)
    .join('\n');
}

/** The reader of each fixture. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  'lslv-three-copies-superstrict': lvm.parseLogicalVolume,
  'lslv-varied-off': lvm.parseLogicalVolume,
  'lslv-m-ragged': lvm.parseVolumeMap,
  'lslv-l-two-disks': lvm.parseVolumeDisks,
  'lsvg-passive': lvm.parseVolumeGroup,
  'lsvg-p-missing': lvm.parseGroupDisks,
  'lsvg-m-pools': lvm.parseVolumePools,
  'lsvg-names': lvm.parseGroupNames,
  'lsvg-M-titled': lvm.parsePartitionMap,
  'lspv-list': lvm.parseDisks,
  'lspv-p-vgda': lvm.parseDiskRanges,
  'lsmp-modes': lvm.parseMirrorPools,
  'lsfs-table': lvm.parseFileSystemTable,
  filesystems: lvm.parseStanzas,
  'df-gigabytes': lvm.parseFreeSpace,
  getlvcb: lvm.parseControlBlock,
  lqueryvg: lvm.parseDescriptorArea,
  'odmget-cuat': lvm.parseOdmObjects,
};

/** Lines that no command prints among its own. */
const strangers = [
  'Warning: physical volume hdisk3 is missing',
  '0516-1201 lsvg: Warning: Volume group shopvg is locked. This command will continue retries.',
  'zzz unexpected',
  'x: y',
  'x = y',
];

describe('readers', () => {
  it('have a fixture each', () => {
    expect(Object.keys(readers).sort()).toEqual(
      readdirSync(fixtures)
        .map((name) => name.replace(/\.txt$/, ''))
        .sort(),
    );
  });

  it('parseLogicalVolume tells super strict pools, and values after a mount point that fills its column', () => {
    expect(lvm.parseLogicalVolume(fixture('lslv-three-copies-superstrict'))).toMatchObject({
      open: true,
      stale: true,
      copies: 3,
      logicalPartitions: 600,
      physicalPartitions: 1800,
      stalePartitions: 1,
      partitionMegabytes: 256,
      schedulePolicy: 'parallel/round robin',
      intraPolicy: 'inner middle',
      mountPoint: '/shop/shipping/archive/2026',
      label: '/shop/shipping/archive/2026',
      separateDisks: 'yes (superstrict)',
      mirrorWriteConsistency: 'on/PASSIVE',
      preferredRead: 2,
      mirrorPools: ['east', 'west', 'north'],
    });
  });

  it('parseLogicalVolume tells unknown from nought', () => {
    expect(lvm.parseLogicalVolume(fixture('lslv-varied-off'))).toMatchObject({
      open: null,
      stale: null,
      copies: 2,
      logicalPartitions: null,
      stalePartitions: null,
      mountPoint: '/old',
      mirrorPools: [],
      encryption: null,
    });
  });

  it('parseVolumeMap keeps ragged rows', () => {
    const { partitions } = lvm.parseVolumeMap(fixture('lslv-m-ragged'));
    expect(partitions.map((row) => row.length)).toEqual([3, 2, 1, 2]);
    expect(partitions[0]?.[2]).toEqual({ disk: '00f6a1b2c0ffee01', number: 7 });
    expect(partitions[3]?.[1]).toEqual({ disk: 'hdisk3', number: 10_104 });
  });

  it('parseVolumeDisks reads the colons', () => {
    expect(lvm.parseVolumeDisks(fixture('lslv-l-two-disks'))).toEqual({
      name: 'shiplv',
      mountPoint: null,
      disks: [
        { disk: 'hdisk2', copies: [600, 0, 0], inBandPercent: 76, distribution: [144, 456, 0, 0, 0] },
        { disk: 'hdisk3', copies: [600, 600, 0], inBandPercent: 0, distribution: [0, 0, 0, 0, 1200] },
      ],
    });
  });

  it('parseVolumeGroup does not take a standby node for the owner', () => {
    expect(lvm.parseVolumeGroup(fixture('lsvg-passive'))).toMatchObject({
      state: 'active',
      permission: 'passive-only',
      mode: 'Concurrent',
      nodeId: 2,
      activeNodes: [1, 3],
      quorumEnabled: false,
      type: 'big',
      maxPartitionsPerDisk: 1016,
      encryption: null,
      snapshotRelation: null,
    });
  });

  it('parseGroupDisks knows states of two words', () => {
    expect(lvm.parseGroupDisks(fixture('lsvg-p-missing')).disks.map(({ name, state }) => [name, state])).toEqual([
      ['hdisk2', 'active'],
      ['EMC_0DEF_a', 'missing'],
      ['hdisk9', 'varied off'],
    ]);
  });

  it('parsePartitionMap tells free, stale and unmirrored partitions', () => {
    const used = { kind: 'used', disk: 'hdisk2', volume: 'shiplv', copy: 1, mirrored: true, stale: false };
    expect(lvm.parsePartitionMap(fixture('lsvg-M-titled'))).toEqual([
      { kind: 'free', disk: 'hdisk2', first: 1, last: 100 },
      { ...used, physical: 101, logical: 1 },
      { ...used, physical: 102, logical: 2, stale: true },
      { ...used, physical: 103, volume: 'loglv00', logical: 1, mirrored: false },
      { kind: 'free', disk: 'hdisk2', first: 104, last: 104 },
    ]);
  });

  it('parseVolumePools, parseGroupNames and parseMirrorPools read words', () => {
    expect(lvm.parseVolumePools(fixture('lsvg-m-pools'))[1]).toEqual({
      volume: 'queuelv',
      pools: ['east', 'west', null],
    });
    expect(lvm.parseGroupNames(fixture('lsvg-names'))).toEqual(['shopvg', 'rootvg']);
    expect(lvm.parseMirrorPools(fixture('lsmp-modes'))).toMatchObject({
      group: 'shopvg',
      superStrict: false,
      pools: [
        { name: 'east', mode: 'SYNC' },
        { name: 'west', mode: 'ASYNC' },
      ],
    });
  });

  it('parseDisks and parseDiskRanges tell nothing from something', () => {
    expect(
      lvm.parseDisks(fixture('lspv-list')).map(({ identifier, group, state }) => [identifier, group, state]),
    ).toEqual([
      ['00f6a1b2aaaa0001', 'rootvg', 'active'],
      ['00f6a1b2aaaa0002', 'shopvg', 'concurrent'],
      [null, null, null],
      ['00f6a1b2aaaa0005', 'oldvg', null],
    ]);
    const { rows } = lvm.parseDiskRanges(fixture('lspv-p-vgda'));
    expect(rows.map(({ state, region }) => `${state} ${region}`)).toEqual([
      'vgda outer edge',
      'used outer middle',
      'stale center',
      'free inner middle',
      'free inner edge',
    ]);
    expect(rows[2]?.volume).toEqual({ name: 'queuelv', type: 'raw', mountPoint: null });
  });

  it('parseFileSystemTable and parseFileSystems read the same details', () => {
    const [local, remote] = lvm.parseFileSystemTable(fixture('lsfs-table'));
    expect(local).toMatchObject({ device: '/dev/shiplv', blocks512: 2_516_582_400, autoMount: false });
    expect(local?.details).toMatchObject({ 'inline log': 'yes', 'inline log size': '256', MountGuard: 'yes' });
    expect(remote).toMatchObject({ nodename: 'nimhost', vfs: 'nfs', blocks512: null, details: null });
    const compact = `#MountPoint:Device:Vfs:Nodename:Type:Size:Options:AutoMount:Acct
/shop/shipping:/dev/shiplv:jfs2:::2516582400:rw:no:no
(lv size 2516582400:fs size 2516582400:block size 4096:sparse files yes:inline log yes:inline log size 256:EAformat v1:Quota no:DMAPI no:VIX yes:EFS no:ISNAPSHOT no:MAXEXT 0:MountGuard yes)
`;
    expect(lvm.parseFileSystems(compact)).toEqual([local]);
  });

  it('parseStanzas knows comments, quotation marks and empty values', () => {
    expect(lvm.parseStanzas(fixture('filesystems'))).toEqual([
      { name: 'default', attributes: { vol: 'AIX' } },
      {
        name: '/shop/shipping',
        attributes: {
          dev: '/dev/shiplv',
          vfs: 'jfs2',
          log: 'INLINE',
          mount: 'false',
          options: 'rw,nosuid',
          account: 'false',
        },
      },
      { name: '/media', attributes: { dev: '/export/media', nodename: '' } },
    ]);
  });

  it('parseFreeSpace names the unit', () => {
    const { unit, rows } = lvm.parseFreeSpace(fixture('df-gigabytes'));
    expect(unit).toBe('GB blocks');
    expect(rows).toMatchObject([
      { blocks: 1.5, free: 0.88, usedPercent: 42 },
      { blocks: null, mountPoint: '/proc' },
    ]);
  });

  it('parseControlBlock, parseDescriptorArea and parseOdmObjects read what LVM stores', () => {
    expect(lvm.parseControlBlock(fixture('getlvcb'))).toMatchObject({
      tag: 'AIX LVCB',
      rows: { copies: '3', 'time created': 'Sun Nov 22 09:14:03 2026' },
      stanza: { vfs: 'jfs2', log: 'INLINE', options: 'rw', account: 'false' },
    });
    expect(lvm.parseDescriptorArea(fixture('lqueryvg'))).toMatchObject({
      counts: { 'MAX PPs per PV': '1016', 'Conc Autovaryo': '0', 'VG Type': '1' },
      partitionBytes: 256 * 2 ** 20,
      volumes: [
        { name: 'loglv00', copies: 2 },
        { identifier: '00f6a1b200004c000000018a1b2c3d4e.12', copies: 3 },
      ],
      disks: [
        { descriptors: 2, state: 0 },
        { identifier: '00f6a1b2aaaa0003', descriptors: 1 },
      ],
    });
    expect(lvm.parseOdmObjects(fixture('odmget-cuat'))).toMatchObject([
      { class: 'CuAt', attributes: { name: 'shiplv', value: '/shop/shipping "new"', nls_index: 640 } },
    ]);
  });

  it.each(Object.entries(readers))(
    '%s: whatever is done to the text, nothing but ParseError is thrown',
    (name, read) => {
      const whole = fixture(name);
      const place = fc.nat(whole.length);
      const piece = fc.oneof(
        fc.constantFrom('', ' ', '\n', ':', ': ', '?', '-', '(', '0', '99', 'None', '\t', '\r\n'),
        fc.string({ maxLength: 6 }),
      );
      const mutated = fc
        .array(fc.tuple(place, fc.nat(40), piece), { minLength: 1, maxLength: 4 })
        .map((edits) =>
          edits.reduce((text, [at, length, put]) => text.slice(0, at) + put + text.slice(at + length), whole),
        );
      fc.assert(
        fc.property(fc.oneof(mutated, fc.string({ maxLength: 200 })), (text) => {
          try {
            read(text);
          } catch (error) {
            if (!(error instanceof ParseError)) throw error;
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  it.each(Object.entries(readers))('%s: a line that does not belong there is refused or told', (name, read) => {
    const lines = fixture(name).trimEnd().split('\n');
    const whole = JSON.stringify(read(`${lines.join('\n')}\n`));
    const passed = lines.flatMap((_, at) =>
      strangers.filter((stranger) => {
        try {
          return JSON.stringify(read(`${lines.toSpliced(at + 1, 0, stranger).join('\n')}\n`)) === whole;
        } catch {
          return false;
        }
      }),
    );
    expect(passed).toEqual([]);
  });

  it.each(['Warning: physical volume hdisk3 is missing', 'ERROR: cannot read', 'lsvg: retrying'])(
    'do not take %j for a row',
    (line) => {
      for (const [name, read] of [
        ['lsvg-passive', lvm.parseVolumeGroup],
        ['lslv-three-copies-superstrict', lvm.parseLogicalVolume],
        ['lsmp-modes', lvm.parseMirrorPools],
      ] as const)
        expect(() => read(`${fixture(name)}${line}\n`)).toThrow(ParseError);
    },
  );

  it.each(['hdisk4:1-100\nhdisk4:101\t', 'hdisk4:1-100\nhdisk4:101 ', 'hdisk4:28-6\n', 'hdisk4:28-6'])(
    'parsePartitionMap does not take %j for free partitions',
    (text) => {
      expect(() => lvm.parsePartitionMap(text)).toThrow(ParseError);
    },
  );

  it('keep rows of levels to come', () => {
    const row = 'NEW POLICY:         strict\n';
    const otherRows = { 'NEW POLICY': 'strict' };
    expect(lvm.parseVolumeGroup(fixture('lsvg-passive') + row)).toMatchObject({ otherRows });
    expect(lvm.parseLogicalVolume(fixture('lslv-three-copies-superstrict') + row)).toMatchObject({ otherRows });
    expect(lvm.parseMirrorPools(fixture('lsmp-modes') + row).pools.at(-1)).toMatchObject({ otherRows });
  });

  it.each([
    ['STALE PPs:      0', 'STALE PPs:      0 of 7'],
    ['LVs:                3 ', 'LVs:                3 or so '],
    ['Active Nodes:       1 3', 'Active Nodes:       1 node3'],
  ])('do not take %j for a number when it says %j', (from, to) => {
    const text = fixture('lsvg-passive');
    expect(text).toContain(from);
    expect(() => lvm.parseVolumeGroup(text.replace(from, to))).toThrow(ParseError);
  });

  it('keep what is called as JavaScript calls things of its own', () => {
    const own = (value: unknown) => Object.getOwnPropertyDescriptor(value, '__proto__')?.value;
    expect(own(lvm.parseStanzas('/pay:\n\t__proto__ = x\n')[0]?.attributes)).toBe('x');
    expect(own(lvm.parseOdmObjects('CuAt:\n\t__proto__ = "x"\n')[0]?.attributes)).toBe('x');
    expect(own(lvm.parseDescriptorArea('__proto__:   x\n').counts)).toBe('x');
  });

  it('take linear time over many characters of any kind', () => {
    for (const filler of [' ', 'a', ':', ': ', '(', '\t', '0', 'x ', 'PPs: ', '-', '"', '=', 'a: 1\n', '/']) {
      const text = filler.repeat(200_000 / filler.length);
      for (const [name, read] of Object.entries(readers)) {
        for (const input of [text, fixture(name) + text]) {
          const started = process.cpuUsage();
          try {
            read(input);
          } catch (error) {
            expect(error).toBeInstanceOf(ParseError);
          }
          expect(process.cpuUsage(started).user, `${name} over ${JSON.stringify(filler)}`).toBeLessThan(5e6);
        }
      }
    }
  });

  it('never take a cut description of a volume for a whole one', () => {
    const model = shopModel();
    const group = model.groups[0] ?? expect.unreachable('no group');
    const whole = printVolume(model, group, group.volumes[0] ?? expect.unreachable('no volume'));
    const decided = whole.indexOf('PV ?: yes') + 'PV ?: yes'.length;
    for (let length = 0; length < decided; length++) {
      expect(() => lvm.parseLogicalVolume(whole.slice(0, length)), whole.slice(-20)).toThrow(ParseError);
    }
  });

  it('read back what the model prints', () => {
    const model = shopModel();
    const group = model.groups[0] ?? expect.unreachable('no group');
    const used = lvm.parsePartitionMap(printMap(group)).flatMap((row) => (row.kind === 'used' ? [row] : []));
    for (const volume of group.volumes) {
      expect(used.filter((row) => row.volume === volume.name && row.copy === 1).map((row) => row.physical)).toEqual(
        volume.map.map(([first]) => first?.pp),
      );
    }
  });
});

describe('splitMessages', () => {
  it('joins wrapped lines and leaves the rest', () => {
    expect(
      lvm.splitMessages(`0516-1201 lsvg: Warning: Volume group shopvg is locked. This command
        will continue retries until lock is free.
0516-1396 : The physical volume hdisk7, was not found in the
system database.
hdisk2:
0516-404 allocp: This system cannot fulfill the allocation request.
\tThere are not enough free partitions.`),
    ).toEqual({
      messages: [
        {
          number: '0516-1201',
          command: 'lsvg',
          class: 'locked',
          text: 'Warning: Volume group shopvg is locked. This command will continue retries until lock is free.',
        },
        {
          number: '0516-1396',
          command: null,
          class: 'not-found',
          text: 'The physical volume hdisk7, was not found in the system database.',
        },
        {
          number: '0516-404',
          command: 'allocp',
          class: 'no-room',
          text: 'This system cannot fulfill the allocation request. There are not enough free partitions.',
        },
      ],
      rest: 'hdisk2:',
    });
  });

  it('does not take success for failure, nor an unknown number for either', () => {
    const classOf = (text: string) => lvm.splitMessages(text).messages[0]?.class;
    expect(classOf('0516-1804 chvg: The quorum change takes effect immediately.')).toBe('information');
    expect(classOf('0516-9999 chvg: Something new.')).toBe('unknown');
    expect(classOf('fsck: 0507-278 Cannot continue.')).toBe('failure');
    expect(classOf('splitlvcopy: no numbers at all')).toBeUndefined();
  });

  it('believes the words where the number promises more than they do', () => {
    const classOf = (text: string) => lvm.splitMessages(text).messages[0]?.class;
    expect(classOf('0516-1126 mirrorvg: rootvg could NOT be mirrored, disk failed.')).toBe('unknown');
    expect(classOf('0516-1164 chvg: Unable to change volume group datavg.')).toBe('unknown');
    expect(classOf('0516-1126 mirrorvg: rootvg successfully mirrored, user should perform bosboot.')).toBe(
      'information',
    );
    expect(classOf('0516-320 lspv: Physical volume hdisk4 is not assigned to\n\ta volume group.')).toBe('information');
    expect(classOf('0516-1147 lslv: Warning - logical volume datalv may be partially mirrored.')).toBe('warning');
  });

  it('knows a command by its path', () => {
    const text = `0516-934 /usr/sbin/syncvg: Unable to synchronize logical volume datalv.
0516-932 /usr/sbin/syncvg: Unable to synchronize volume group datavg.`;
    expect(lvm.splitMessages(text)).toEqual({
      messages: [
        {
          number: '0516-934',
          command: '/usr/sbin/syncvg',
          class: 'failure',
          text: 'Unable to synchronize logical volume datalv.',
        },
        {
          number: '0516-932',
          command: '/usr/sbin/syncvg',
          class: 'failure',
          text: 'Unable to synchronize volume group datavg.',
        },
      ],
      rest: '',
    });
  });
});
