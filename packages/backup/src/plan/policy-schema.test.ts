import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { labPolicy } from '../../test/lab-policy.ts';
import { type LocalFamily, localFamily } from '../../test/local-family.ts';
import type { BackupContext } from '../context.ts';
import type { BackupError } from '../errors.ts';
import { db2, oracle, postgresql, stopStart } from '../run/applications.ts';
import { quiesceInOrder } from '../run/quiesce.ts';
import { inspectGroup, recoverGroup } from '../run/recover.ts';
import { runBackup } from '../run/run.ts';
import { loadPlan } from './approval.ts';
import { planBackup } from './plan.ts';
import { policySchema } from './policy-schema.ts';
import { canonical, type GroupPolicy, type RunPlan } from './run-plan.ts';

const policy: GroupPolicy = { ...labPolicy, quiesce: null, rawVolumes: [] };
/** Whatever is asked of it fails the test. */
const untouched = new Proxy({} as BackupContext, {
  get: (_, name) => {
    throw new Error(`${String(name)} was looked at`);
  },
});
const refusalOf = (work: Promise<unknown>): Promise<BackupError> =>
  work.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: BackupError) => error,
  );
const messages = async (changed: object) => {
  const { code, problems, message } = await refusalOf(planBackup(untouched, 'a', { ...policy, ...changed }));
  expect({ code, message }).toEqual({ code: 'PLAN_REFUSED', message: `a: ${problems[0]?.message}` });
  for (const problem of problems) expect(problem).toMatchObject({ code: 'POLICY_INVALID', node: null });
  return problems.map((problem) => problem.message.replace('the policy cannot be run: ', ''));
};

describe('planBackup', () => {
  it.each([
    ['parallel', 'expected a whole number from 1 to 64', [0, -1, 1.5, Number.NaN, 65, Number.POSITIVE_INFINITY]],
    ['archiveSeconds', 'expected a whole number from 1 to 1728000', [0, 1.5, Number.NaN, 31_536_000]],
    ['idleSeconds', 'expected a number from 1 to 86400', [0, -5, Number.NaN, 3e6]],
    ['proofMs', 'expected a number from 1 to 86400000', [0, -1, Number.NaN, 3e9]],
    ['pollMs', 'expected a number from 1 to 86400000', [0, -1, Number.NaN, 3e9]],
    ['freezeSeconds', 'expected a whole number from 1 to 3600', [0, -1, 1.5, Number.NaN, 1e9]],
  ] as const)('refuses %s out of its bounds before anything is looked at', async (field, bounds, values) => {
    for (const value of values) expect(await messages({ [field]: value })).toEqual([`${field}: ${bounds}`]);
  });

  it('names all faults of a policy at once, and what it has seen', async () => {
    const wrong = { parallel: 0, pollMs: Number.NaN, exposure: { minutesPerMonth: -1 }, levels: 'x' as never };
    const { problems } = await refusalOf(planBackup(untouched, 'a', { ...policy, ...wrong }));
    expect(problems.map(({ message, seen }) => [message.split(': ')[1], seen])).toEqual([
      ['exposure.minutesPerMonth', '-1'],
      ['parallel', '0'],
      ['pollMs', 'NaN'],
      ['levels', 'text'],
    ]);
    expect(problems[0]?.remedy).toBe('Correct exposure.minutesPerMonth in the settings of a.');
    expect(await messages({ paralel: 3 })).toEqual(['Unrecognized key: "paralel"']);
  });

  it.each([
    ['no word', [], expect.stringMatching(/^expected a command: a list of words, or an object/)],
    ['no program', [''], '0: expected the name of a program'],
    ['an option for a program', ['-x'], '0: expected the name of a program'],
    ['a NUL byte', ['app', 'a\0b'], '1: expected text without a NUL byte or half a character'],
    ['half a character', ['app', '\ud800'], '1: expected text without a NUL byte or half a character'],
  ])('refuses a quiesce command with %s', async (_, argv, reason) => {
    const hooks = { suspend: [['true'], argv], resume: [{ argv }], timeoutSeconds: 5 };
    const [suspend, resume] = await messages({ quiesce: hooks });
    expect(suspend?.replace(/^quiesce\.suspend\.1[.:] ?/, '')).toEqual(reason);
    expect(resume).toMatch(/^quiesce\.resume\.0[.:] ?/);
  });

  it('refuses seconds for a quiesce command that cannot be kept', async () => {
    const hooks = { suspend: [['true']], resume: [['true']], timeoutSeconds: 5 };
    for (const timeoutSeconds of [0, 1.5, 3e6]) {
      expect(await messages({ quiesce: { ...hooks, timeoutSeconds } })).toEqual([
        'quiesce.timeoutSeconds: expected a whole number from 1 to 86400',
      ]);
      const command = { argv: ['true'], timeoutSeconds };
      expect(await messages({ quiesce: { ...hooks, resume: [command] } })).toHaveLength(1);
    }
  });
});

