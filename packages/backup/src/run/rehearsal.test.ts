import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { changes } from '@splitmirror/host';
import { beforeEach, describe, expect, it } from 'vitest';
import { labPolicy } from '../../test/lab-policy.ts';
import { type LocalFamily, localFamily } from '../../test/local-family.ts';
import type { Phase, Problem } from '../ports.ts';
import { type Holder, newHolder } from './lock.ts';
import { inspectGroup, recoverGroup } from './recover.ts';

const policy = {
  ...labPolicy,
  quiesce: { suspend: [['true']], resume: [['true', 'resume']], timeoutSeconds: 5 },
  rawVolumes: [],
} as const;
const silent = { ...policy, quiesce: null };

let family: LocalFamily;
let notes: string;
/** Nodes on which a copy is left, and what no phase takes away. */
let copies: Set<string>;
let stale: number;
let unsolved: Problem[];
beforeEach(async () => {
  family = await localFamily({ a: 'n1' });
  notes = join(family.directory, 'a', '.splitmirror');
  [copies, stale, unsolved] = [new Set(), 0, []];
  const { mirror } = family.context;
  const merge = (node: string): Phase => ({
    ...{ name: 'merge', node, title: `merge on ${node}`, explains: {}, undo: [] },
    script: { steps: [{ id: 'merge', run: changes('mklvcopy', 'alv', '2'), timeoutSeconds: 5 }] },
  });
  const changed: typeof mirror = {
    ...mirror,
    async look(node, contents) {
      const leftovers = copies.has(node) ? [{ run: 'dead00', what: 'copy', name: 'smdead00201' }] : [];
      return { ...(await mirror.look(node, contents)), leftovers, stalePartitions: stale > 0 ? stale-- : 0 };
    },
    recovery: ({ node, leftovers }) => ({ phases: leftovers.length > 0 ? [merge(node)] : [], problems: unsolved }),
    async perform(phase) {
      copies.delete(phase.node);
      return { kind: 'done', facts: {}, transcript: { kind: 'completed', steps: [] } };
    },
  };
  Object.assign(family, { context: { ...family.context, mirror: changed } });
});

async function leave(name: string, text: string): Promise<void> {
  await mkdir(notes, { recursive: true });
  await writeFile(join(notes, name), text);
}

async function leaveLock(controller: Partial<Holder['controller']>): Promise<string> {
  const { surroundings } = family.context;
  const holder = newHolder(
    { ...surroundings, controller: { ...surroundings.controller, ...controller } },
    { run: 'dead00', group: 'a', intended: [] },
  );
  await leave(`holder.${holder.token}`, `${JSON.stringify(holder)}\n`);
  return `holder.${holder.token}`;
}
const gone = { pid: 999_999_999, birth: null };

/** Rehearses and then recovers: the same is done in the same order, with the same end. */
async function both(how: typeof policy | typeof silent = policy, breakLock = false) {
  const { steps, verdict } = await inspectGroup(family.context, 'a', how, { breakLock });
  const real = await recoverGroup(family.context, 'a', { ...how, pollMs: 1 }, { breakLock });
  expect(verdict.kind).toBe(real.kind);
  const codesOf = (of: typeof real) => ('problems' in of ? of.problems.map(({ code }) => code) : []);
  expect(codesOf(verdict)).toEqual(codesOf(real));
  const titles = new Set(steps.map(({ title }) => title));
  const done = family.events.flatMap((event) => (event.type === 'step-start' ? [event.title] : []));
  expect(steps.map(({ title }) => title)).toEqual(done.filter((title) => titles.has(title)));
  return { steps, verdict };
}

describe('inspectGroup', () => {
  it('tells every command that takes something back, in order: first the application, last the lock', async () => {
    const lock = await leaveLock(gone);
    await leave('quiesce', '{}\n');
    copies = new Set(['n1', 'spare']);
    const { steps, verdict } = await both();
    expect(steps).toEqual([
      {
        node: 'n1',
        title: 'resume the application that was suspended',
        commands: ['true resume', `rm -f ${notes}/quiesce`],
      },
      { node: 'n1', title: 'merge on n1', commands: ['mklvcopy alv 2'] },
      { node: 'spare', title: 'merge on spare', commands: ['mklvcopy alv 2'] },
      { node: 'n1', title: 'give the lock back', commands: [`rm -f ${notes}/${lock}`] },
    ]);
    expect(verdict).toEqual({ kind: 'whole', performed: ['merge on n1', 'merge on spare'], unseen: [] });
  });

  it('tells nothing where nothing is to be taken back', async () => {
    expect(await both()).toEqual({ steps: [], verdict: { kind: 'whole', performed: [], unseen: [] } });
  });

  it.each<[string, () => Promise<unknown>, typeof policy | typeof silent, boolean, string, string | undefined]>([
    ['a run that lives', () => leaveLock({}), policy, true, 'busy', 'GROUP_LOCKED'],
    ['one of another machine', () => leaveLock({ host: 'elsewhere' }), policy, false, 'busy', 'GROUP_LOCKED'],
    ['the same, certainly gone', () => leaveLock({ host: 'elsewhere' }), policy, true, 'whole', undefined],
    ['an unreadable lock', () => leave(`holder.${'0'.repeat(32)}`, 'x'), policy, false, 'stuck', 'LOCK_UNREADABLE'],
    ['the same, to be broken', () => leave(`holder.${'0'.repeat(32)}`, 'x'), policy, true, 'whole', undefined],
    ['a debt that nobody can pay', () => leave('quiesce', '{}'), silent, false, 'stuck', 'QUIESCE_DEBT'],
  ])('ends as the recovery does for %s', async (_, prepare, how, breakLock, kind, code) => {
    await prepare();
    const { verdict } = await both(how, breakLock);
    expect(verdict.kind).toBe(kind);
    expect(
      'problem' in verdict ? verdict.problem.code : 'problems' in verdict ? verdict.problems[0]?.code : undefined,
    ).toBe(code);
  });

  it('sees what else stands beside a lock that is to be broken', async () => {
    await leave(`holder.${'0'.repeat(32)}`, 'x');
    await leave('quiesce', '{}\n');
    const dead = await leaveLock(gone);
    const { steps, verdict } = await both(policy, true);
    expect(steps.map(({ commands }) => commands)).toEqual([
      [`rm -f ${notes}/holder.${'0'.repeat(32)}`],
      ['true resume', `rm -f ${notes}/quiesce`],
      [`rm -f ${notes}/${dead}`],
    ]);
    expect(verdict.kind).toBe('whole');
    family.events.splice(0);
    await leave(`holder.${'0'.repeat(32)}`, 'x');
    await leaveLock({});
    expect((await both(policy, true)).verdict.kind).toBe('busy');
  });

  it('ends stuck on what no phase takes away', async () => {
    copies = new Set(['n1']);
    unsolved = [
      { code: 'DISK_MISSING', node: 'n1', message: 'a disk is gone', seen: 'hdisk3', remedy: 'Bring it back.' },
    ];
    const { steps, verdict } = await both();
    expect(steps.map(({ title }) => title)).toEqual(['merge on n1']);
    expect(verdict).toMatchObject({ kind: 'stuck', problems: unsolved });
  });

  it('waits for no resync', async () => {
    stale = 9;
    expect((await inspectGroup(family.context, 'a', policy)).verdict.kind).toBe('whole');
  });
});
