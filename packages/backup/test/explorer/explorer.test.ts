import { expect, it } from 'vitest';
import { explored } from '../proven.ts';
import { exploreAll } from './explore.ts';

/** `SPLITMIRROR_EXPLORE=3` explores with up to three faults, which takes minutes and some gigabytes. */
const most = Number(process.env.SPLITMIRROR_EXPLORE ?? 2);

for (const { faults, patient, states, transitions } of explored) {
  const name = `keeps every promise in every state that ${faults} faults can lead to`;
  it.skipIf(faults > most)(name, { timeout: 600_000 }, () => {
    const found = exploreAll({ initiators: 2, atOnce: 2, faults, patient });
    expect([...found.broken]).toEqual([]);
    expect({ states: found.states, transitions: found.transitions }).toEqual({ states, transitions });
    console.log(`${faults} faults: ${found.states} states, ${found.transitions} transitions, depth ${found.depth}`);
  });
}

it.skipIf(most < 3)('can always be made whole by another initiator', { timeout: 600_000 }, () => {
  expect(exploreAll({ initiators: 3, atOnce: 2, faults: 1, patient: false }).hopeless).toBeNull();
});

it.skipIf(most < 3)('shows what two faults can do where scripts overlap', { timeout: 600_000 }, () => {
  const { broken } = exploreAll({ initiators: 2, atOnce: 2, faults: 2, patient: false });
  expect([...broken.keys()]).toEqual(['the application is suspended and nobody notes it']);
});
