import { execFileSync } from 'node:child_process';

/** A user without any rights. */
const nobody = 65_534;

/**
 * Does something as a user for whom modes count, who owns what is below `directory`: as nobody where the tests run as root.
 */
export async function asOrdinaryUser<T>(directory: string, work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  execFileSync('chown', ['-R', `${nobody}`, directory]);
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
