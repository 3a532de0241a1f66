import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStorage } from '@splitmirror/lab';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { aixMirror, type SplitRequest, type StrategyName } from '../src/index.ts';
import { keyboardOf } from './matrix/node.ts';
import { scriptHost } from './matrix/script.ts';

/* Random volume groups on the lab's storage: what the planner lets through, AIX's rules let through too. */

const exhaustive = process.env.SPLITMIRROR_EXHAUSTIVE === '1';
const node = 'ada';
const contents = { volumeGroups: ['shopvg'], fileSystems: 'ALL' } as const;
const disks = ['hdisk2', 'hdisk3', 'hdisk4'];

interface Volume {
  readonly type: 'jfs2' | 'jfs' | 'raw' | 'paging';
  readonly copies: number;
  readonly order: readonly string[];
  readonly mounted: boolean;
  readonly log: 'inline' | 'external';
  /** The last copy was never synchronised. */
  readonly stale: boolean;
  readonly asked: boolean;
}

interface Group {
  readonly kind: 'standard' | 'enhanced concurrent';
  readonly level: string;
  readonly logCopies: number;
  readonly volumes: readonly Volume[];
  readonly strategy: StrategyName | undefined;
  readonly suspends: boolean;
  /** Somebody else has split a copy off a volume. */
  readonly foreignSplit: boolean;
}

function mostly<T>(usual: readonly T[], ...odd: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
}

const aligned = fc.constant(disks);
const volume: fc.Arbitrary<Volume> = fc.record({
  type: mostly<Volume['type']>(['jfs2', 'jfs2', 'raw', 'jfs'], 'paging'),
  copies: mostly([2, 3], 1),
  order: fc.oneof(
    { weight: 4, arbitrary: aligned },
    { weight: 1, arbitrary: fc.shuffledSubarray(disks, { minLength: 3, maxLength: 3 }) },
  ),
  mounted: mostly([true], false),
  log: mostly<Volume['log']>(['inline'], 'external'),
  stale: mostly([false], true),
  asked: mostly([true], false),
});
const strategyNames: readonly StrategyName[] = [
  'map-split',
  'splitlvcopy',
  'splitcopy',
  'chlvcopy',
  'splitvg',
  'snapshot',
];
const kinds: Readonly<Partial<Record<StrategyName, Volume['type']>>> = {
  splitcopy: 'jfs',
  chlvcopy: 'raw',
  snapshot: 'jfs2',
  splitvg: 'jfs2',
  'map-split': 'jfs2',
};
const group: fc.Arbitrary<Group> = fc
  .record({
    kind: fc.constantFrom<Group['kind']>('standard', 'enhanced concurrent'),
    level: fc.constantFrom('5300-12', '6100-09', '7100-05', '7200-05', '7300-02'),
    logCopies: mostly([2], 1),
    volumes: fc.array(volume, { minLength: 1, maxLength: 3 }),
    strategy: fc.option(fc.constantFrom(...strategyNames), { nil: undefined }),
    suspends: mostly([true], false),
    foreignSplit: mostly([false], true),
  })
  // With a strategy most volumes are of its kind: others never get as far as a split.
  .map((wish) => {
    const type = wish.strategy && kinds[wish.strategy];
    const volumes = wish.volumes.map((each) =>
      type === undefined || each.type === 'paging' ? each : { ...each, type },
    );
    if (wish.strategy !== 'splitvg') return { ...wish, volumes };
    return { ...wish, volumes: volumes.map((each) => ({ ...each, copies: 2, order: disks, asked: true })) };
  });

