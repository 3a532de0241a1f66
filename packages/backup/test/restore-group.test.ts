import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost, type RemoteProcess, type Script } from '@splitmirror/host';
import { type Lab, startLab } from '@splitmirror/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aixFamily } from '../src/aix.ts';
import type { BackupContext } from '../src/context.ts';
import { planBackup } from '../src/plan/plan.ts';
import type { Feedable } from '../src/restore/feed.ts';
import { restoreIntoGroup } from '../src/restore/restore-group.ts';
import { previewRestore } from '../src/restore/selection.ts';
import { recoverGroup } from '../src/run/recover.ts';
import { runBackup } from '../src/run/run.ts';
import { openStore, type StoredBackup } from '../src/store/store.ts';
import { systemSurroundings } from '../src/surroundings.ts';
import { labPolicy } from './lab-policy.ts';

let lab: Lab;
let context: BackupContext;
let feeds: Map<string, Feedable>;
let backup: StoredBackup;
/** A file that nobody writes to. */
let name: string;
beforeAll(async () => {
  lab = await startLab({ contentBytes: 2_000_000 });
  const hosts = new Map(lab.nodes.map(({ name, path }) => [name, createHost(name, lab.transport(name), { path })]));
  feeds = new Map(
    lab.nodes.map(({ name, path }) => [name, { transport: lab.transport(name), path, shell: lab.shell }]),
  );
  const surroundings = systemSurroundings();
  context = {
    ...aixFamily({ hosts, now: surroundings.now, stabilityMs: 50 }),
    store: openStore(await mkdtemp(join(tmpdir(), 'splitmirror-group-'))),
    surroundings,
  };
  const { verdict } = await runBackup(context, await planBackup(context, 'ledger_rg', labPolicy));
  expect(verdict).toEqual({ kind: 'good' });
  backup = await context.store.find('ledger_rg');
  const { volumes } = await previewRestore(backup, { select: ['/ledger/accounts/**'] });
  // The ledger goes on: of its own books it would read back what it has written since.
  name = volumes[0]?.paths.find((path) => /statement-/.test(path)) ?? '';
});
afterAll(() => lab.close());

const options = () => ({ feeds, timeoutSeconds: 60 });
/** A backup can be planned again. */
const lockIsFree = () => planBackup(context, 'ledger_rg', labPolicy);
const onNode = (path: string) => lab.storage.realPath('db_node1', path);

