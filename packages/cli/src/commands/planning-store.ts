import type { PlanningContext, Store } from '@splitmirror/backup';

/**
 * A store for a plan that is only looked at: as far as it can be used. Where it cannot be read there is none, and room that
 * cannot be told refuses nothing: a backup asks for both.
 *
 * @param told Gets what is wrong with it.
 */
export async function planningStore(store: Store, told: (error: unknown) => void): Promise<PlanningContext['store']> {
  try {
    await store.require('read');
  } catch (error) {
    told(error);
    return null;
  }
  await store.require('write').catch(told);
  const freeBytes = () => store.freeBytes().catch(() => Number.POSITIVE_INFINITY);
  const { root, archivesIn, survey } = store;
  return { root, archivesIn, survey, freeBytes };
}
