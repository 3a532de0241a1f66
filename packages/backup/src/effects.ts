import type { Holder, LockReading, LockResult } from './lock.ts';
import type { ArchiveRecord } from './manifest.ts';
import type {
  Confirmation,
  GroupContents,
  Phase,
  PhaseOutcome,
  Picture,
  Problem,
  Proof,
  Redundancy,
  Standing,
} from './ports.ts';

/** One thing to do in the world. The reducers name effects, the driver performs them; nothing else touches a node. */
export type Effect = NodeEffect | RunEffect;

/** Effects that a run and a recovery share. */
export type NodeEffect =
  | { readonly kind: 'locate' }
  | { readonly kind: 'confirm'; readonly proof: Proof; readonly before: string }
  | { readonly kind: 'look'; readonly node: string; readonly contents: GroupContents }
  | { readonly kind: 'read-lock'; readonly node: string; readonly notes: string }
  | { readonly kind: 'lock'; readonly node: string; readonly notes: string; readonly holder: Holder }
  | {
      readonly kind: 'inherit';
      readonly node: string;
      readonly notes: string;
      readonly holder: Holder;
      readonly from: Holder;
    }
  | { readonly kind: 'break-lock'; readonly node: string; readonly notes: string }
  | { readonly kind: 'pay-debt'; readonly node: string; readonly notes: string }
  | { readonly kind: 'perform'; readonly phase: Phase }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'unlock'; readonly node: string; readonly notes: string };

/** Effects of a run alone. */
type RunEffect = { readonly kind: 'archive' } | { readonly kind: 'redundancy' } | { readonly kind: 'commit' };

/** Whether something without a result of its own was done. */
export type Done = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly problem: Problem };

/** What became of an effect, and when (UTC, ISO 8601). */
export type Observation = Outcome & { readonly at: string };

/** What became of an effect. `of` names its kind. */
export type Outcome =
  | { readonly of: 'locate'; readonly standing: Standing }
  | { readonly of: 'confirm'; readonly confirmation: Confirmation }
  | { readonly of: 'look'; readonly looked: Looked }
  | { readonly of: 'read-lock'; readonly reading: LockReading; readonly liveness: Liveness }
  | { readonly of: 'lock'; readonly result: LockResult }
  | { readonly of: 'inherit'; readonly result: LockResult }
  | { readonly of: 'break-lock'; readonly result: Done }
  | { readonly of: 'pay-debt'; readonly result: Done }
  | { readonly of: 'perform'; readonly outcome: PhaseOutcome }
  | { readonly of: 'archive'; readonly result: ArchivesResult }
  | { readonly of: 'redundancy'; readonly redundancy: Redundancy }
  | { readonly of: 'wait' }
  | { readonly of: 'commit'; readonly result: Done }
  | { readonly of: 'unlock'; readonly result: Done }
  /** An orderly way back is asked for, between two effects: by the caller, or because of a problem of this side. */
  | { readonly of: 'interrupt'; readonly problem: Problem | null };

/** What a look at the storage brought. */
export type Looked =
  | { readonly kind: 'seen'; readonly picture: Picture }
  | { readonly kind: 'failed'; readonly problem: Problem };

/** Whether the holder of a lock still runs. `unknown`: it ran on a machine that cannot be asked from here. */
export type Liveness = 'mine' | 'alive' | 'gone' | 'unknown';

/** What the archiving of all volumes brought. */
export type ArchivesResult =
  | { readonly kind: 'archived'; readonly archives: readonly ArchiveRecord[]; readonly proofs: readonly Proof[] }
  | { readonly kind: 'failed'; readonly problems: readonly Problem[] };
