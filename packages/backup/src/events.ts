import type { Problem } from './ports.ts';
import type { RecoveryVerdict } from './run/recovery.ts';
import type { RunVerdict } from './run/reducer.ts';
import type { Trace } from './run/traces.ts';

/** What happens, as it happens. Sizes in bytes, times UTC in ISO 8601. A JSON line of `--json` is one of these. */
export type BackupEvent = { readonly at: string } & (
  | { readonly type: 'run-start'; readonly run: string; readonly group: string; readonly node: string }
  | {
      readonly type: 'step-start';
      /** Kind of the effect, for instance `perform`. */
      readonly step: string;
      readonly title: string;
      /** Exact commands, as typed, where the step runs a phase of the plan. */
      readonly commands: readonly string[];
      /** What of ours is on the nodes from now on, or may be: what is left if everything ends here. */
      readonly traces: readonly Trace[];
    }
  | {
      readonly type: 'step-end';
      readonly step: string;
      readonly title: string;
      readonly outcome: string;
      readonly facts: Readonly<Record<string, string>>;
    }
  | { readonly type: 'archive-start'; readonly volume: string; readonly file: string; readonly bytesAtMost: number }
  | { readonly type: 'archive-progress'; readonly volume: string; readonly bytes: number; readonly entries: number }
  | {
      readonly type: 'archive-end';
      readonly volume: string;
      readonly bytes: number;
      readonly entries: number;
      readonly sha256: string;
    }
  | { readonly type: 'resync-progress'; readonly stalePartitions: number; readonly totalPartitions: number }
  | { readonly type: 'way-back'; readonly reason: 'failed' | 'interrupted'; readonly problems: readonly Problem[] }
  | { readonly type: 'run-end'; readonly verdict: RunVerdict; readonly directory: string | null }
  | {
      readonly type: 'recovery-start';
      /** Id of the recovery itself. */
      readonly run: string;
      readonly group: string;
      /** Who asked for it; `null` where nobody said. */
      readonly by: string | null;
      readonly breakLock: boolean;
    }
  | {
      readonly type: 'recovery-end';
      readonly verdict: RecoveryVerdict;
      /** Directory of its record; `null` where it found nothing to take back, or the store cannot be used. */
      readonly directory: string | null;
      /** Why there is no whole record of what it took back; `null` where there is one, or nothing to be recorded. */
      readonly unrecorded: Problem | null;
    }
);