describe('restoreIntoGroup', { timeout: 120_000 }, () => {
  it('puts files back on the node that holds the group, with the proof before and after', async () => {
    const file = onNode(name);
    await writeFile(file, 'damaged');
    const report = await restoreIntoGroup(context, backup, 'ledger_rg', {
      ...options(),
      select: [name],
    });
    expect(report.node).toBe('db_node1');
    expect(report.volumes).toMatchObject([{ volume: 'accountslv', path: '/ledger/accounts', files: 1 }]);
    expect(report.proofs.length).toBeGreaterThanOrEqual(5);
    expect(await readFile(file, 'utf8')).not.toBe('damaged');
    await lockIsFree();
  });

  it('brings the whole group back, the raw volume too, while the application is at rest', async () => {
    await lab.run('db_node1', ['ledgerctl', 'suspend']);
    try {
      const devices = [{ volume: 'auditlv', device: '/dev/rauditlv', lvcb: 'keep' }] as const;
      const { volumes } = await restoreIntoGroup(context, backup, 'ledger_rg', { ...options(), devices, proofMs: 200 });
      expect(volumes.map(({ volume, path }) => [volume, path])).toEqual([
        ['accountslv', '/ledger/accounts'],
        ['journallv', '/ledger/journal'],
        ['auditlv', '/dev/rauditlv'],
      ]);
    } finally {
      await lab.run('db_node1', ['ledgerctl', 'resume']);
    }
    await lockIsFree();
  });

  it('refuses a raw volume of which nothing says where it goes, and a backup of another group', async () => {
    await expect(
      restoreIntoGroup(context, backup, 'ledger_rg', { ...options(), select: ['auditlv'] }),
    ).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
    });
    await expect(restoreIntoGroup(context, backup, 'other_rg', options())).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
    });
  });

  const audit = { volume: 'auditlv', device: '/dev/rauditlv', lvcb: 'keep' } as const;
  const restoreAudit = (device: string, within: BackupContext = context) =>
    restoreIntoGroup(within, backup, 'ledger_rg', {
      ...options(),
      select: ['auditlv'],
      devices: [{ ...audit, device }],
    });
  it.each(['/dev/rhd4', '/dev/auditlv', '/dev/raccountslv'])(
    'writes to no device but a raw volume of the group: %s',
    async (device) => {
      await expect(restoreAudit(device)).rejects.toMatchObject({
        code: 'RESTORE_TARGET',
        message: `db_node1: ${device} is no raw volume of the group: /dev/rauditlv`,
      });
    },
  );

  it('writes to no device that is open, or too small', async () => {
    const close = lab.storage.open('db_node1', 'auditlv');
    await expect(restoreAudit(audit.device)).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringContaining('is open'),
    });
    close();
    const look: typeof context.mirror.look = async (...words) => {
      const seen = await context.mirror.look(...words);
      return { ...seen, rawDevices: seen.rawDevices?.map((each) => ({ ...each, bytes: each.bytes - 512 })) };
    };
    const small = { ...context, mirror: { ...context.mirror, look } };
    await expect(restoreAudit(audit.device, small)).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringMatching(/takes \d+ bytes, and the archive of auditlv has \d+/),
    });
  });

  /** The process of the restore lives on, and has given its lock up: a person looks, and a recovery takes it back. */
  const recover = async (breakLock = false) => {
    expect(await recoverGroup(context, 'ledger_rg', labPolicy, { breakLock })).toMatchObject({ kind: 'whole' });
    await lockIsFree();
  };

  it('keeps the lock while the node may still write, until a recovery', async () => {
    const cut = new Map(
      [...feeds].map(([node, feed]): [string, Feedable] => [
        node,
        {
          ...feed,
          transport: { ...feed.transport, open: async (line) => lostAtOnce(await feed.transport.open(line)) },
        },
      ]),
    );
    const restoring = restoreIntoGroup(context, backup, 'ledger_rg', { ...options(), feeds: cut, select: [name] });
    await expect(restoring).rejects.toMatchObject({
      code: 'RESTORE_UNSETTLED',
      message: expect.stringMatching(/the end of process \d+ was not confirmed; the lock of ledger_rg stays/),
      remedy: expect.stringMatching(/Make sure on db_node1 .* run: splitmirror recover ledger_rg --break-lock\./),
      restored: [],
    });
    const remedy = expect.stringMatching(/^Make sure on db_node1 .* splitmirror recover ledger_rg --break-lock$/);
    await expect(lockIsFree()).rejects.toMatchObject({ code: 'GROUP_LOCKED', remedy });
    const { surroundings } = context;
    const later = { ...context, surroundings: { ...surroundings, isAlive: () => 'gone' as const } };
    expect(await recoverGroup(later, 'ledger_rg', labPolicy), 'its process is gone').toMatchObject({
      kind: 'busy',
      problem: { code: 'GROUP_LOCKED', remedy },
    });
    await recover(true);
  });

  it('says so when the lock could not be given back after all was restored', async () => {
    const hosts = new Map(
      [...context.hosts].map(([node, host]) => [
        node,
        {
          ...host,
          run: (script: Script, how?: object) =>
            script.steps.some(({ id }) => id === 'unlock')
              ? Promise.reject(new Error('no link'))
              : host.run(script, how),
        },
      ]),
    );
    const restoring = restoreIntoGroup({ ...context, hosts }, backup, 'ledger_rg', { ...options(), select: [name] });
    await expect(restoring).rejects.toMatchObject({
      code: 'RESTORE_UNSETTLED',
      message: 'all is restored; the lock of ledger_rg stays where it is',
      restored: ['accountslv'],
    });
    await expect(lockIsFree()).rejects.toMatchObject({ code: 'NEEDS_RECOVERY' });
    await recover();
  });

  it('leaves a lock that it could not mark as given up to whoever may break it, in this process too', async () => {
    const hosts = new Map(
      [...context.hosts].map(([node, host]) => [
        node,
        {
          ...host,
          run: (script: Script, how?: object) =>
            script.steps.some(({ id }) => id === 'unlock' || id === 'own')
              ? Promise.reject(new Error('no link'))
              : host.run(script, how),
        },
      ]),
    );
    const restoring = restoreIntoGroup({ ...context, hosts }, backup, 'ledger_rg', { ...options(), select: [name] });
    await expect(restoring).rejects.toMatchObject({ code: 'RESTORE_UNSETTLED' });
    expect(await recoverGroup(context, 'ledger_rg', labPolicy)).toMatchObject({ kind: 'busy' });
    await recover(true);
  });

  it('says why it did not get the lock, when that may be left there', async () => {
    const hosts = new Map(
      [...context.hosts].map(([node, host]) => [
        node,
        {
          ...host,
          run: (script: Script, how?: object) =>
            script.steps.some(({ id }) => id === 'lock' || id === 'unlock')
              ? Promise.resolve({ kind: 'unknown' as const, reason: 'no link', steps: [] })
              : host.run(script, how),
        },
      ]),
    );
    const restoring = restoreIntoGroup({ ...context, hosts }, backup, 'ledger_rg', { ...options(), select: [name] });
    await expect(restoring).rejects.toMatchObject({
      code: 'RESTORE_UNSETTLED',
      problems: [{ code: 'GROUP_LOCKED' }, { code: 'LOCK_FAILED', seen: 'no link' }, { code: 'NODE_EFFECT_FAILED' }],
    });
    await lockIsFree();
  });

  it('ends when the node loses the group meanwhile, and says so', async () => {
    const asked: string[] = [];
    const confirm: BackupContext['cluster']['confirm'] = async (proof, how) =>
      asked.push(proof.node) > 2
        ? { kind: 'lost', changed: [{ fact: 'node', before: 'db_node1', after: 'db_node2' }] }
        : context.cluster.confirm(proof, how);
    const moving = { ...context, cluster: { ...context.cluster, confirm } };
    await expect(restoreIntoGroup(moving, backup, 'ledger_rg', { ...options(), select: [name] })).rejects.toMatchObject(
      { code: 'RESTORE_OWNERSHIP', message: expect.stringContaining('db_node1 lost ledger_rg') },
    );
    await lockIsFree();
  });
});

/** A link that is lost with the first word from the other side. */
function lostAtOnce(child: RemoteProcess): RemoteProcess {
  child.stdout.once('data', () => child.destroy());
  return child;
}
