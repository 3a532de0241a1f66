import type { Host } from '@splitmirror/host';
import type { BackupEvent } from './events.ts';
import type { LevelsGate, RunPlan } from './plan/run-plan.ts';
import type { ClusterPort, MirrorPort } from './ports.ts';
import type { ArchivesResult } from './run/effects.ts';
import type { Holder } from './run/lock.ts';
import type { Store } from './store/store.ts';

/** Time and chance, handed in so that every run can be replayed. */
export interface Surroundings {
  now(): Date;
  /** Resolves early when the signal aborts, or rejects, as Node.js's own does. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
  /** Six characters `[a-z0-9]`, the first a letter. */
  newRunId(): string;
  /** 32 lower-case hex digits that nobody can guess. */
  newToken(): string;
  /** The process that runs this, as other runs will see it in the lock. */
  readonly controller: Holder['controller'];
  /**
   * Whether a process still runs; `unknown` when that cannot be told from here.
   *
   * @param token Of the lock that is asked about: a run that this very process has ended is gone, although its process lives.
   * An own one that asks `systemSurroundings().isAlive` knows these.
   */
  isAlive(controller: Holder['controller'], token?: string): 'alive' | 'gone' | 'unknown';
}

/** Everything that planning, running and recovering need. */
export interface BackupContext {
  readonly cluster: ClusterPort;
  readonly mirror: MirrorPort;
  /** One host for each cluster node, by cluster node name. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** Audits the software levels of all nodes. */
  audit(options: { readonly signal?: AbortSignal | undefined }): Promise<LevelsGate>;
  /** Level of a node's operating system, as `oslevel -r` starts (`7200-05`); without it every limit of the archive tools counts. */
  systemLevel?(node: string, options: { readonly signal?: AbortSignal | undefined }): Promise<string>;
  readonly store: Store;
  readonly surroundings: Surroundings;
  readonly onEvent?: ((event: BackupEvent) => void) | undefined;
  /** Called when a run or a recovery (which has no plan) begins, with its directory: by this a recorder keeps its log there. */
  keepLog?(directory: string, plan: RunPlan | null): void;
  /** Takes the place of the archiving in a replay, which has no bytes. */
  archive?(): Promise<ArchivesResult>;
}

/** What planning needs: of the store only its history and whether the archives will fit. */
export type PlanningContext = Omit<BackupContext, 'store'> & {
  /**
   * `null` where there is none to be read: then the estimates rest on no history, whether the archives will fit is not
   * looked at, and a group that may spend so much time without redundancy is refused.
   */
  readonly store: Pick<Store, 'root' | 'archivesIn' | 'freeBytes' | 'survey'> | null;
};
