import {
  type BackupErrorCode,
  type Problem,
  type RestoreErrorCode,
  type RunReport,
  type Standing,
  standingCodes,
} from '@splitmirror/backup';
import { SplitmirrorError } from '@splitmirror/host';

/** Every exit code of the command line. A number is never reused for another meaning. */
export const exitCodes = {
  OK: { code: 0, means: 'done; the backup is good, or there was nothing to do' },
  UNEXPECTED: { code: 1, means: 'a defect, or something that no other code names' },
  USAGE: { code: 2, means: 'wrong arguments or configuration; nothing was asked of any node' },
  NOTHING_DUE: {
    code: 3,
    means: 'nothing to do now: no window is open, somebody sees to it, or no node has the group yet',
  },
  GROUP_UNKNOWN: { code: 10, means: 'the cluster knows no such resource group' },
  GROUP_OFFLINE: { code: 11, means: 'no node has the group online' },
  GROUP_MOVING: { code: 12, means: 'the group is moving or an event runs: transient, try again later' },
  GROUP_CONTESTED: { code: 13, means: 'more than one node claims the group' },
  GROUP_UNDECIDABLE: { code: 14, means: 'the evidence does not name one holder' },
  NO_CLUSTER: { code: 15, means: 'no cluster is configured on the nodes' },
  HOST_UNREACHABLE: { code: 16, means: 'a node that has to be asked cannot be reached, or starts no shell' },
  HOST_KEY: { code: 17, means: 'the host key of a node is unknown or has changed' },
  HOST_AUTHENTICATION: { code: 18, means: 'a node does not let this user in' },
  LEVELS_DIFFER: { code: 20, means: 'the software levels of the nodes forbid a backup' },
  PLAN_REFUSED: { code: 21, means: 'the mirror must not or cannot be split as asked' },
  MIRROR_STALE: { code: 22, means: 'a copy lags behind: resynchronise first' },
  MIRROR_SINGLE_COPY: { code: 23, means: 'a volume has one copy only' },
  STORE_FULL: { code: 24, means: 'the store has no room for the archives' },
  STORE_UNUSABLE: { code: 25, means: 'the store cannot be written or read' },
  GROUP_LOCKED: { code: 26, means: 'another run holds the group' },
  NEEDS_RECOVERY: { code: 27, means: 'an earlier run left something behind: recover first; nothing was changed' },
  PLAN_OUTDATED: { code: 28, means: 'the cluster or its storage changed since the plan was made' },
  STORAGE_UNREADABLE: { code: 29, means: 'the storage of the group could not be read' },
  RUN_FAILED: { code: 30, means: 'the run failed; the mirror is whole again' },
  RUN_NEEDS_RECOVERY: { code: 31, means: 'the run died, or ended and could not take everything back: recover' },
  OWNERSHIP_LOST: { code: 32, means: 'the node lost the group during the run; the mirror is whole again' },
  NOT_READY: { code: 33, means: 'something would keep a backup from being made; nothing was changed' },
  RUN_SUSPICIOUS: { code: 34, means: 'the backup is whole, but off the history of its group: look before it counts' },
  PARTIAL: { code: 35, means: 'some groups were backed up and some were not' },
  PLAN_NOT_APPROVED: { code: 36, means: 'nobody has allowed this plan, or the leave has expired' },
  PLAN_UNREADABLE: { code: 37, means: 'a saved plan or approval cannot be read' },
  LOG_UNREADABLE: { code: 38, means: 'this is no incident log' },
  BACKUP_UNKNOWN: { code: 40, means: 'no such complete backup' },
  BACKUP_DAMAGED: { code: 41, means: 'a stored backup is not what its manifest says' },
  RESTORE_TARGET: { code: 42, means: 'the place to restore to cannot be used' },
  PARSE_OUTPUT: { code: 43, means: 'a saved output is not what its command prints' },
  IDENTITY_MISSING: { code: 44, means: 'the backup is encrypted, and no identity opens it' },
  RESTORE_UNKNOWN_PATH: { code: 45, means: 'nothing in the backup has the name that was asked for' },
  RESTORE_NO_SPACE: { code: 46, means: 'the place to restore to has no room' },
  RESTORE_PARTIAL: { code: 47, means: 'some volumes were restored and some were not' },
  RESTORE_OWNERSHIP: { code: 48, means: 'the node does not hold the group, or lost it during the restore' },
  RESTORE_NODE_FAILED: { code: 49, means: 'the node could not take the restore in, or holds something else now' },
  RECOVERY_STUCK: { code: 50, means: 'a person has to look; what was done so far is safe to repeat' },
  REPOSITORY: { code: 51, means: 'the repository of the archives cannot be used' },
  DRILL_FAILED: { code: 52, means: 'a drill failed: the backup is damaged' },
  DRILL_DUE: { code: 53, means: 'no drill was passed for too long' },
  RETENTION_OUTDATED: { code: 54, means: 'the store changed since the retention was planned; nothing was removed' },
  RETENTION_SUSPENDED: { code: 55, means: 'nothing is removed until a person has looked' },
  WINDOW_MISSED: { code: 56, means: 'a window passed without a backup' },
  INSTALLATION_INCOMPLETE: { code: 57, means: 'not everything is on the nodes, or a person has to enter something' },
  REPLAY_DIFFERS: { code: 58, means: 'the replay came to another decision than the run' },
  RESTORE_UNSETTLED: { code: 59, means: 'a restore into the group may still go on, or its lock is left: recover' },
  DRILL_PROBE: { code: 60, means: 'the probe of a drill cannot be run here, which says nothing of the backup' },
  OUTPUT_LOST: { code: 61, means: 'all went well, but what was to be printed could not be written' },
  INTERRUPTED: { code: 130, means: 'interrupted on request; the mirror is whole, and what else is left is told' },
} as const satisfies Record<string, ExitCode> & Record<BackupErrorCode | RestoreErrorCode, ExitCode>;

