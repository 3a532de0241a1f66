import type { Script, ScriptOutcome } from '@splitmirror/host';

/*
 * The shapes of the mirror port, as an orchestration sees a mirror. They are declared here too, because a library for
 * AIX's LVM must not depend on the orchestration that uses it.
 */

/** Why something is refused or failed. */
export interface Problem {
  /** Stable, and listed in the README. */
  readonly code: string;
  /** Cluster node name, or `null` when it concerns no single node. */
  readonly node: string | null;
  readonly message: string;
  /** What was seen, quoted. */
  readonly seen: string;
  /** What would settle it. */
  readonly remedy: string;
}

/** What a resource group consists of. */
export interface GroupContents {
  readonly volumeGroups: readonly string[];
  /** Mount points; `ALL` means every file system of the volume groups. */
  readonly fileSystems: readonly string[] | 'ALL';
}

/** Something of ours that an earlier run left behind. */
export interface Leftover {
  /** Run that made it, from its own name. */
  readonly run: string;
  /** `copy`, `mount`, `stanza`, `directory` or `mark`. */
  readonly what: string;
  readonly name: string;
}

/** What shall be split. */
export interface SplitRequest {
  /** Id of the run: six characters of `a-z0-9`, the first a letter; part of every name that is made on the node. */
  readonly run: string;
  /** File systems by mount point. */
  readonly fileSystems: readonly string[];
  /** Volumes without a file system, by name. */
  readonly rawVolumes: readonly string[];
  /** Steps that bring the application to rest; they run before the freeze. */
  readonly suspend: Script['steps'];
  /** Steps that let it go on; each `pays` what it takes back. They run after the thaw, whatever happens. */
  readonly resume: Script['steps'];
  /** One line for a person for each of these steps, by step id; without it, the family says what it takes them for. */
  readonly explains?: Readonly<Record<string, string>> | undefined;
  /** Seconds after which the kernel ends the freeze by itself. */
  readonly freezeSeconds: number;
  /** Permission to leave a volume without any second fresh copy while the backup runs. */
  readonly allowLastCopy: boolean;
  /** The way to split, by the family's own name for it; the family chooses where none is given. */
  readonly strategy?: string | undefined;
}

/** One part of a plan: a script with what takes it back. */
export interface Phase {
  /** `split`, `expose`, `withdraw`, `merge`; for recovery also `thaw` and `clear`. */
  readonly name: string;
  readonly node: string;
  readonly title: string;
  readonly script: Script;
  /** One line for a person for each step of the script, by step id. */
  readonly explains: Readonly<Record<string, string>>;
  /** Commands that take this phase back, as typed, in order. */
  readonly undo: readonly string[];
}

/** One volume of a plan. */
export interface PlannedVolume {
  readonly volume: string;
  readonly strategy: string;
  /** Name of the split copy on the node. */
  readonly copy: string;
  /** Where the copy's content is read: a directory of a file system, or a device. */
  readonly source:
    | { readonly kind: 'directory'; readonly mountPoint: string; readonly path: string }
    | { readonly kind: 'device'; readonly path: string };
  readonly bytes: number;
  /** Copies before the split and again after the merge. */
  readonly copies: number;
  /** Fresh copies on the live side while the split lasts. */
  readonly copiesLeft: number;
  readonly partitionsToResync: number;
}

/** A mirror split from its start to the mirror made whole, as data. */
export interface MirrorPlan {
  readonly run: string;
  readonly node: string;
  readonly volumes: readonly PlannedVolume[];
  readonly split: Phase;
  readonly expose: Phase;
  readonly withdraw: Phase;
  readonly merge: Phase;
  /** Longest time for which writers can be held, in seconds. */
  readonly frozenSecondsAtMost: number;
  /** What it is expected to cost. */
  readonly price?: SplitPrice | undefined;
  /** What a takeover meets while the split lasts and after it. */
  readonly takeover?: readonly TakeoverNote[] | undefined;
}

/** What a split is expected to cost. */
export interface SplitPrice {
  /** Volumes that are left with one fresh copy, from the split to the end of the resync. */
  readonly unmirroredVolumes: readonly string[];
  /** To be copied after the merge, at most: `partitionsToResync` of all volumes. */
  readonly megabytesToResync: number;
  /** Minutes from the merge until the last volume has all its copies; `null` while the pace of a resync is not known. */
  readonly resyncMinutes: number | null;
  /** Seconds for which writers are likely to be held. */
  readonly frozenSecondsExpected: number;
}

/** Something that a takeover meets, for a person, with commands that help. */
export interface TakeoverNote {
  readonly text: string;
  /** As typed, on each of the other nodes. */
  readonly commands: readonly string[];
}

/** How a phase ended. */
export type PhaseOutcome =
  | {
      readonly kind: 'done';
      /** What was proved, by name. */
      readonly facts: Readonly<Record<string, string>>;
      readonly transcript: ScriptOutcome;
    }
  | { readonly kind: 'failed'; readonly problems: readonly Problem[]; readonly transcript: ScriptOutcome }
  /** The link or the node was lost, or the end was not confirmed: look before anything else is done. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly transcript: ScriptOutcome };

/** How far copies are in step. */
export type Redundancy =
  | { readonly kind: 'whole' }
  | { readonly kind: 'resyncing'; readonly stalePartitions: number; readonly totalPartitions: number }
  /** The copies are not what the plan says they were before. */
  | { readonly kind: 'reduced'; readonly problems: readonly Problem[] }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * What a run wrote down before its split, in a place that travels with the resource group. It closes the gaps that a
 * node's own evidence leaves, should the node itself die.
 */
export interface IntendedCopies {
  readonly volume: string;
  /** Copies that it had. */
  readonly copies: number;
  /** How it was split; without it `splitlvcopy`. */
  readonly strategy?: string | undefined;
}

/** The way back from whatever a node shows. */
export interface RecoveryPlan {
  /** Phases in order; empty when nothing of ours is there. */
  readonly phases: readonly Phase[];
  /** Names of the volumes whose copies are watched until they are in step. */
  readonly volumes: readonly string[];
  /** What cannot be known or done, and what a person has to do. */
  readonly problems: readonly Problem[];
  /**
   * Copies that the phases give back, by volume, as the picture and the note tell. Written down before the first phase,
   * they survive a node which dies between two commands.
   */
  readonly intended?: readonly IntendedCopies[] | undefined;
}
