import { SplitmirrorError } from '@splitmirror/host';
import type { Problem } from '../ports.ts';

/** Why a restore or a drill did not do what it was asked for. */
export type RestoreErrorCode =
  /** The backup is encrypted, and no identity was given. */
  | 'IDENTITY_MISSING'
  /** Nothing in the backup has the name that was asked for. */
  | 'RESTORE_UNKNOWN_PATH'
  /** The place has no room for what would come. */
  | 'RESTORE_NO_SPACE'
  /** Some of it was restored, and some was not: `problems` and `restored` tell which. */
  | 'RESTORE_PARTIAL'
  /** The node does not hold the group, or lost it meanwhile. */
  | 'RESTORE_OWNERSHIP'
  /**
   * It is not known whether what the restore began has ended, or the group's lock could not be given back: the lock stays, and
   * keeps others away, until a recovery.
   */
  | 'RESTORE_UNSETTLED'
  /** The node's own tool failed, or what the node holds now is not what was sent. */
  | 'RESTORE_NODE_FAILED'
  /** The probe of a drill cannot be run, which says nothing of the backup. */
  | 'DRILL_PROBE'
  /** Interrupted on request, when something had been written: the message says what is left. */
  | 'INTERRUPTED';

/** A restore that did not come to its end. */
export class RestoreError extends SplitmirrorError {
  readonly code: RestoreErrorCode;
  /** Every reason; empty when the message says it all. */
  readonly problems: readonly Problem[];
  /** Names of the volumes that were restored and checked before. */
  readonly restored: readonly string[];

  constructor(
    code: RestoreErrorCode,
    message: string,
    options: { remedy: string; problems?: readonly Problem[]; restored?: readonly string[]; cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.problems = options.problems ?? [];
    this.restored = options.restored ?? [];
  }
}

/** What it began may still go on: whatever else is told, this comes first. */
export function isUnsettled(error: unknown): error is RestoreError {
  return error instanceof RestoreError && error.code === 'RESTORE_UNSETTLED';
}

/** The same error with what the restore had come to before. */
export function withBefore(error: RestoreError, restored: readonly string[], before: readonly Problem[]): RestoreError {
  const { code, message, remedy = '', problems, cause } = error;
  return new RestoreError(code, message, { remedy, problems: [...before, ...problems], restored, cause });
}

/**
 * A restore that was interrupted on request, and what it has left.
 *
 * @param volume The one that was under way; `null` between two of them.
 * @param problems Of volumes that had failed before.
 */
export function interruptedAt(
  volume: string | null,
  restored: readonly string[],
  problems: readonly Problem[],
  cause?: unknown,
): RestoreError {
  const whole = restored.length === 0 ? 'no volume is restored' : `restored: ${restored.join(', ')}`;
  const part = volume === null ? '' : `; of ${volume} a part may have been written`;
  return new RestoreError('INTERRUPTED', `interrupted: ${whole}${part}`, {
    remedy:
      volume === null
        ? 'Restore the others: a name without a slash selects a volume.'
        : `Use nothing of ${volume} as it stands there: take it away, or restore it again over it.`,
    problems,
    restored,
    cause,
  });
}
