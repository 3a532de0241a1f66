import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Verdict } from '../src/index.ts';
import { type Action, act, look, type Model, newModel } from './model.ts';
import { group } from './world.ts';

/** Raise it for a night's run. */
const schedules = Number(process.env.SPLITMIRROR_SCHEDULES ?? 102_000);

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('crash', 'boot', 'force-down', 'stop', 'start', 'forget', 'move-start', 'move-end'),
      node: fc.nat(4),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('partition'), sides: fc.array(fc.nat(2), { minLength: 5, maxLength: 5 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'heal' } as const) },
);

/** Controllers at one instant: on each side, one that reaches everything, and one with a network of its own. */
function controllers({ nodes }: Model, own: readonly boolean[]): ReadonlySet<string>[] {
  const names = (keep: (index: number) => boolean) =>
    new Set(nodes.filter((_, index) => keep(index)).map((node) => node.name));
  const sides = [...new Set(nodes.map((node) => node.side))];
  return [
    ...sides.map((side) => names((index) => nodes[index]?.side === side)),
    names(() => true),
    names((index) => own[index] ?? false),
  ];
}

/** What a verdict comes to here. */
interface Told {
  readonly kind: Verdict['kind'];
  readonly node: string | null;
  readonly reasons: number;
}

/** Verdicts are pure, and most states of a small cluster come again and again. */
const told = new Map<string, Told>();

function tell(model: Model, reach: ReadonlySet<string>): Told {
  const { nodes, busy, forgotten } = model;
  // Sides are numbered as they come, and a node that is off cannot be reached: more states are the same.
  const sides: number[] = [];
  let key = '';
  for (const node of nodes) {
    if (!sides.includes(node.side)) sides.push(node.side);
    const marks = [node.holds, busy.has(node.side), forgotten.has(node), node.up && reach.has(node.name)];
    key += `${node.up ? node.services : 'off'}${sides.indexOf(node.side)}${marks.map(Number).join('')} `;
  }
  const known = told.get(key);
  if (known) return known;
  const reports = look(model, reach);
  const verdict = decide(group, [reports, reports]);
  const held = verdict.kind === 'held';
  const result = { kind: verdict.kind, node: held ? verdict.node : null, reasons: held ? 0 : verdict.reasons.length };
  told.set(key, result);
  return result;
}

/** Plays a schedule and looks after every step; returns what was told on the way. */
function play(size: number, actions: readonly Action[], own: readonly boolean[]): Told[] {
  const model = newModel(size);
  return actions.flatMap((next) => {
    act(model, next);
    const here = controllers(model, own).map((reach) => tell(model, reach));
    const holders = new Set(here.flatMap(({ node }) => node ?? []));
    if (holders.size > 1) throw new Error(`held by ${[...holders].join(' and ')} at one instant`);
    for (const name of holders) {
      const holder = model.nodes.find((node) => node.name === name);
      if (!holder?.holds || holder.services !== 'up') throw new Error(`${name} does not hold the group`);
    }
    if (here.some(({ kind, reasons }) => kind !== 'held' && reasons === 0))
      throw new Error('a refusal without a reason');
    return here;
  });
}

/** Schedules that once failed, one a file; a new one is written here before the test fails, and played from then on. */
const kept = new URL('./schedules/', import.meta.url);

describe('decide, in any schedule of moves, failures, forced stops and partitions', () => {
  it('never lets two nodes hold a group at one instant, whoever asks, and never one that does not', () => {
    const seen = new Map<Told['kind'], number>();
    const result = fc.check(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.array(action, { maxLength: 14 }),
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        (...schedule) => {
          for (const { kind } of play(...schedule)) seen.set(kind, (seen.get(kind) ?? 0) + 1);
        },
      ),
      { numRuns: schedules, seed: Number(process.env.SPLITMIRROR_SEED ?? Date.now() % 2 ** 31) },
    );
    if (result.failed) {
      mkdirSync(kept, { recursive: true });
      const file = new URL(`seed${result.seed}.json`, kept);
      writeFileSync(file, `${JSON.stringify(result.counterexample)}\n`);
      throw new Error(`${fc.defaultReportMessage(result)}\nKept in ${file.pathname}`);
    }
    // The schedules must reach what they are about.
    expect([...seen.keys()].sort()).toEqual(['contested', 'held', 'moving', 'offline', 'undecidable']);
    expect(seen.get('held')).toBeGreaterThan(schedules / 2);
  }, 300_000);

  const files = existsSync(kept) ? readdirSync(kept).filter((name) => name.endsWith('.json')) : [];
  it.skipIf(files.length === 0)(`plays the ${files.length} schedules that once failed`, () => {
    for (const name of files) {
      const [size, actions, own] = JSON.parse(readFileSync(new URL(name, kept), 'utf8'));
      expect(() => play(size, actions, own), name).not.toThrow();
    }
  });

  it('refuses by the disks when the cluster has forgotten a holder', () => {
    const model = newModel(3);
    act(model, { do: 'forget', node: 0 });
    const reports = look(model, new Set(['n1', 'n2', 'n3']));
    expect(model.nodes.filter((node) => node.holds).map((node) => node.name)).toEqual(['n1', 'n2']);
    expect(decide(group, [reports])).toMatchObject({
      kind: 'contested',
      reasons: [
        { code: 'VOLUME_GROUP_ELSEWHERE', node: 'n1' },
        { code: 'FILE_SYSTEM_ELSEWHERE', node: 'n1' },
        { code: 'SERVICE_LABEL_ELSEWHERE', node: 'n1' },
      ],
    });
  });
});
