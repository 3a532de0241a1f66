import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { localHost, reads } from '@splitmirror/host';
import type { BackupContext } from '../src/context.ts';
import type { PlannedArchive, RunPlan } from '../src/plan/run-plan.ts';
import { archiveVolumes, planArchive } from '../src/run/archiving.ts';
import type { Store, StoredBackup } from '../src/store/store.ts';
import type { StoredForm } from '../src/store/stored-form.ts';
import { systemSurroundings } from '../src/surroundings.ts';
import { plan as modelPlan } from './model.ts';
import { manifestOf } from './stored.ts';

/** A file system and a raw volume of this machine, as files below `source`. */
export async function makeSource(source: string): Promise<void> {
  await mkdir(join(source, 'fs', 'accounts', '2026'), { recursive: true });
  await mkdir(join(source, 'fs', '.splitmirror'));
  await writeFile(join(source, 'fs', '.splitmirror', 'lock'), 'a lock\n');
  await writeFile(join(source, 'fs', 'accounts', '2026', 'november'), 'bookings\n', { mode: 0o640 });
  await writeFile(join(source, 'fs', 'accounts', 'index'), Buffer.alloc(200_000, 'i'));
  await writeFile(join(source, 'fs', 'readme'), 'read me\n');
  await symlink('accounts/index', join(source, 'fs', 'latest'));
  await writeFile(join(source, 'raw'), Buffer.alloc(500_000, 'r'));
}

interface BackupOptions {
  readonly run?: string;
  readonly form?: StoredForm;
  readonly createdAt?: string;
  readonly idleSeconds?: number;
}

/** A backup of {@link makeSource} by the real tools of this machine, in this store. */
export function makeBackup(store: Store, source: string, options: BackupOptions = {}): Promise<StoredBackup> {
  const tree = archiveOfTree('datalv', join(source, 'fs'), options);
  const raw: PlannedArchive = {
    ...tree,
    volume: 'rawlv',
    tool: 'dd',
    mountPoint: null,
    file: tree.file.replace('datalv.tar', 'rawlv.dd'),
    source: reads('cat', join(source, 'raw')),
    expectedBytes: 500_000,
  };
  return makeBackupOf(store, [tree, raw], options);
}

/** What the plan of a backup says of a split copy that is mounted here. */
export function archiveOfTree(volume: string, path: string, options: BackupOptions = {}): PlannedArchive {
  return planArchive(
    {
      volume,
      strategy: 'model',
      copy: 'copy',
      source: { kind: 'directory', mountPoint: '/data', path },
      bytes: 1_000_000,
      copies: 2,
      copiesLeft: 1,
      partitionsToResync: 1,
    },
    policyOf(options),
  );
}

/** A backup of split copies that are mounted here, by the real tools of this machine, in this store. */
export async function makeBackupOf(
  store: Store,
  archives: readonly PlannedArchive[],
  options: BackupOptions = {},
): Promise<StoredBackup> {
  const { run = 'aaaaaa', createdAt = '2026-11-22T10:00:00.000Z' } = options;
  const plan: RunPlan = { ...modelPlan, run, archives, policy: policyOf(options) };
  const context = {
    hosts: new Map([['a', localHost('a', { path: '/usr/bin:/bin' })]]),
    cluster: { confirm: async () => ({ kind: 'holds', proof: modelPlan.proof }) },
    surroundings: systemSurroundings(),
  } as unknown as BackupContext;
  const stored = await store.begin('g', run, createdAt);
  const result = await archiveVolumes(context, plan, stored, undefined);
  await stored.journal.close();
  if (result.kind !== 'archived') throw new Error(JSON.stringify(result));
  await stored.commit(manifestOf(run, { createdAt, archives: [...result.archives] }));
  return store.find('g', run);
}

const policyOf = ({ form = {}, idleSeconds = 60 }: BackupOptions) => ({
  ...modelPlan.policy,
  archiveSeconds: 60,
  idleSeconds,
  proofMs: 60_000,
  stored: form,
});

/** @throws when two trees differ, apart from our own notes. */
export function requireSameTree(one: string, other: string): void {
  execFileSync('sh', ['-c', 'diff -r --exclude=.splitmirror "$1" "$2"', 'sh', one, other]);
}

/** @throws when two files differ. */
export function requireSameBytes(one: string, other: string): void {
  execFileSync('sh', ['-c', 'cmp "$1" "$2"', 'sh', one, other]);
}
