import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { drive } from '../src/run/drive.ts';
import type { Effect } from '../src/run/effects.ts';
import { matrix } from './crash-matrix.ts';
import { explored, seeds } from './proven.ts';
import { act, nextOf, runner } from './world/actors.ts';
import { describeJourney, everyFault, explore, type Journey, violations } from './world/journeys.ts';
import { nameOf } from './world/scripts.ts';
import { freshWorld, groupOf, remains } from './world/world.ts';

const document = new URL('../../../docs/crash-matrix.md', import.meta.url);

/** Walks all journeys with at most so many faults; tells how many there are and which of them break a promise. */
function prove(budget: number, each?: (journey: Journey) => void): { journeys: number; failures: string[] } {
  const failures: string[] = [];
  let journeys = 0;
  explore(budget, everyFault, (journey: Journey) => {
    journeys += 1;
    each?.(journey);
    const found = violations(journey);
    if (found.length > 0 && failures.length < 20) failures.push(`${describeJourney(journey)}: ${found.join('; ')}`);
  });
  return { journeys, failures };
}

/** Effects of a run without faults, in order. */
function effectsOfARun(): string[] {
  const world = freshWorld();
  const names: string[] = [];
  let actor = runner(world, 'g', 1);
  for (let effect = actor && nextOf(actor); actor !== null && effect !== null; effect = actor && nextOf(actor)) {
    names.push(nameOf(effect));
    actor = act(world, actor, effect);
  }
  expect(remains(groupOf(world, 'g'))).toEqual([]);
  expect(groupOf(world, 'g').committed).toHaveLength(1);
  return names;
}

it('takes the proof of ownership again right before everything that changes something', () => {
  const names = effectsOfARun();
  const changes = ['lock', 'split', 'expose', 'archive', 'withdraw', 'merge', 'unlock'];
  expect(names.filter((name) => changes.includes(name))).toEqual(changes);
  for (const name of changes) expect(`${names[names.indexOf(name) - 1]} ${name}`).toBe(`confirm ${name}`);
});

it('does in the driver, with its journal, what the harness does', async () => {
  const world = freshWorld();
  let actor = runner(world, 'g', 1);
  if (actor === null) throw new Error('nothing to run');
  const journal: string[] = [];
  await drive<typeof actor, Effect>(
    {
      next: (state) => nextOf(state),
      observe: () => actor as NonNullable<typeof actor>,
    },
    actor,
    {
      now: () => new Date(0),
      journal: {
        write: async ({ kind, effect }) => void (kind === 'intent' && journal.push(nameOf(effect as Effect))),
        close: async () => {},
      },
      async perform(effect, state) {
        actor = act(world, state, effect);
        return { of: 'wait' };
      },
    },
  );
  expect(journal).toEqual(effectsOfARun());
});

it('comes back whole after every single fault and every pair, as the crash matrix says', {
  timeout: 300_000,
}, async () => {
  const page = matrix();
  const singles = prove(1, page.add);
  expect(singles.failures).toEqual([]);
  const pairs = prove(2);
  expect(pairs.failures).toEqual([]);
  const text = page.render({ singles: singles.journeys, pairs: pairs.journeys, seeds, explored });
  if (process.env.SPLITMIRROR_WRITE === '1') await writeFile(document, text);
  expect(await readFile(document, 'utf8'), 'run with SPLITMIRROR_WRITE=1').toBe(text);
});
