import { digestOf } from '../plan/run-plan.ts';
import { exposedSeconds } from '../store/exposure.ts';
import { historyOf, judgeAgainstHistory } from '../store/history.ts';
import type { Manifest, Suspicion } from '../store/manifest.ts';
import type { Store, StoredRun } from '../store/store.ts';
import { consistencyOf } from './consistency.ts';
import type { RunState } from './reducer.ts';

/** A backup that counts from now on. */
export interface Committed {
  readonly directory: string;
  /** Why it is off its history; a run with any is not green. */
  readonly suspicions: readonly Suspicion[];
}

/** Holds a run that went well against its history, and gives its directory the final name. */
export async function commitRun(store: Store, stored: StoredRun, state: RunState, now: Date): Promise<Committed> {
  // One damaged backup of the past must not cost the new one: it is told when the store is listed.
  const { backups } = await store.survey(state.plan.group);
  // What is left out on purpose from now on is not missed.
  const leftOut = new Set((state.plan.leftOut ?? []).map(({ volume }) => volume));
  const history = historyOf(backups).map((run) => run.filter(({ volume }) => !leftOut.has(volume)));
  const suspicions = judgeAgainstHistory(state.archives, history);
  const directory = await stored.commit(manifestOf(state, stored.createdAt, now, suspicions, history.length));
  return { directory, suspicions };
}

/** What is kept of a run that went well. */
function manifestOf(
  state: RunState,
  createdAt: string,
  now: Date,
  suspicions: Suspicion[],
  judgedAgainst: number,
): Manifest {
  const { plan, splitAt, wholeAt } = state;
  if (splitAt === null || wholeAt === null)
    throw new Error('a run is committed only after its mirror was split and made whole');
  return {
    splitmirror: 2,
    run: plan.run,
    group: plan.group,
    node: plan.node,
    createdAt,
    committedAt: now.toISOString(),
    planDigest: digestOf(plan),
    consistency: consistencyOf(plan, state.facts.split ?? {}),
    redundancy: {
      splitAt,
      wholeAt,
      exposedSeconds: exposedSeconds(splitAt, wholeAt),
      copiesLeft: Math.min(...plan.mirror.volumes.map(({ copiesLeft }) => copiesLeft)),
      volumes: plan.mirror.volumes.map(({ volume, copies, copiesLeft }) => ({ volume, copies, copiesLeft })),
    },
    levels: plan.levels,
    proofs: [...state.proofs],
    facts: { ...state.facts },
    archives: [...state.archives],
    leftOut: [...(plan.leftOut ?? [])],
    suspicions,
    judgedAgainst,
    parent: null,
  };
}
