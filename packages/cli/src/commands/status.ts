import {
  type BackupContext,
  type BackupListing,
  type GroupStatus,
  groupStatus,
  listBackups,
  listRecoveries,
  type Problem,
  type RecoveryRecord,
  type UnderWay,
} from '@splitmirror/backup';
import { exitCodeOfProblems, exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { storeAbsence } from './absent-store.ts';
import { problemsOf, problemText } from './problems.ts';
import { tellOutcome } from './report-text.ts';

/** What of ours is where, for one group, and what became of it last. */
interface ToldStatus extends GroupStatus {
  readonly group: string;
  /** Why the store could not be asked for what follows, which is `null` then. */
  readonly unread: Problem | null;
  /** When the newest backup was committed (UTC, ISO 8601). */
  readonly lastBackup: string | null;
  readonly lastHealth: Pick<BackupListing, 'health' | 'reasons'> | null;
  readonly lastRecovery: Pick<RecoveryRecord, 'run' | 'startedAt' | 'by' | 'verdict'> | null;
}

/** Says what of splitmirror is on which node, and who is at work: copies, mounts, locks, debts, resyncs. Changes nothing. */
export async function status(session: Session): Promise<number> {
  const { config, context, reporter, signal, commandLine } = session;
  const groups: ToldStatus[] = [];
  for (const group of Object.keys(config.groups).sort()) {
    const seen = await statusOf(context, group, signal);
    groups.push(seen);
    const { node, underWay, findings, problems, unread, lastBackup, lastHealth, lastRecovery } = seen;
    const isQuiet = findings?.length === 0 && problems.length === 0;
    tellOutcome(reporter, [`${group}: ${node === null ? 'nobody provably holds it' : `on ${node}`}`], isQuiet);
    const isGood = lastHealth === null || lastHealth.health === 'good';
    const remark = isGood ? '' : `, ${[lastHealth.health, ...lastHealth.reasons].join('; ')}`;
    if (unread === null) tellOutcome(reporter, [`  last backup: ${lastBackup ?? 'none'}${remark}`], isGood);
    else reporter.warn(`${group}: its last backup and recovery are not known: ${unread.message}`);
    if (lastRecovery !== null) {
      const { startedAt, by, verdict } = lastRecovery;
      reporter.line(`  last recovery: ${startedAt} by ${by ?? 'somebody'}, ${verdict ?? 'without an end'}`);
    }
    if (underWay !== null) for (const line of underWayText(underWay)) reporter.line(line);
    for (const line of findings ?? []) reporter.alert(`  ${line}`);
    if (hasFindings(seen)) {
      const when = node === null ? ', as soon as a node provably holds the group' : '';
      reporter.alert(`  take it back${when}: ${commandLine('recover', group)}`);
    }
    if (node === null && findings?.length === 0) {
      reporter.alert('  nothing that a dead run has left was found on the nodes that could be looked at');
    }
    for (const line of problemText(problems, session)) reporter.alert(line);
    if (isQuiet && underWay === null) reporter.line('  nothing of ours is on any node');
  }
  reporter.result({ groups });
  // A mirror that lies split is worse than what keeps from seeing more.
  if (groups.some(hasFindings)) return exitCodes.NEEDS_RECOVERY.code;
  return exitCodeOfProblems(groups.flatMap((each) => each.problems));
}

function hasFindings({ findings }: Pick<GroupStatus, 'findings'>): boolean {
  return findings !== null && findings.length > 0;
}

function underWayText({ run, kind, step, since, controller, liveness, holds }: UnderWay): string[] {
  const { pid, host } = controller;
  const is = liveness === 'alive' ? 'is under way' : 'holds the group';
  return [
    `  ${kind ?? 'run'} ${run} ${is}: process ${pid} on ${host}, since ${since}${step === null ? '' : `; ${step}`}`,
    ...holds.map((line) => `    ${line}`),
  ];
}

async function statusOf(context: BackupContext, group: string, signal: AbortSignal): Promise<ToldStatus> {
  const known = { group, ...(await lastOf(context, group)) };
  try {
    return { ...known, ...(await groupStatus(context, group, signal)) };
  } catch (error) {
    signal.throwIfAborted();
    const problems: readonly Problem[] = problemsOf(error, null);
    return { ...known, node: null, underWay: null, findings: null, problems };
  }
}

/** What the store knows of a group. What is on the nodes is told also where it cannot be read. */
async function lastOf(
  { store, surroundings }: BackupContext,
  group: string,
): Promise<Pick<ToldStatus, 'unread' | 'lastBackup' | 'lastHealth' | 'lastRecovery'>> {
  try {
    const listed = await listBackups(store, group, surroundings.now());
    const newest = listed.findLast(({ health }) => health !== 'incomplete');
    const last = (await listRecoveries(store, group)).recoveries.at(-1);
    return {
      unread: await storeAbsence(store),
      lastBackup: newest?.manifest?.committedAt ?? newest?.createdAt ?? null,
      lastHealth: newest === undefined ? null : { health: newest.health, reasons: newest.reasons },
      lastRecovery:
        last === undefined ? null : { run: last.run, startedAt: last.startedAt, by: last.by, verdict: last.verdict },
    };
  } catch (error) {
    const [unread = null] = problemsOf(error, null);
    return { unread, lastBackup: null, lastHealth: null, lastRecovery: null };
  }
}
