import { requireWhole } from '@splitmirror/host';
import type { Court } from '../court.ts';
import type { SplitMark, StrategyLetter } from '../picture/marks.ts';
import type { ActiveGroup, CopyView, LvmPicture, VolumeView } from '../picture/picture.ts';
import type { IntendedCopies } from '../port.ts';
import type { AixLevel } from '../readers/level.ts';
import type { SnapshotList } from '../readers/snapshots.ts';
import type { Resync } from './copies.ts';
import type { Explained } from './steps.ts';

/** The ways in which AIX takes a point in time out of a volume. */
export type StrategyName =
  /** `rmlvcopy`, then `mklv -m` on the freed partitions: the redbook's way. */
  | 'map-split'
  | 'splitlvcopy'
  /** `chfs -a splitcopy`. */
  | 'splitcopy'
  | 'chlvcopy'
  | 'splitvg'
  /** JFS2 snapshot: no mirror is needed, and none is relieved of reads. */
  | 'snapshot';

/**
 * One way to split, from its needs to what is left of it when it dies. Everything is pure: a strategy makes steps and
 * reads answers. `planSplit`, `judge` and `planRecovery` put the steps of all strategies together and know none of them.
 */
export interface Strategy {
  readonly name: StrategyName;
  /** Stands in every name that it makes: from a name alone the way back is known. */
  readonly letter: StrategyLetter;
  /** What a takeover in the middle meets, in half a sentence. */
  readonly takeover: string;
  /** It asks for mounted JFS2 file systems to be frozen while it splits. */
  readonly freezes: boolean;
  /** Volumes that it adds to the volume group for each one that is split. */
  readonly slots: number;
  /** What a volume must be like. All of them are asked, so that every objection is told. */
  readonly needs: readonly Need[];
  /** What is decided for a volume to which nothing is objected. */
  decide(subject: Subject, place: Place): Decision;

  /** Steps before anything is held, each taken back by {@link clear}. */
  prepare?(splits: readonly Split[]): Explained[];
  /** The split itself, while the application rests and file systems are frozen: as few steps as can be. */
  split(splits: readonly Split[]): Explained[];
  /** After writers go on: label, queries that prove the split. */
  secure(splits: readonly Split[]): Explained[];
  /** Checks and mounts. The mount table is asked after all strategies' steps (id `mounts`). */
  expose(splits: readonly Split[]): Explained[];
  withdraw(splits: readonly Split[]): Explained[];
  /** Gives what was split back to its volume. */
  rejoin(splits: readonly Split[]): Explained[];
  /** After all volumes have theirs back: synchronise, and queries that prove it. */
  settle(splits: readonly Split[], resync: Resync): Explained[];
  /** Removes what {@link prepare} made, before the marks go. */
  clear?(marks: readonly SplitMark[]): Explained[];

  /** Whether this command takes the point in time: from the first freeze to its end the freeze must hold. */
  takes(argv: readonly string[]): boolean;
  /** What a failure of a program means for the run. */
  readonly failures: Readonly<Record<string, Failure>>;
  /**
   * Each finds, from the commands of a phase and their answers, whether what it knows of did what it says. Strategies
   * that prove the same share the function, and it is asked once.
   */
  readonly proofs: readonly ((court: Court) => void)[];

  /** The way back from everything of this kind that lies about. Strategies that leave the same share the function. */
  readonly recover: (scene: Scene) => Repair[];
}

/** Code of a problem, and what to do about it. */
export type Failure = readonly [code: string, remedy: string];

/** A volume for which a strategy is weighed. */
export interface Subject {
  readonly volume: VolumeView;
  readonly group: ActiveGroup;
  readonly level: AixLevel | null;
  /** Names of all volumes that the request asks for, in the plan's order. */
  readonly asked: readonly string[];
  /** Snapshots of its file system; `null` where they are not known. */
  readonly snapshots: SnapshotList | null;
  /** The request has steps that bring the application to rest. */
  readonly suspended: boolean;
  readonly allowLastCopy: boolean;
  readonly settings: Settings;
}

/** What is known or wished beyond what a node shows. */
export interface Settings {
  readonly resync?: Resync | undefined;
  /**
   * A person has ruled out that the storage reclaims partitions which LVM frees (`lvmstat -v VG -r`). From AIX 7.2 TL1
   * on, map-split is refused without it.
   */
  readonly spaceReclamation?: 'ruled-out' | undefined;
  /** Size of the volume of an external JFS2 snapshot, in percent of the volume that it is taken of; default 20. */
  readonly snapshotPercent?: number | undefined;
  /** Pace of a resync as measured on these disks, in megabytes a second, to estimate its time. */
  readonly resyncMegabytesPerSecond?: number | undefined;
  /** Seconds that one command of a split took on this cluster, to estimate how long writers are held; default 2. */
  readonly secondsPerSplit?: number | undefined;
}