async function withGroup<T>(wish: Group, use: (bench: Awaited<ReturnType<typeof build>>) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'splitmirror-random-'));
  try {
    return await use(await build(wish, directory));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function build(wish: Group, directory: string) {
  const storage = createStorage({
    directory,
    nodes: [node],
    disks: disks.map((name) => ({ name, megabytes: 32 })),
    level: `${wish.level[0]}.${wish.level[1]}`,
    now: () => new Date(Date.UTC(2026, 10, 21, 23, 1)),
    timers: {
      after(ms, callback) {
        if (ms < 1000) queueMicrotask(callback);
        return () => {};
      },
    },
    resyncPerSecond: 1_000_000,
  });
  const type = keyboardOf(storage, wish.level);
  const on = async (line: string, stdin = '') => {
    const { code, stdout, stderr } = await type(node, line.split(' '), stdin);
    if (code !== 0) throw new Error(`${line}: ${code} ${stdout}${stderr}`);
  };
  const concurrent = wish.kind === 'enhanced concurrent';
  await on(`mkvg -y shopvg -s 1 -n ${concurrent ? '-C ' : ''}${disks.join(' ')}`);
  if (concurrent) await on('varyonvg -n -c -A shopvg');
  for (const vfs of ['jfs', 'jfs2'] as const) {
    const needed = wish.volumes.some((each) => each.type === vfs && (vfs === 'jfs' || each.log === 'external'));
    if (!needed) continue;
    await on(`mklv -y ${vfs}logs -t ${vfs}log -c ${wish.logCopies} shopvg 1 ${disks.join(' ')}`);
    await on(`logform /dev/${vfs}logs`, 'y\n');
  }
  const made = wish.volumes.map((each, index) => ({ ...each, name: `vol${index}lv`, mountPoint: `/shop/fs${index}` }));
  for (const { name, type: kind, copies, order, stale, log, mounted, mountPoint } of made) {
    const late = stale && copies > 1;
    const first = late ? copies - 1 : copies;
    await on(`mklv -y ${name} -t ${kind} -c ${first} shopvg 2 ${order.slice(0, first).join(' ')}`);
    if (kind === 'jfs' || kind === 'jfs2') {
      const place = log === 'inline' ? 'INLINE' : `${kind}logs`;
      await on(
        `crfs -v ${kind} -d ${name} -m ${mountPoint} -A no -p rw${kind === 'jfs2' ? ` -a logname=${place}` : ''}`,
      );
      if (mounted) {
        await on(`mount ${mountPoint}`);
        await storage.write(node, `${mountPoint}/notes`, `notes of ${name}\n`.repeat(300));
        storage.flush(node, mountPoint);
      }
    }
    if (late) await on(`mklvcopy ${name} ${copies} ${order.slice(0, copies).join(' ')}`);
  }
  const splittable = made.find((each) => each.type === 'raw' && each.copies > 1 && !each.stale);
  if (wish.foreignSplit && splittable) await on(`chlvcopy -b -P -l foreignlv ${splittable.name}`);
  return { storage, made, mirror: aixMirror({ hosts: new Map([[node, scriptHost(node, type, {})]]) }) };
}

function requestOf(wish: Group, made: Awaited<ReturnType<typeof build>>['made']): SplitRequest {
  const asked = made.filter((each) => each.asked);
  const hasFileSystem = ({ type }: Volume) => type === 'jfs' || type === 'jfs2';
  return {
    run: 'k3f9q2',
    fileSystems: asked.filter(hasFileSystem).map(({ mountPoint }) => mountPoint),
    rawVolumes: asked.filter((each) => !hasFileSystem(each)).map(({ name }) => name),
    suspend: wish.suspends ? [{ id: 'suspend', run: { argv: ['mount'], effect: 'reads' }, timeoutSeconds: 9 }] : [],
    resume: [],
    freezeSeconds: 60,
    allowLastCopy: true,
    strategy: wish.strategy,
  };
}

it('performs every plan that passes, and leaves the group as it was', async () => {
  const plans = new Map<string, number>();
  let refusals = 0;
  await fc.assert(
    fc.asyncProperty(group, (wish) =>
      withGroup(wish, async ({ storage, made, mirror }) => {
        const before = await mirror.look(node, contents);
        const answer = mirror.plan(before, requestOf(wish, made));
        if ('problems' in answer) {
          refusals++;
          expect(answer.problems.length).toBeGreaterThan(0);
          return;
        }
        for (const { strategy } of answer.plan.volumes) plans.set(strategy, (plans.get(strategy) ?? 0) + 1);
        const held = made.map(({ name }) => JSON.stringify(storage.held(name, 1)));
        const { plan } = answer;
        for (const phase of [plan.split, plan.expose, plan.withdraw, plan.merge]) {
          expect(await mirror.perform(phase), phase.name).toMatchObject({ kind: 'done' });
        }
        await new Promise<void>((resolve) => setImmediate(resolve));
        expect(await mirror.redundancy(plan)).toEqual({ kind: 'whole' });
        const after = await mirror.look(node, contents);
        expect(after).toMatchObject({ leftovers: [], directories: [], stanzas: [] });
        expect(mirror.recovery(after).phases).toEqual([]);
        expect(after.groups).toMatchObject(
          before.groups.map((view) =>
            view.kind === 'active'
              ? {
                  volumes: view.volumes.map(({ name, copies, label, stalePartitions, freshPartitions }) => ({
                    name,
                    copies,
                    label,
                    stalePartitions,
                    freshPartitions,
                  })),
                }
              : {},
          ),
        );
        for (const [index, { name, copies }] of made.entries()) {
          for (let copy = 1; copy <= copies; copy++) {
            expect(JSON.stringify(storage.held(name, copy)), `copy ${copy} of ${name}`).toBe(held[index]);
          }
        }
      }),
    ),
    { numRuns: exhaustive ? 600 : 80 },
  );
  // A property that refuses everything, or nothing, would prove nothing.
  expect(refusals).toBeGreaterThan(10);
  expect([...plans.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(20);
  if (exhaustive) console.log(plans, { refusals });
}, 600_000);
