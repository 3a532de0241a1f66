import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStorage, type Storage } from '@splitmirror/lab';
import fc from 'fast-check';
import { afterAll, beforeEach, expect, it } from 'vitest';
import {
  aixMirror,
  parseControlBlock,
  parseDescriptorArea,
  parseDisk,
  parseDiskRanges,
  parseDisks,
  parseDiskVolumes,
  parseFileSystems,
  parseFileSystemTable,
  parseGroupDisks,
  parseLogicalVolume,
  parseMounts,
  parsePartitionMap,
  parseStanzas,
  parseVolumeDisks,
  parseVolumeGroup,
  parseVolumeMap,
  parseVolumePools,
  parseVolumes,
} from '../src/index.ts';
import { type Keyboard, keyboardOf } from './matrix/node.ts';
import { scriptHost } from './matrix/script.ts';

/*
 * parse(print(model)) = model: volume groups by chance, printed by the lab in the dialect of its level, and read by this
 * package. What the model holds is asked of the lab's own inspection, which prints nothing.
 */

const node = 'ada';
const group = 'randvg';
const diskNames = ['hdisk2', 'hdiskpower12', 'EMC_3451_0DEF', 'hdisk117'];
const levels = { '5300-12': '5.3', '6100-09': '6.1', '7100-05': '7.1', '7200-05': '7.2', '7300-01': '7.3' } as const;

const volume = fc.record({
  name: fc.stringMatching(/^[a-z][a-z0-9_]{0,12}lv$/),
  type: fc.constantFrom('jfs2', 'jfs2', 'raw', 'jfs', 'paging', 'sysdump'),
  rows: fc.integer({ min: 1, max: 5 }),
  copies: fc.integer({ min: 1, max: 3 }),
  mounted: fc.boolean(),
  depth: fc.integer({ min: 1, max: 3 }),
});
const model = fc.record({
  level: fc.constantFrom(...(Object.keys(levels) as (keyof typeof levels)[])),
  kind: fc.constantFrom('', '-B ', '-S '),
  megabytes: fc.constantFrom(1, 2, 4),
  disks: fc.integer({ min: 1, max: diskNames.length }),
  volumes: fc.uniqueArray(volume, { selector: ({ name }) => name, minLength: 1, maxLength: 5 }),
  // What may have happened since.
  ragged: fc.option(fc.nat(4), { nil: undefined }),
  failed: fc.boolean(),
  split: fc.boolean(),
  strict: fc.constantFrom('', '-s n ', '-s s '),
});
type Model = typeof model extends fc.Arbitrary<infer T> ? T : never;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'splitmirror-dialects-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Builds it with the commands of AIX; what AIX refuses is not there. */
async function build(wish: Model): Promise<{ storage: Storage; type: Keyboard }> {
  rmSync(directory, { recursive: true, force: true });
  const storage = createStorage({
    directory,
    nodes: [node],
    disks: diskNames.map((name) => ({ name, megabytes: 64 })),
    level: levels[wish.level],
    resyncPerSecond: 1e6,
  });
  const type = keyboardOf(storage, wish.level);
  const run = (line: string) => type(node, line.split(' '));
  const disks = diskNames.slice(0, wish.disks);
  await run(`mkvg -y ${group} ${wish.kind}-s ${wish.megabytes} ${disks.join(' ')}`);
  for (const { name, type: kind, rows, copies, mounted, depth } of wish.volumes) {
    await run(`mklv -y ${name} -t ${kind} -c ${Math.min(copies, disks.length)} ${wish.strict}${group} ${rows}`);
    if (!kind.startsWith('jfs')) continue;
    const mountPoint = `/${'shop/'.repeat(depth)}${name}`;
    await run(`crfs -v ${kind} -d ${name} -m ${mountPoint} -A no -p rw${kind === 'jfs2' ? ' -a logname=INLINE' : ''}`);
    if (mounted) await run(`mount ${mountPoint}`);
  }
  const [first] = wish.volumes;
  if (wish.ragged !== undefined) {
    storage.interrupt('rmlvcopy', wish.ragged);
    await run(`rmlvcopy ${first?.name} 1`);
  }
  if (wish.split)
    await run(`chlvcopy -b -P -l splitcopy00 ${wish.volumes.find(({ type: kind }) => kind === 'raw')?.name}`);
  if (wish.failed && disks.length > 2) {
    storage.failDisk(disks[0] ?? '');
    for (const { name, type: kind } of wish.volumes) {
      try {
        if (kind === 'raw') storage.writeRaw(node, name, 8192, Buffer.from('late'));
      } catch {
        // All its copies were there.
      }
    }
  }
  return { storage, type };
}

