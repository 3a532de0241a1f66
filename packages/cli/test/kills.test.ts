import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { explore, type Journey } from '../../backup/test/world/journeys.ts';
import { openStage, type Stage } from './stage.ts';

/** A place in the journal: the controller is killed when the intent is on the disk, or before the outcome is written. */
interface Place {
  readonly effect: string;
  readonly when: 'after intent' | 'before outcome';
}

/** What the harness says that such a kill leaves behind. */
interface Expected extends Place {
  readonly left: readonly string[];
}

/**
 * `SPLITMIRROR_KILLS=all` kills before and behind every effect. Otherwise only behind those that change something, before
 * their outcome is in the journal: what asks changes nothing, and who is killed before an effect leaves the nodes as who
 * is killed behind the one that went before.
 */
const everywhere = process.env.SPLITMIRROR_KILLS === 'all';
const changing = ['lock', 'split', 'expose', 'archive', 'withdraw', 'merge', 'redundancy', 'commit', 'unlock'];

function places(): Expected[] {
  const found = new Map<string, Expected>();
  explore(
    1,
    () => [{ kind: 'killed before' }, { kind: 'killed after' }],
    ({ faults: [step], left }: Journey) => {
      if (step === undefined || (!everywhere && !changing.includes(step.effect))) return;
      const when = step.fault.kind === 'killed before' ? 'after intent' : 'before outcome';
      if (!everywhere && when === 'after intent') return;
      const key = `${when} ${step.effect}`;
      // The first time that the run comes there, as in the command line.
      if (!found.has(key)) found.set(key, { effect: step.effect, when, left });
    },
  );
  return [...found.values()];
}

/** What is left, in the words of the harness. */
function inOurWords(leftovers: readonly string[]): string[] {
  const says = (pattern: RegExp) => leftovers.some((line) => pattern.test(line));
  return [
    ...(says(/has lost a copy/) ? ['1 copies'] : []),
    ...(says(/^sm[a-z]/) ? ['a split copy'] : []),
    ...(leftovers.some((line) => !/^sm/.test(line) && / \/splitmirror\//.test(line)) ? ['a mounted copy'] : []),
    ...(says(/\.splitmirror$/) ? ['the lock'] : []),
  ];
}

it('is recovered after kill -9 of the controller at each entry of the journal, as the harness says', {
  timeout: 900_000,
}, async () => {
  const queue = places();
  const failures: string[] = [];
  let killed = 0;
  const worker = async () => {
    const stage = await openStage({ contentBytes: 400_000, phaseMs: 5 });
    try {
      for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
        const wrong = await killAt(stage, place);
        if (wrong.length > 0) failures.push(`${place.when} ${place.effect}: ${wrong.join('; ')}`);
        killed += 1;
      }
    } finally {
      await stage.close();
    }
  };
  const count = queue.length;
  await Promise.all([worker(), worker()]);
  expect(failures).toEqual([]);
  expect(killed).toBe(count);
  expect(count).toBeGreaterThanOrEqual(everywhere ? 30 : 9);
});

/** Kills a run there, recovers, and says what is not as it should be. */
async function killAt(stage: Stage, { effect, when, left }: Expected): Promise<string[]> {
  const preload = new URL('kill-at.mjs', import.meta.url).href;
  const environment = { NODE_OPTIONS: `--import ${preload}`, SPLITMIRROR_KILL_AT: `${when} ${effect}` };
  const run = stage.startIn(environment, 'backup', 'ledger_rg');
  const { code, stdout, stderr } = await run.finished;
  if (run.child.signalCode !== 'SIGKILL') return [`ended with ${code} before it was killed: ${stdout}${stderr}`];
  const wrong: string[] = [];
  const found = inOurWords(await stage.leftovers());
  const expected = left.filter((what) => /copies|copy|lock/.test(what)).sort();
  if (found.sort().join() !== expected.join())
    wrong.push(`left ${found.join(', ')}, and the harness says ${expected.join(', ')}`);

  const recovered = await stage.run('recover', 'ledger_rg');
  if (recovered.code !== 0) wrong.push(`recover ended with ${recovered.code}: ${recovered.stderr}`);
  const leftovers = (await stage.leftovers()).filter((line) => !line.includes('.incomplete'));
  if (leftovers.length > 0) wrong.push(`recover left ${leftovers.join(', ')}`);

  const directory = join(stage.store, 'ledger_rg');
  const complete = (await readdir(directory)).filter((name) => /^\d{8}T\d{6}Z-[a-z0-9]{6}$/.test(name));
  const committed = effect === 'unlock' || (effect === 'commit' && when === 'before outcome');
  if (complete.length !== (committed ? 1 : 0)) wrong.push(`${complete.length} complete backups`);
  if (committed && (await stage.run('verify', 'ledger_rg')).code !== 0) wrong.push('the backup does not verify');
  await rm(directory, { recursive: true });
  return wrong;
}
