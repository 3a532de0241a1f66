import { expect, it } from 'vitest';
import { labPolicy } from '../../test/lab-policy.ts';
import { localFamily } from '../../test/local-family.ts';
import { openStore } from '../store/store.ts';
import { directoryVault } from '../store/vault.ts';
import { planBackup } from './plan.ts';

it.each([
  [
    'its directory',
    (root: string) => root,
    (root: string) => `${root} has 5 bytes free and the archives may take 1101005`,
    'Make room in the store, or name another directory for it.',
  ],
  [
    'what keeps the archives elsewhere',
    () => 'the restic repository',
    () => 'the restic repository has 5 bytes free and the archives may take 1101005',
    'Make room for the restic repository, or keep the archives elsewhere.',
  ],
])('a store without room is told by the name of %s, where the room was measured', async (_, nameOf, said, remedy) => {
  const { context } = await localFamily({ a: 'n1' });
  const { root } = context.store;
  const vault = { ...directoryVault(root), name: nameOf(root), freeBytes: async () => 5 };
  const planning = planBackup({ ...context, store: openStore(root, vault) }, 'a', {
    ...labPolicy,
    quiesce: null,
    rawVolumes: [],
  });
  await expect(planning).rejects.toMatchObject({ code: 'STORE_FULL', message: said(root), remedy });
});
