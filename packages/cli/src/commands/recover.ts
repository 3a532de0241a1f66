import { type BackupEvent, inspectGroup, type Problem, type RecoveryVerdict, recoverGroup } from '@splitmirror/backup';
import { policyOf } from '../config/policy.ts';
import { exitCodes } from '../exit-codes.ts';
import { operatorName } from '../operator.ts';
import type { Reporter } from '../reporter.ts';
import type { Session } from '../session.ts';
import { problemText } from './problems.ts';
import { recorded } from './recorded.ts';

/** What `recover` may be told. */
export interface RecoverFlags {
  readonly breakLock?: boolean;
  readonly dryRun?: boolean;
}

/** Takes back what an earlier run left: says first what it will do, then does it, and leaves a record of it. */
export async function recover(session: Session, group: string, flags: RecoverFlags): Promise<number> {
  const { config, context, reporter, signal, stop } = session;
  const { breakLock } = flags;
  const policy = policyOf(config, group);
  const { survey, steps, verdict } = await inspectGroup(context, group, policy, { breakLock, signal });
  const { picture, lock, standing } = survey;
  reporter.line(`${group} is on ${standing.node}`);
  for (const { what, name, run } of picture.leftovers) reporter.line(`  left by run ${run}: ${what} ${name}`);
  if (lock.kind === 'held') reporter.line(`  lock of run ${lock.holder.run} since ${lock.holder.since}`);
  if (lock.kind !== 'unreadable' && lock.debt) reporter.line('  note of a suspended application');
  if (picture.stalePartitions > 0) reporter.line(`  ${picture.stalePartitions} partitions are stale`);
  for (const { node, title, commands } of steps) {
    reporter.line(`  ${node}: ${title}`);
    for (const command of commands) reporter.line(`    $ ${command}`);
  }
  if (flags.dryRun) {
    reporter.result({ leftovers: picture.leftovers, steps, ...verdict });
    const waits = picture.stalePartitions > 0 ? ', and the copies come into step by themselves' : '';
    const found = steps.length === 0 ? 'nothing is to be taken back' : 'this is what recover would do';
    return tellVerdict(reporter, verdict, `${found}${waits}`);
  }
  let directory: string | null = null;
  let unrecorded = null as Problem | null;
  const onEvent = (event: BackupEvent) => {
    if (event.type === 'recovery-end') ({ directory, unrecorded } = event);
    context.onEvent?.(event);
  };
  const done = await recoverGroup(
    recorded({ config, context: { ...context, onEvent } }, group).context,
    group,
    policy,
    { breakLock, stop, by: operatorName() },
  );
  if (directory !== null) reporter.line(`record: ${directory}`);
  if (unrecorded !== null) {
    reporter.warn(`what was taken back is not recorded, or not all of it: ${unrecorded.message}`);
  }
  reporter.result({ ...done, directory, unrecorded });
  return tellVerdict(reporter, done, 'whole: every copy is in step and nothing of splitmirror is left');
}

/** Tells how a recovery has ended, or would end. */
function tellVerdict(reporter: Reporter, verdict: RecoveryVerdict, whole: string): number {
  switch (verdict.kind) {
    case 'whole':
      reporter.line(whole);
      for (const node of verdict.unseen)
        reporter.alert(`  ${node} could not be looked at: run recover again when it is back`);
      return exitCodes.OK.code;
    case 'busy':
      for (const line of problemText(verdict.problem)) reporter.alert(line);
      return exitCodes.GROUP_LOCKED.code;
    case 'stuck':
      for (const line of verdict.problems.flatMap(problemText)) reporter.alert(line);
      return exitCodes.RECOVERY_STUCK.code;
  }
}
