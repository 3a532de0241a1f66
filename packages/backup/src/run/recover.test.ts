import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { labPolicy } from '../../test/lab-policy.ts';
import { type LocalFamily, localFamily } from '../../test/local-family.ts';
import { BackupError } from '../errors.ts';
import type { BackupEvent } from '../events.ts';
import { createRecorder } from '../incident/recorder.ts';
import { replay } from '../incident/replay.ts';
import { listRecoveries } from '../store/recoveries.ts';
import { newHolder } from './lock.ts';
import { recoverGroup } from './recover.ts';

const policy = {
  ...labPolicy,
  quiesce: { suspend: [['true']], resume: [['true']], timeoutSeconds: 5 },
  rawVolumes: [],
} as const;

let family: LocalFamily;
let notes: string;
beforeEach(async () => {
  family = await localFamily({ a: 'n1' });
  notes = join(family.directory, 'a', '.splitmirror');
});

/** The lock of a run whose process is gone, and its note of a suspended application. */
async function leaveLock(): Promise<void> {
  const { surroundings } = family.context;
  const controller = { host: surroundings.controller.host, pid: 999_999_999, birth: null };
  const dead = newHolder({ ...surroundings, controller }, { run: 'dead00', group: 'a', intended: [] });
  await mkdir(notes);
  await writeFile(join(notes, `holder.${dead.token}`), `${JSON.stringify(dead)}\n`);
  await writeFile(join(notes, 'quiesce'), '{}\n');
}

const ends = (events: readonly BackupEvent[]) => events.filter(({ type }) => type.startsWith('recovery-'));