/** @throws RangeError for a number that says nothing, or that a command of AIX would not take. */
export function requireSettings(settings: Settings): void {
  const { resync, snapshotPercent, resyncMegabytesPerSecond, secondsPerSplit } = settings;
  requireWhole('parallelPartitions', resync?.parallelPartitions, 1, 32);
  requireWhole('rate', resync?.rate, 1);
  requireWhole('snapshotPercent', snapshotPercent, 1, 100);
  for (const [name, value] of Object.entries({ resyncMegabytesPerSecond, secondsPerSplit }))
    if (value !== undefined && !(value > 0 && value < Number.POSITIVE_INFINITY))
      throw new RangeError(`${name} must be a number above 0: it is ${value}`);
}

/** One thing that speaks against a strategy. */
export interface Objection {
  readonly code: string;
  readonly message: string;
  readonly seen: string;
  readonly remedy: string;
}

/** Asks one thing of a volume; `null` when it is as it must be. */
export type Need = (subject: Subject) => Objection | null;

/** Notes one reason why there is no plan. */
export type Refuse = (code: string, message: string, seen: string, remedy: string) => void;

/** Where a volume stands in its plan. */
interface Place {
  readonly run: string;
  /** From 1. */
  readonly index: number;
}

/** What a strategy decides for one volume. */
interface Decision {
  /** Name of what is split off, as it is known on the node. */
  readonly copy: string;
  /** The copy that goes; `null` when none does. */
  readonly taken: CopyView | null;
  /** Where the content is read: a directory for a file system, a device otherwise. */
  readonly path: string;
  /** Fresh copies on the live side while the split lasts. */
  readonly copiesLeft: number;
  /** Partitions that have to be brought in step afterwards, at most. */
  readonly partitionsToResync: number;
  /** How the volume's group is separated; the same for all its volumes. Of splitvg only. */
  readonly separation?: Separation;
  /** Where its snapshot lies. Of snapshot only. */
  readonly snapshot?: SnapshotPlace;
}

/** What `splitvg` does to a volume group. */
export interface Separation {
  /** Number of the copy that leaves. */
  readonly copy: number;
  readonly disks: readonly string[];
  /** The new group has to be varied on by hand: the group is concurrent capable. */
  readonly variesOn: boolean;
  /** All volumes of the group, with the mount points of their file systems: AIX makes `fs...` and `/fs/...` of them. */
  readonly volumes: readonly { readonly name: string; readonly mountPoint: string | null }[];
}

/** Where a JFS2 snapshot lies. */
export type SnapshotPlace =
  | { readonly kind: 'internal' }
  /** On a volume made for it. */
  | { readonly kind: 'external'; readonly logicalPartitions: number };

/** What a plan has decided for one volume. */
export interface Split extends Decision {
  readonly strategy: StrategyName;
  readonly run: string;
  readonly index: number;
  readonly volume: string;
  readonly group: string;
  readonly type: string;
  readonly logicalPartitions: number;
  readonly encrypted: boolean;
  /** Copies before, and after the merge. */
  readonly copies: number;
  /** Its volume group is no enhanced concurrent one: other nodes do not learn at once what is changed. */
  readonly lazilyUpdated: boolean;
  /** `null` for a volume without one. */
  readonly fileSystem: SplitFileSystem | null;
}

/** A file system as its split sees it. */
interface SplitFileSystem {
  readonly mountPoint: string;
  readonly vfs: string;
  /** It is mounted and is frozen over the split. */
  readonly frozen: boolean;
  /** Its log lies within it, so that fsck of the copy touches the copy alone. */
  readonly checked: boolean;
}

/** What a recovery looks at. */
export interface Scene {
  readonly picture: LvmPicture;
  /** Volumes of all groups that are active here. */
  readonly volumes: readonly VolumeView[];
  /** Marks of all strategies on this node. */
  readonly marks: readonly SplitMark[];
  /** What runs wrote down, of all strategies. */
  readonly intended: readonly IntendedCopies[];
  readonly resync: Resync;
  readonly refuse: Refuse;
}

/** The way back for one volume, or why there is none. */
export type Repair =
  | {
      readonly kind: 'possible';
      /** Runs that are served by it; empty where only a note tells of it. */
      readonly runs: readonly string[];
      /** Volumes whose copies are watched afterwards. */
      readonly volumes: readonly string[];
      /** Leftovers that go with it, by name. */
      readonly removes: readonly string[];
      readonly thaws: readonly Explained[];
      readonly rejoins: readonly Explained[];
      readonly settles: readonly Explained[];
      /** Copies that it gives back, where a node that dies half-way would take the knowledge with it. */
      readonly intended?: IntendedCopies;
      /** What else of it goes, before the marks. */
      readonly clears?: readonly Explained[];
    }
  /** Told with `refuse`; the marks of these runs stay. */
  | { readonly kind: 'refused'; readonly runs: readonly string[] };
