import { type RecoveryRecord, type RunProgress, recoveryAfter } from '@splitmirror/backup';

/** What has become of a run since that has no backup. */
export type Aftermath =
  | { readonly kind: 'under-way'; readonly host: string; readonly pid: number; readonly step: string | null }
  /** What it left was taken back by a recovery, or was not there any more when a later run began. */
  | { readonly kind: 'taken-back'; readonly by: 'recovery' | 'backup'; readonly run: string; readonly at: string };

/** What the store knows beside the run. */
export interface Later {
  readonly recoveries: readonly Pick<RecoveryRecord, 'run' | 'startedAt' | 'verdict'>[];
  readonly backups: readonly { readonly run: string; readonly createdAt: string }[];
  readonly progress: readonly RunProgress[];
  readonly isAlive: (controller: NonNullable<RunProgress['controller']>) => 'alive' | 'gone' | 'unknown';
}

/** Whether a run without a backup is still at work, or was taken back. Pure; `null` when neither is known. */
export function aftermathOf(
  { run, startedAt }: { readonly run: string; readonly startedAt: string },
  { recoveries, backups, progress, isAlive }: Later,
): Aftermath | null {
  const recovery = recoveryAfter(recoveries, startedAt);
  if (recovery !== undefined) {
    return { kind: 'taken-back', by: 'recovery', run: recovery.run, at: recovery.startedAt };
  }
  // No run begins on what another has left.
  const backup = backups.find((each) => each.createdAt > startedAt);
  if (backup !== undefined) return { kind: 'taken-back', by: 'backup', run: backup.run, at: backup.createdAt };
  const own = progress.find((each) => each.run === run);
  if (own === undefined || own.controller === null || isAlive(own.controller) !== 'alive') return null;
  const { host, pid } = own.controller;
  return { kind: 'under-way', host, pid, step: own.step };
}
