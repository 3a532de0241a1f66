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
} from '../ports.ts';
import type { ArchiveRecord } from '../store/manifest.ts';
import type { Holder, Liveness, LockReading, LockResult } from './lock.ts';

/** One thing to do in the world. The reducers name effects, the driver performs them; nothing else touches a node. */
export type Effect = NodeEffect | RunEffect;

/** Effects that a run and a recovery share. */
export type NodeEffect =
  | { readonly kind: 'locate' }
  | { readonly kind: 'confirm'; readonly proof: Proof; readonly before: string }
  | { readonly kind: 'look'; readonly node: string; readonly contents: GroupContents }
  | { readonly kind: 'read-lock'; readonly node: string; readonly notes: string }
  | {
      readonly kind: 'lock';
      readonly node: string;
      readonly notes: string;
      readonly holder: Holder;
      /** Tokens of holders that are gone. */
      readonly over: readonly string[];
    }
  | { readonly kind: 'wait'; readonly ms: number }
  | ScriptedEffect;

/** Effects whose script is known beforehand: those that take something back. */
export type ScriptedEffect =
  | { readonly kind: 'break-lock'; readonly node: string; readonly notes: string; readonly names: readonly string[] }
  /** Lets the application go on, and then removes the note. */
  | { readonly kind: 'pay-debt'; readonly node: string; readonly notes: string }
  /** Lets it go on, and leaves the note: a suspension may still come into effect. */
  | { readonly kind: 'resume'; readonly node: string; readonly notes: string }
  | { readonly kind: 'perform'; readonly phase: Phase }
  | {
      readonly kind: 'unlock';
      readonly node: string;
      readonly notes: string;
      readonly holder: Holder;
      /** Names in the directory that those have left who are gone. */
      readonly others: readonly string[];
    };

/** Effects of a run alone. */
type RunEffect = { readonly kind: 'archive' } | { readonly kind: 'redundancy' } | { readonly kind: 'commit' };

/**
 * Effects right before which the proof of ownership is taken again, in a run and on every way back: all that change
 * something on a node, and the archive, which is worth nothing from a node that no longer has the group.
 */
const proven: ReadonlySet<Effect['kind']> = new Set([
  'lock',
  'break-lock',
  'pay-debt',
  'resume',
  'perform',
  'archive',
  'unlock',
]);

/** The effect itself, or the proof that has to be taken first; `proved`: the last effect was that proof. */
export function onlyProved<E extends Effect>(
  effect: E,
  proof: Proof,
  proved: boolean,
): E | Extract<NodeEffect, { kind: 'confirm' }> {
  if (proved || !proven.has(effect.kind)) return effect;
  return { kind: 'confirm', proof, before: effect.kind === 'perform' ? effect.phase.name : effect.kind };
}

/** Takes back something of an earlier run; a recovery's own lock is nobody's news. */
export function takesBack(effect: NodeEffect): effect is ScriptedEffect {
  switch (effect.kind) {
    case 'perform':
    case 'pay-debt':
    case 'resume':
    case 'break-lock':
      return true;
    case 'unlock':
      return effect.others.length > 0;
    default:
      return false;
  }
}

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
  | { readonly of: 'break-lock'; readonly result: Done }
  | { readonly of: 'pay-debt'; readonly result: Done }
  | { readonly of: 'resume'; readonly result: Done }
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

/** What the archiving of all volumes brought. */
export type ArchivesResult =
  | { readonly kind: 'archived'; readonly archives: readonly ArchiveRecord[]; readonly proofs: readonly Proof[] }
  | { readonly kind: 'failed'; readonly problems: readonly Problem[] };
