import type { Script, ScriptOutcome } from '@splitmirror/host';

/**
 * The two doors through which this package sees a cluster and a mirror. Nothing in here is AIX: a second family
 * (Pacemaker, LVM2) implements the same two and changes no line of the orchestration. All values are plain JSON.
 */

/** One line of evidence: what a node said, in its own words. */
export interface Evidence {
  /** Cluster node name. */
  readonly node: string;
  /** Command that was asked, as typed. */
  readonly source: string;
  /** What follows from its answer, in one line. */
  readonly says: string;
}

/** Why something is refused or failed. `code` is stable; `seen` quotes, and is empty where the message says it all; `remedy` tells what would settle it. */
export interface Problem {
  readonly code: string;
  /** Cluster node name, or `null` when it concerns the cluster as a whole. */
  readonly node: string | null;
  readonly message: string;
  readonly seen: string;
  readonly remedy: string;
}

/** Proof that a node held a group, made so that it can be taken again cheaply and compared. */
export interface Proof {
  readonly group: string;
  readonly node: string;
  /** UTC, ISO 8601. */
  readonly takenAt: string;
  /** Lower-case hex SHA-256 over `facts`. */
  readonly digest: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** What a resource group consists of. */
export interface GroupContents {
  readonly volumeGroups: readonly string[];
  /** Mount points; `ALL` means every file system of the volume groups. */
  readonly fileSystems: readonly string[] | 'ALL';
}

/** Who holds a group. Everything but `held` means: no backup now. */
export type Standing =
  | {
      readonly kind: 'held';
      readonly node: string;
      readonly contents: GroupContents;
      readonly proof: Proof;
      readonly evidence: readonly Evidence[];
    }
  | {
      readonly kind: 'offline' | 'moving' | 'contested' | 'undecidable' | 'no-cluster' | 'unknown-group';
      readonly reasons: readonly Problem[];
      readonly evidence: readonly Evidence[];
    };

/** What became of a proof. */
export type Confirmation =
  | { readonly kind: 'holds'; readonly proof: Proof }
  | {
      readonly kind: 'lost';
      readonly changed: readonly { readonly fact: string; readonly before: string; readonly after: string }[];
    }
  /** The node could not be asked: nothing may be changed, and nothing is known to have changed. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** What ends a question: it then rejects with the signal's reason, or says that there was no answer. */
export interface Signalled {
  readonly signal?: AbortSignal | undefined;
}

/** The cluster: who holds this group, and can it be proved. */
export interface ClusterPort {
  /** All configured node names. */
  readonly nodes: readonly string[];
  /** Asks all nodes at once and weighs their answers. */
  locate(group: string, options?: Signalled): Promise<Standing>;
  /** Takes a proof again. */
  confirm(proof: Proof, options?: Signalled): Promise<Confirmation>;
}

/** Something of ours that an earlier run left behind. */
export interface Leftover {
  /** Run that made it, from its own name. */
  readonly run: string;
  readonly what: string;
  readonly name: string;
}

/** Storage of a group as one node sees it. A family adds its own fields. */
export interface Picture {
  readonly node: string;
  /** Lower-case hex SHA-256 over everything that a plan rests on; `run` compares it. */
  readonly digest: string;
  /** Digests of its parts, by what a person calls each (`volume datalv`): they tell what has changed where the digest has. */
  readonly parts?: Readonly<Record<string, string>> | undefined;
  readonly leftovers: readonly Leftover[];
  /** Partitions that lag behind, over all volumes. */
  readonly stalePartitions: number;
  /** Mount points of the group, sorted; `ALL` is expanded. */
  readonly fileSystems: readonly string[];
  /** Volumes of the group's volume groups that may hold data, sorted by name: neither the system's own, such as logs, nor split copies. */
  readonly dataVolumes: readonly DataVolume[];
  /** Volumes of the group without a file system; where a family does not tell them, nothing is restored to a device of a group. */
  readonly rawDevices?: readonly RawDevice[] | undefined;
}

/** A volume that may hold data, whether the group's configuration knows of it or not. */
export interface DataVolume {
  readonly volume: string;
  /** `raw`: what it holds is written to it as a device. */
  readonly holds: 'file-system' | 'raw';
  /** Where its file system belongs; `null` for a raw volume, and for a file system that has no place on this node. */
  readonly mountPoint: string | null;
}

/** A volume that is written to as a device. */
export interface RawDevice {
  readonly volume: string;
  /** Path of the device that a restore writes to. */
  readonly device: string;
  readonly bytes: number;
  /** Whether some program on this node has it open now. */
  readonly open: boolean;
}

/** What shall be split. */
export interface SplitRequest {
  /** Id of the run, six characters of `a-z0-9`; part of every name that is made on the node. */
  readonly run: string;
  /** File systems by mount point, raw volumes by name. */
  readonly fileSystems: readonly string[];
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
  /** `split`, `expose`, `withdraw`, `merge`; a family may add names for recovery. */
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
      /** What was proved, for the manifest: for instance `frozenSeconds`, `device of /splitmirror/...`. */
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

/** How many copies a volume had before a run took one away, as the run's lock tells. */
export interface IntendedCopies {
  readonly volume: string;
  readonly copies: number;
  /** How it was split, as `PlannedVolume.strategy`; without it the family takes its oldest way. */
  readonly strategy?: string | undefined;
}

/** The way back from whatever a node shows. */
export interface RecoveryPlan {
  /** Phases in order; empty when nothing is to be done but to wait for stale partitions. */
  readonly phases: readonly Phase[];
  /** What cannot be known or done, and what a person has to do. */
  readonly problems: readonly Problem[];
  /**
   * Copies that the phases give back, by volume, as the picture and the lock tell. They are written into the lock before
   * the first phase, so that a node which dies between two commands takes no knowledge with it.
   */
  readonly intended?: readonly IntendedCopies[] | undefined;
}

/** The mirror: picture, plan, perform, recover. */
export interface MirrorPort<P extends Picture = Picture> {
  /**
   * Looks at the storage of a group on one node, in one round trip.
   *
   * @throws SplitmirrorError when the answer is unusable.
   */
  look(node: string, contents: GroupContents, options?: Signalled): Promise<P>;
  /** Pure. Every problem is listed, not only the first. */
  plan(picture: P, request: SplitRequest): { readonly plan: MirrorPlan } | { readonly problems: readonly Problem[] };
  /** Runs the script of one phase, exactly as it stands there, and judges what came back. */
  perform(phase: Phase, options?: Signalled): Promise<PhaseOutcome>;
  /** How far the volumes of a plan are from being whole again. */
  redundancy(plan: MirrorPlan, options?: Signalled): Promise<Redundancy>;
  /**
   * Pure: the way back, from the picture and from what the lock of the dead run says, where there is one. Touches nothing
   * without our mark.
   */
  recovery(picture: P, intended?: readonly IntendedCopies[]): RecoveryPlan;
}
