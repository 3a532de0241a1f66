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
  | 'RESTORE_NODE_FAILED';

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
