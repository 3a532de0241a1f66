import { SplitmirrorError } from '@splitmirror/host';
import type { Problem } from './ports.ts';

/** What a caller may meet. Stable; the command line maps each to an exit code of its own. */
export type BackupErrorCode =
  /** The cluster knows no such group. */
  | 'GROUP_UNKNOWN'
  /** No node has the group online. */
  | 'GROUP_OFFLINE'
  /** The group is being acquired or released, or an event is running. */
  | 'GROUP_MOVING'
  /** More than one node claims a group that only one may have. */
  | 'GROUP_CONTESTED'
  /** The evidence does not suffice to name the holder. */
  | 'GROUP_UNDECIDABLE'
  /** No cluster is configured on the nodes that were asked. */
  | 'NO_CLUSTER'
  /** The nodes' software levels forbid a backup. */
  | 'LEVELS_DIFFER'
  /** The mirror must not or cannot be split as asked; every reason is listed. */
  | 'PLAN_REFUSED'
  /** The storage of the group could not be read. */
  | 'STORAGE_UNREADABLE'
  /** Another run holds the group's lock. */
  | 'GROUP_LOCKED'
  /** An earlier run left something behind that has to be taken back first. */
  | 'NEEDS_RECOVERY'
  /** The cluster or its storage has changed since the plan was made. */
  | 'PLAN_OUTDATED'
  /** Nobody has allowed this plan, or the leave has expired. */
  | 'PLAN_NOT_APPROVED'
  /** A saved plan or approval is not what was saved. */
  | 'PLAN_UNREADABLE'
  /** Not an incident log. */
  | 'LOG_UNREADABLE'
  /** The store has no room for the archives. */
  | 'STORE_FULL'
  /** The store cannot be written or read. */
  | 'STORE_UNUSABLE'
  /** No such backup, or one that is not complete. */
  | 'BACKUP_UNKNOWN'
  /** A stored archive is not what its manifest says. */
  | 'BACKUP_DAMAGED'
  /** The place to restore to cannot be used. */
  | 'RESTORE_TARGET';

/** Why a plan, a restore or a recovery was refused before anything was changed. */
export class BackupError extends SplitmirrorError {
  readonly code: BackupErrorCode;
  /** Every reason; empty when the message says it all. */
  readonly problems: readonly Problem[];

  constructor(
    code: BackupErrorCode,
    message: string,
    options: { remedy: string; problems?: readonly Problem[]; cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.problems = options.problems ?? [];
  }
}
