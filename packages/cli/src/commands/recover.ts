import {
  type BackupEvent,
  inspectGroup,
  isWaitedFor,
  type Problem,
  type RecoveryVerdict,
  recoverGroup,
} from '@splitmirror/backup';
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
  const found = await inspectGroup(context, group, policy, { breakLock, signal }).catch((error: unknown) => {
    // A takeover that is under way ends by itself: the recovery looks for itself then, and does what it finds.
    if (flags.dryRun || !isWaitedFor(error)) throw error;
    reporter.line(`${error.message}: recover asks again, for a while`);
    return null;
  });
  if (found !== null) tellFound(reporter, group, found);
  if (flags.dryRun && found !== null) {
    const { survey, steps, verdict } = found;
    const { leftovers, stalePartitions } = survey.picture;
    reporter.result({ leftovers, steps, ...verdict });
    const waits = stalePartitions > 0 ? ', and the copies come into step by themselves' : '';
    const what = steps.length === 0 ? 'nothing is to be taken back' : 'this is what recover would do';
    return tellVerdict(session, group, verdict, `${what}${waits}`);
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
  return tellVerdict(session, group, done, 'whole: every copy is in step and nothing of splitmirror is left');
}

/** Tells what an inspection has found, and what will be done about it. */
function tellFound(
  reporter: Reporter,
  group: string,
  { survey, steps }: Awaited<ReturnType<typeof inspectGroup>>,
): void {
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
}

/** Tells how a recovery has ended, or would end. */
function tellVerdict(session: Session, group: string, verdict: RecoveryVerdict, whole: string): number {
  const { reporter } = session;
  switch (verdict.kind) {
    case 'whole':
      reporter.line(whole);
      for (const node of verdict.unseen)
        reporter.alert(`  ${node} could not be looked at: run recover again when it is back`);
      return exitCodes.OK.code;
    case 'busy':
      for (const line of problemText([verdict.problem], session)) reporter.alert(line);
      return exitCodes.GROUP_LOCKED.code;
    case 'stuck':
      for (const line of problemText(verdict.problems, session)) reporter.alert(line);
      reporter.alert(`  then, as often as you like: ${session.commandLine('recover', group)}`);
      return exitCodes.RECOVERY_STUCK.code;
  }
}