/** What the model holds, as far as commands tell it. */
function truth(storage: Storage) {
  const { groups, mounts } = storage.inspect();
  const found = groups.find(({ name }) => name === group) ?? expect.unreachable('no group');
  const child = (name: string) => name === 'splitcopy00';
  const volumes = found.volumes.map((each) => ({
    ...each,
    physical: child(each.name) ? 0 : each.map.flat().length,
    logical: child(each.name) ? 0 : each.map.length,
  }));
  return { id: found.id, volumes, mounts: mounts[node] ?? [] };
}

it('reads of every random group what the lab holds, at every level', async () => {
  let seen = 0;
  await fc.assert(
    fc.asyncProperty(model, async (wish) => {
      const { storage, type } = await build(wish);
      const say = async (line: string) => {
        const { code, stdout, stderr } = await type(node, line.split(' '));
        expect(code, `${line}: ${stderr}`).toBe(0);
        return stdout;
      };
      const { id, volumes, mounts } = truth(storage);
      const own = volumes.filter(({ logical }) => logical > 0);
      const perDisk = (wish.disks > 0 ? 64 : 0) / wish.megabytes;
      const used = own.reduce((sum, { physical }) => sum + physical, 0);
      const stale = volumes.reduce((sum, each) => sum + each.stale, 0);
      seen += volumes.length;

      expect(parseVolumeGroup(await say(`lsvg ${group}`))).toMatchObject({
        name: group,
        identifier: id,
        state: 'active',
        permission: 'read/write',
        partitionMegabytes: wish.megabytes,
        totalPartitions: perDisk * wish.disks,
        freePartitions: perDisk * wish.disks - used,
        usedPartitions: used,
        volumes: volumes.length,
        openVolumes: volumes.filter(({ openOn }) => openOn.length > 0).length,
        totalDisks: wish.disks,
        stalePartitions: stale,
        type: wish.kind === '-B ' ? 'big' : wish.kind === '-S ' ? 'scalable' : 'normal',
        snapshotRelation: null,
      });

      const rows = parseVolumes(await say(`lsvg -l ${group}`));
      expect(rows.group).toBe(group);
      expect(rows.volumes.map((row) => [row.name, row.type, row.logicalPartitions, row.physicalPartitions])).toEqual(
        volumes.map((each) => [each.name, each.type, each.logical, each.physical]),
      );
      for (const row of rows.volumes) {
        const each = volumes.find(({ name }) => name === row.name);
        if (each === undefined || each.logical === 0) continue;
        expect(row.stale).toBe(each.stale > 0);
        expect(row.open).toBe(each.openOn.length > 0);
        expect(row.disks).toBe(new Set(each.map.flat().map((place) => place.split(':')[0])).size);
        expect(row.mountPoint).toBe(each.label.startsWith('/') ? each.label : null);
      }

      const mapped = parsePartitionMap(await say(`lsvg -M ${group}`));
      const places = mapped.flatMap((part) =>
        part.kind === 'used' ? [`${part.volume}:${part.logical}:${part.copy} ${part.disk}:${part.physical}`] : [],
      );
      const expected = own.flatMap(({ name, map }) =>
        map.flatMap((row, lp) => row.map((place, copy) => `${name}:${lp + 1}:${copy + 1} ${place}`)),
      );
      expect(places.toSorted()).toEqual(expected.toSorted());
      expect(mapped.filter((part) => part.kind === 'used' && part.stale).length).toBe(stale);
      const free = mapped.reduce((sum, part) => sum + (part.kind === 'free' ? part.last - part.first + 1 : 0), 0);
      expect(free).toBe(perDisk * wish.disks - used);

      const { disks } = parseGroupDisks(await say(`lsvg -p ${group}`));
      expect(disks.map(({ name }) => name)).toEqual(diskNames.slice(0, wish.disks));
      const listed = parseDisks(await say('lspv'));
      for (const disk of disks) {
        const mine = own.flatMap(({ map }) => map.flat()).filter((place) => place.startsWith(`${disk.name}:`)).length;
        expect(disk.totalPartitions - disk.freePartitions).toBe(mine);
        expect(disk.freeDistribution.reduce((sum, count) => sum + count, 0)).toBe(disk.freePartitions);
        expect(listed.find(({ name }) => name === disk.name)?.group).toBe(group);
        expect(parseDisk(await say(`lspv ${disk.name}`))).toMatchObject({ name: disk.name, usedPartitions: mine });
        const there = parseDiskVolumes(await say(`lspv -l ${disk.name}`)).rows;
        expect(there.reduce((sum, row) => sum + row.physicalPartitions, 0)).toBe(mine);
        const ranges = parseDiskRanges(await say(`lspv -p ${disk.name}`)).rows;
        const filled = ranges.reduce((sum, { first, last, volume: held }) => sum + (held ? last - first + 1 : 0), 0);
        expect(filled).toBe(mine);
        const area = parseDescriptorArea(await say(`lqueryvg -Atp ${disk.name}`));
        expect(area.volumes.map(({ name, copies }) => [name, copies])).toEqual(
          volumes.map(({ name, copies }) => [name, copies]),
        );
      }

      for (const each of own) {
        expect(parseLogicalVolume(await say(`lslv ${each.name}`))).toMatchObject({
          name: each.name,
          group,
          type: each.type,
          copies: each.copies,
          logicalPartitions: each.logical,
          physicalPartitions: each.physical,
          stalePartitions: each.stale,
          open: each.openOn.length > 0,
          label: each.label === '' ? null : each.label,
          partitionMegabytes: wish.megabytes,
        });
        const map = parseVolumeMap(await say(`lslv -m ${each.name}`)).partitions;
        expect(map.map((row) => row.map(({ disk, number }) => `${disk}:${number}`))).toEqual(each.map);
        const spread = parseVolumeDisks(await say(`lslv -l ${each.name}`)).disks;
        const onDisks = spread.flatMap(({ distribution }) => distribution).reduce((sum, count) => sum + count, 0);
        expect(onDisks).toBe(each.physical);
        const block = await type(node, ['getlvcb', '-AT', each.name]);
        if (block.code === 0) expect(parseControlBlock(block.stdout).rows.lvname).toBe(each.name);
      }
      if (wish.level >= '6100') {
        const pools = parseVolumePools(await say(`lsvg -m ${group}`));
        expect(pools.map((row) => row.volume)).toEqual(volumes.map(({ name }) => name));
      }

      const table = parseMounts(await say('mount')).filter(({ mountPoint }) => mountPoint.startsWith('/shop'));
      expect(table.map(({ device, mountPoint, readOnly }) => ({ device, mountPoint, readOnly }))).toEqual(
        mounts.map(({ device, mountPoint, readOnly }) => ({ device, mountPoint, readOnly })),
      );
      const stanzas = parseStanzas(readFileSync(storage.realPath(node, '/etc/filesystems'), 'utf8'));
      const configured = stanzas.map(({ name, attributes }) => [name, attributes.dev]);
      for (const form of ['-c', '-cq']) {
        const list = parseFileSystems(await say(`lsfs ${form}`));
        expect(list.map(({ mountPoint, device }) => [mountPoint, device])).toEqual(configured);
      }
      expect(parseFileSystemTable(await say('lsfs -q')).map((each) => [each.mountPoint, each.device])).toEqual(
        configured,
      );

      const host = scriptHost(node, type, {});
      const mirror = aixMirror({ hosts: new Map([[node, host]]) });
      const picture = await mirror.look(node, { volumeGroups: [group], fileSystems: 'ALL' });
      const [view] = picture.groups;
      if (view?.kind !== 'active') return expect.unreachable('the group is not active');
      for (const each of own) {
        const viewed = view.volumes.find(({ name }) => name === each.name);
        expect(viewed).toMatchObject({ copies: each.copies, stalePartitions: each.stale, type: each.type });
        const copies = [0, 1, 2].flatMap((copy) => {
          const partitions = each.map.filter((row) => row[copy] !== undefined);
          if (partitions.length === 0) return [];
          const names = new Set(partitions.map((row) => row[copy]?.split(':')[0] ?? ''));
          return [{ copy: copy + 1, partitions: partitions.length, disks: [...names].sort() }];
        });
        expect(viewed?.map.map(({ copy, partitions, disks: on }) => ({ copy, partitions, disks: on }))).toEqual(copies);
      }
      expect(picture.stalePartitions).toBe(stale);
    }),
    { numRuns: 40 },
  );
  expect(seen).toBeGreaterThan(40);
}, 120_000);
