import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Verdict } from '../src/index.ts';
import { type Action, act, look, type Model, newModel } from './model.ts';
import { group } from './world.ts';

/** Raise it for a night's run. */
const schedules = Number(process.env.SPLITMIRROR_SCHEDULES ?? 1500);

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

describe('decide, in any schedule of moves, failures, forced stops and partitions', () => {
  it('never lets two nodes hold a group at one instant, whoever asks, and never one that does not', () => {
    const seen = new Map<Verdict['kind'], number>();
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.array(action, { maxLength: 14 }),
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        (size, actions, own) => {
          const model = newModel(size);
          for (const next of actions) {
            act(model, next);
            const holders = new Set<string>();
            for (const reach of controllers(model, own)) {
              const reports = look(model, reach);
              const verdict = decide(group, [reports, reports]);
              seen.set(verdict.kind, (seen.get(verdict.kind) ?? 0) + 1);
              if (verdict.kind === 'held') holders.add(verdict.node);
              else expect(verdict.reasons).not.toEqual([]);
            }
            expect(holders.size).toBeLessThanOrEqual(1);
            for (const name of holders) {
              const holder = model.nodes.find((node) => node.name === name);
              expect(holder).toMatchObject({ holds: true, services: 'up' });
            }
          }
        },
      ),
      { numRuns: schedules },
    );
    // The schedules must reach what they are about.
    expect([...seen.keys()].sort()).toEqual(['contested', 'held', 'moving', 'offline', 'undecidable']);
    expect(seen.get('held')).toBeGreaterThan(schedules / 2);
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
      ],
    });
  });
});