interface ExitCode {
  readonly code: number;
  readonly means: string;
}

type ExitName = keyof typeof exitCodes;

/** Codes of problems and errors that have an exit code of their own, the most telling first. */
const byProblem: readonly (readonly [RegExp, ExitName])[] = [
  [/^HOST_KEY_/, 'HOST_KEY'],
  [/^HOST_AUTHENTICATION$/, 'HOST_AUTHENTICATION'],
  [/^HOST_(?:UNREACHABLE|LOST|START|PROTOCOL)$/, 'HOST_UNREACHABLE'],
  [/STALE/, 'MIRROR_STALE'],
  [/(?:SINGLE|ONE)_COPY/, 'MIRROR_SINGLE_COPY'],
  [/^STORE_FULL$/, 'STORE_FULL'],
  [/^OWNERSHIP_LOST$/, 'OWNERSHIP_LOST'],
  [/^RESTIC_/, 'REPOSITORY'],
  [/^STORED_IDENTITY$/, 'IDENTITY_MISSING'],
  [/^(?:SSH_SETTINGS|POLICY_INVALID)$/, 'USAGE'],
];

/** What a question ends with that was cut off on request. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Exit code for an error that ended a command. */
export function exitCodeOfError(error: unknown): number {
  if (isAbort(error)) return exitCodes.INTERRUPTED.code;
  if (!SplitmirrorError.is(error)) return exitCodes.UNEXPECTED.code;
  return exitCodeOfCode(error.code, 'problems' in error ? (error.problems as readonly Problem[]) : []);
}

/** Exit code for the code of an error and its reasons. */
export function exitCodeOfCode(code: string, problems: readonly Problem[]): number {
  const own = exitNameOf(code);
  // A refusal that only says "undecidable" or "refused" is told by its first cause.
  if (own === undefined || own === 'GROUP_UNDECIDABLE' || own === 'PLAN_REFUSED') {
    const cause = firstNamed([code, ...problems.map((problem) => problem.code)]);
    if (cause !== undefined) return exitCodes[cause].code;
  }
  return exitCodes[own ?? 'UNEXPECTED'].code;
}

/**
 * Exit code for a look that found several problems: that of the most telling one, 0 when there is none.
 *
 * @param others What problems come to that have no exit code of their own.
 */
export function exitCodeOfProblems(problems: readonly Problem[], others: ExitName = 'NOT_READY'): number {
  const codes = problems.map(({ code }) => code);
  const [own] = codes.flatMap((code) => exitNameOf(code) ?? []);
  const name = firstNamed(codes) ?? own ?? (codes.length > 0 ? others : 'OK');
  return exitCodes[name].code;
}

/** Exit code for the answer to "who holds the group". */
export function exitCodeOfStanding(standing: Standing): number {
  return standing.kind === 'held' ? exitCodes.OK.code : exitCodeOfCode(standingCodes[standing.kind], standing.reasons);
}

/** Exit code for a run that came to a verdict. */
export function exitCodeOfRun({ verdict }: RunReport): number {
  switch (verdict.kind) {
    case 'good':
      return exitCodes.OK.code;
    case 'suspicious':
      return exitCodes.RUN_SUSPICIOUS.code;
    case 'refused':
      return exitCodes[verdict.code].code;
    case 'failed':
    case 'interrupted': {
      if (verdict.recovery.kind !== 'whole') return exitCodes.RUN_NEEDS_RECOVERY.code;
      if (verdict.kind === 'interrupted') return exitCodes.INTERRUPTED.code;
      return exitCodes[firstNamed(verdict.problems.map(({ code }) => code)) ?? 'RUN_FAILED'].code;
    }
  }
}

/** Exit code for several groups: one of its own only where some were backed up and some were not. */
export function exitCodeOfSeveral(codes: readonly number[]): number {
  const suspicious = exitCodes.RUN_SUSPICIOUS.code;
  const lost = codes.filter((code) => code !== exitCodes.OK.code && code !== suspicious);
  const [first] = lost;
  if (first === undefined) return codes.includes(suspicious) ? suspicious : exitCodes.OK.code;
  return lost.length === codes.length ? first : exitCodes.PARTIAL.code;
}

function firstNamed(codes: readonly string[]): ExitName | undefined {
  return byProblem.find(([pattern]) => codes.some((code) => pattern.test(code)))?.[1];
}

function exitNameOf(code: string): ExitName | undefined {
  return Object.hasOwn(exitCodes, code) ? (code as ExitName) : undefined;
}