describe('recoverGroup', () => {
  it('leaves a record of what was found and taken back, when, by whom, on which evidence', async () => {
    await leaveLock();
    const verdict = await recoverGroup(family.context, 'a', policy, { by: 'jdoe@ops', breakLock: true });
    expect(verdict).toMatchObject({ kind: 'whole' });
    const { recoveries, unreadable } = await listRecoveries(family.context.store, 'a');
    expect(unreadable).toEqual([]);
    const { controller } = family.context.surroundings;
    expect(recoveries).toMatchObject([
      {
        group: 'a',
        by: 'jdoe@ops',
        breakLock: true,
        controller: { host: controller.host, pid: process.pid },
        node: 'n1',
        verdict: 'whole',
        found: [expect.stringMatching(/^lock of run dead00 since 2/), 'note of a suspended application'],
        performed: [{ node: 'n1', title: 'Resume the application that was suspended', outcome: 'done' }],
        problems: [],
      },
    ]);
    const [{ run = '', directory = '' } = {}] = recoveries;
    expect(ends(family.events)).toMatchObject([
      { type: 'recovery-start', run, group: 'a', by: 'jdoe@ops', breakLock: true },
      { type: 'recovery-end', directory },
    ]);
    // No backup, no failed run, and nothing that retention would remove.
    expect(await family.context.store.survey('a')).toEqual({ backups: [], damaged: [], incomplete: [] });
  });

  it('leaves none where it found nothing', async () => {
    expect(await recoverGroup(family.context, 'a', policy)).toMatchObject({ kind: 'whole' });
    expect(await listRecoveries(family.context.store, 'a')).toEqual({ recoveries: [], unreadable: [] });
    expect(await readdir(join(family.context.store.root, 'a'))).toEqual([]);
    expect(ends(family.events)).toMatchObject([{ by: null }, { directory: null }]);
  });

  it('is kept from its work by no store', async () => {
    await leaveLock();
    await writeFile(family.context.store.root, 'no directory');
    expect(await recoverGroup(family.context, 'a', policy)).toMatchObject({ kind: 'whole' });
    await expect(readdir(notes)).rejects.toMatchObject({ code: 'ENOENT' });
    // Nobody finds out later that there is no record.
    expect(ends(family.events).at(-1)).toMatchObject({ directory: null, unrecorded: { code: 'STORE_UNUSABLE' } });
  });

  it('says what of its record is missing, and nothing where there is nothing to be recorded', async () => {
    await leaveLock();
    const { store } = family.context;
    const full = () => Promise.reject(new BackupError('STORE_FULL', 'no room', { remedy: 'Make room.' }));
    const beginRecovery: typeof store.beginRecovery = async (...words) => {
      const record = await store.beginRecovery(...words);
      return { ...record, journal: { ...record.journal, write: full } };
    };
    const context = { ...family.context, store: { ...store, beginRecovery } };
    expect(await recoverGroup(context, 'a', policy)).toMatchObject({ kind: 'whole' });
    expect(ends(family.events).at(-1)).toMatchObject({ unrecorded: { code: 'STORE_FULL' } });
    expect(await recoverGroup(context, 'a', policy)).toMatchObject({ kind: 'whole' });
    expect(ends(family.events).at(-1)).toMatchObject({ directory: null, unrecorded: null });
  });

  it('tells of one that a person has to look at, and of one that was cut off', async () => {
    family.holders.set('a', null);
    const locate = async () => {
      const reason = { code: 'TORN', node: null, message: 'torn', seen: '', remedy: 'Look.' };
      return { kind: 'contested', reasons: [reason], evidence: [] } as const;
    };
    const torn = { ...family.context, cluster: { ...family.context.cluster, locate } };
    expect(await recoverGroup(torn, 'a', policy)).toMatchObject({ kind: 'stuck' });
    const { store } = family.context;
    const [stuck] = (await listRecoveries(store, 'a')).recoveries;
    expect(stuck).toMatchObject({ verdict: 'stuck', node: null, problems: [{ code: 'TORN' }] });
    const journal = join(stuck?.directory ?? '', 'journal.ndjson');
    const text = await readFile(journal, 'utf8');
    await writeFile(journal, text.slice(0, -20));
    expect((await listRecoveries(store, 'a')).recoveries).toMatchObject([{ verdict: null, endedAt: null }]);
    await writeFile(journal, 'nothing of ours\n');
    expect(await listRecoveries(store, 'a')).toEqual({ recoveries: [], unreadable: [stuck?.directory] });
  });

  it('waits for no resync that nobody does', async () => {
    const { mirror, surroundings } = family.context;
    let stale = 9;
    let looks = 0;
    const look: typeof mirror.look = async (...given) => {
      // Three come into step, and then no more.
      if (++looks < 4) stale -= 1;
      return { ...(await mirror.look(...given)), stalePartitions: stale };
    };
    const context = {
      ...family.context,
      mirror: { ...mirror, look },
      surroundings: { ...surroundings, sleep: async () => {} },
    };
    const verdict = await recoverGroup(context, 'a', { ...policy, pollMs: 600_000 });
    expect(verdict).toMatchObject({ kind: 'stuck', problems: [{ code: 'RESYNC_STALLED', node: 'n1' }] });
    expect(looks).toBe(9);
  });

  it('keeps a log that comes to the same decisions, and to others when a fact was another', async () => {
    await leaveLock();
    const recorder = createRecorder({ redact: ['dead00'] });
    const { context } = family;
    const recorded = recorder.context({ ...context, hosts: recorder.hosts(context.hosts) }, 'a', policy);
    expect(await recoverGroup(recorded, 'a', policy)).toMatchObject({ kind: 'whole' });
    const [record] = (await listRecoveries(context.store, 'a')).recoveries;
    const log = await readFile(join(record?.directory ?? '', 'incident.ndjson'), 'utf8');
    expect(log).toBe(recorder.text());
    expect(log).not.toContain('dead00');
    const played = { family: (hosts: typeof context.hosts) => ({ ...context, hosts }) };
    const { difference, decisions } = await replay(log, played);
    expect(difference).toBeNull();
    expect(decisions[0]).toMatch(/^locate/);
    expect(decisions.at(-1)).toBe('end: whole');
    const torn = await replay(log.slice(0, log.indexOf('"step":"pay-debt"') + 10), played);
    expect(torn.difference).toBeNull();
    const failing = await replay(log, {
      ...played,
      change: (call) =>
        call.commands[0] === 'true' ? { ...call, outcome: { kind: 'unknown', reason: 'lost', steps: [] } } : call,
    });
    expect(failing.difference?.recorded).toMatch(/^look/);
    expect(failing.decisions.at(-1)).toMatch(/^end: stuck/);
  });
});