describe('a policy that cannot be run', () => {
  let family: LocalFamily;
  let plan: RunPlan;
  beforeAll(async () => {
    family = await localFamily({ a: 'n1' });
    plan = await planBackup(family.context, 'a', policy);
  });

  it('is refused in a plan that is loaded', async () => {
    const file = join(family.directory, 'plan.json');
    const [archive] = plan.archives;
    const wrong = { ...plan, policy: { ...policy, parallel: 0, idleSeconds: 3e6 } };
    await writeFile(file, canonical({ ...wrong, archives: [{ ...archive, timeoutSeconds: 31_536_000 }] }));
    const { code, message, problems } = await refusalOf(loadPlan(file));
    expect(code).toBe('PLAN_UNREADABLE');
    expect(message).toMatch(/policy\.parallel: expected a whole number from 1 to 64 \(and 2 more\)$/);
    expect(problems.map((problem) => problem.message)).toEqual([
      'policy.parallel: expected a whole number from 1 to 64',
      'policy.idleSeconds: expected a number from 1 to 86400',
      'archives.0.timeoutSeconds: expected a whole number from 1 to 1728000',
    ]);
  });

  it('is refused in a plan that is run, and nothing is begun', async () => {
    const wrong = { ...plan, policy: { ...policy, proofMs: Number.NaN } };
    expect(await refusalOf(runBackup(family.context, wrong))).toMatchObject({ code: 'PLAN_REFUSED' });
    expect(await family.context.store.survey('a')).toMatchObject({ incomplete: [] });
    expect(family.events).toEqual([]);
  });

  it('keeps nobody from a recovery, unless the recovery goes by it', async () => {
    const wrong = { ...policy, pollMs: Number.NaN };
    for (const asked of [inspectGroup(untouched, 'a', wrong), recoverGroup(untouched, 'a', wrong)]) {
      expect(await refusalOf(asked)).toMatchObject({ code: 'PLAN_REFUSED', problems: [{ code: 'POLICY_INVALID' }] });
    }
    expect(await recoverGroup(family.context, 'a', { ...policy, parallel: 0 })).toMatchObject({ kind: 'whole' });
  });
});

it.each([
  ['db2', db2({ instance: 'db2inst1', database: 'BOOKS' })],
  ['oracle', oracle({ user: 'oracle', sid: 'BOOKS', home: '/u01/app/oracle/product/19' })],
  ['postgresql', postgresql({ user: 'postgres' })],
  ['stopStart', stopStart({ stop: ['stopit'], start: ['startit'], running: ['isit'] })],
])('policySchema takes the ready hooks of %s, alone and among others', (_, hooks) => {
  for (const quiesce of [hooks, quiesceInOrder(hooks, db2({ instance: 'i', database: 'D' }))]) {
    expect(policySchema.parse({ ...labPolicy, quiesce })).toEqual({ ...labPolicy, quiesce });
  }
});
