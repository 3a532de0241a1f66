import { expect, it } from 'vitest';
import { describeJourney, everyFault, explore } from './world/journeys.ts';

/** Traces that account for what the world says is left. */
const accounts: readonly (readonly [RegExp, string])[] = [
  [/copies$|^a split copy$/, 'copy'],
  [/^a mounted copy$/, 'mount'],
  [/^a suspended application$|^the quiesce note$/, 'suspended application'],
  [/^the lock$/, 'lock'],
];

it('knows of everything that a run leaves which ends at any place, after any fault', () => {
  const failures: string[] = [];
  const seen = new Set<string>();
  let killed = 0;
  explore(
    2,
    (effect, depth) => everyFault(effect).filter(({ kind }) => depth === 0 || kind.startsWith('killed')),
    (journey) => {
      const { run, left, traces } = journey;
      if (run !== 'killed') return;
      killed += 1;
      const known = traces.map(({ what }) => what);
      for (const [pattern, what] of accounts) {
        if (!left.some((each) => pattern.test(each))) continue;
        seen.add(what);
        if (!known.includes(what)) failures.push(`${describeJourney(journey)}: left a ${what}, and knew of ${known}`);
      }
    },
  );
  expect(failures.slice(0, 20)).toEqual([]);
  expect([...seen].sort()).toEqual(['copy', 'lock', 'mount', 'suspended application']);
  expect(killed).toBeGreaterThan(1000);
});
