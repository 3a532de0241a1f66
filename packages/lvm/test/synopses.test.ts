import { members, type Script } from '@splitmirror/host';
import { expect, it } from 'vitest';
import { look, lookScript, planRecovery, planSplit, redundancyScript } from '../src/index.ts';
import { modelHost, shopModel } from './model.ts';
import { levels, objection } from './synopses.ts';

const contents = { volumeGroups: ['shopvg'], fileSystems: 'ALL' } as const;

/** Every command line that the package can send: a whole run, and the recovery of each of its stages. */
async function everything(): Promise<readonly (readonly string[])[]> {
  const model = shopModel();
  const host = modelHost('ada', model);
  const answer = planSplit(await look(host, 'ada', contents), {
    run: 'k3f9q2',
    fileSystems: ['/shop/data', '/shop/data/orders'],
    rawVolumes: ['queuelv'],
    suspend: [
      { id: 'suspend', run: { argv: ['umount', '/x'], effect: 'changes' }, timeoutSeconds: 9, onFailure: 'continue' },
    ],
    resume: [],
    freezeSeconds: 60,
    allowLastCopy: true,
  });
  const plan = 'plan' in answer ? answer.plan : expect.unreachable('no plan');
  const scripts: Script[] = [lookScript(contents), redundancyScript(plan)];
  for (const phase of [plan.split, plan.expose, plan.withdraw, plan.merge]) {
    for (const [position, step] of phase.script.steps.entries()) {
      await host.run({ steps: [{ id: step.id, run: step.run, timeoutSeconds: step.timeoutSeconds }] });
      scripts.push({ steps: phase.script.steps.slice(position, position + 1) });
      scripts.push(
        ...planRecovery(await look(host, 'ada', contents), [{ volume: 'queuelv', copies: 2 }]).phases.map(
          ({ script }) => script,
        ),
      );
    }
  }
  return scripts.flatMap(({ steps }) => steps.flatMap(({ run }) => members(run).map(({ argv }) => argv)));
}

it.each(levels.slice(1))('every command is understood at AIX %s', async (level) => {
  const found = new Set((await everything()).map((argv) => objection(argv, level)).filter((why) => why !== null));
  expect([...found]).toEqual([]);
});

it('the level, snapshots and the freeze are what AIX 4.3.3 does not know', async () => {
  const found = new Set((await everything()).map((argv) => objection(argv, '4.3.3')).filter((why) => why !== null));
  expect([...found]).toEqual([
    // What fails of a look tells nothing, and stops nothing.
    'snapshot knows no -q at 4.3.3',
    'oslevel knows no -r at 4.3.3',
    'chfs knows no freeze at 4.3.3',
  ]);
});

it('the table objects to what no level knows', () => {
  expect(objection(['splitlvcopy', '-k', 'lv', '1'], '7.2')).toBe('splitlvcopy knows no -k at 7.2');
  expect(objection(['splitlvcopy', '-k', 'lv', '1'], '7.3')).toBeNull();
  expect(objection(['rmlv', '-f'], '7.3')).toBe('rmlv takes not 0 operands');
  expect(objection(['newfs', '/dev/x'], '7.3')).toBe('no synopsis of newfs');
});
