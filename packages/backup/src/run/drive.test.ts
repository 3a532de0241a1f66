import { expect, it } from 'vitest';
import { drive, type Machine } from './drive.ts';
import type { NodeEffect, Observation, Outcome } from './effects.ts';
import type { JournalEntry } from './journal.ts';

const wait = (ms: number): NodeEffect => ({ kind: 'wait', ms });

/** Waits three times; keeps what it was told. */
const machine: Machine<readonly Observation[], NodeEffect> = {
  next: (seen) => (seen.length < 3 ? wait(seen.length) : null),
  observe: (seen, observation) => [...seen, observation],
};

function world(perform: () => Promise<Outcome>) {
  const written: JournalEntry[] = [];
  const journal = { write: async (entry: JournalEntry) => void written.push(entry), close: async () => {} };
  return { written, now: () => new Date(0), perform, journal };
}

it('writes the intent before an effect and the outcome after it', async () => {
  const seen: string[] = [];
  const given = world(async () => {
    seen.push(given.written.map(({ kind }) => kind).join(' '));
    return { of: 'wait' };
  });
  await drive(machine, [], given);
  expect(seen).toEqual(['intent', 'intent outcome intent', 'intent outcome intent outcome intent']);
  expect(given.written.at(-1)).toEqual({ at: '1970-01-01T00:00:00.000Z', kind: 'outcome', of: 'wait' });
});

it('makes an outcome of an effect that throws', async () => {
  const looking: Machine<readonly Observation[], NodeEffect> = {
    ...machine,
    next: (seen) =>
      seen.length < 1 ? { kind: 'look', node: 'a', contents: { volumeGroups: [], fileSystems: [] } } : null,
  };
  const given = world(() => Promise.reject(new Error('broken')));
  const [seen] = await drive(looking, [], given);
  expect(seen).toMatchObject({
    of: 'look',
    looked: { kind: 'failed', problem: { code: 'UNEXPECTED', node: 'a', message: 'broken' } },
  });
});

it('passes an interrupt on once, between two effects', async () => {
  const asking = new AbortController();
  const given = world(async () => {
    asking.abort();
    return { of: 'wait' };
  });
  const seen = await drive(machine, [], { ...given, signal: asking.signal });
  expect(seen.map(({ of }) => of)).toEqual(['wait', 'interrupt', 'wait']);
});

it('does not blame the node for a question that the interrupt has cut off', async () => {
  const asking = new AbortController();
  const given = world(async () => {
    const outcome: Outcome = asking.signal.aborted
      ? { of: 'wait' }
      : { of: 'confirm', confirmation: { kind: 'unknown', reason: 'aborted' } };
    asking.abort();
    return outcome;
  });
  const seen = await drive(machine, [], { ...given, signal: asking.signal });
  expect(seen.map(({ of }) => of)).toEqual(['interrupt', 'wait', 'wait']);
});

it('ends where it stands when it is told to stop', async () => {
  const stopping = new AbortController();
  const given = world(async () => {
    stopping.abort();
    return { of: 'wait' };
  });
  expect(await drive(machine, [], { ...given, stop: stopping.signal })).toHaveLength(1);
});

it('goes back without a journal when that cannot be written', async () => {
  const given = world(async () => ({ of: 'wait' }));
  let writes = 0;
  const journal = {
    ...given.journal,
    write: async () => {
      if (++writes === 2) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    },
  };
  const seen = await drive(machine, [], { ...given, journal });
  expect(seen.map(({ of }) => of)).toEqual(['wait', 'interrupt', 'wait']);
  expect(seen[1]).toMatchObject({ problem: { message: 'no space left' } });
  expect(writes).toBe(2);
});
