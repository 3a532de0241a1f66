import { adoptBackups } from '@splitmirror/backup';
import { ConfigError } from '../config/read.ts';
import { onRepository } from '../connect.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { problemsOf, problemText } from './problems.ts';

/** Brings back from the repository what a lost store knew of the backups in it, of all groups. */
export async function adopt({ config, context, reporter, ...directions }: Session): Promise<number> {
  const { restic } = config.archives;
  if (restic === undefined) {
    throw new ConfigError('there is no archives.restic: archives that lie in the store are lost with it', {
      remedy: 'Bring the directory of the store back from a copy.',
    });
  }
  // Before anything is fetched: a file system that is not mounted is no lost store.
  await context.store.require('write');
  const { adopted, refused } = await onRepository(adoptBackups(context.store.root, restic));
  for (const { group, run, createdAt, directory } of adopted) {
    reporter.line(`${run}  ${createdAt}  ${group}  ${directory}`);
  }
  if (adopted.length + refused.length === 0) reporter.line('the store knows all that the repository holds');
  const problems = refused.flatMap((error) => problemsOf(error, null));
  for (const line of problemText(problems, directions)) reporter.alert(line);
  reporter.result({ adopted, refused: problems });
  return exitCodes[refused.length === 0 ? 'OK' : 'BACKUP_DAMAGED'].code;
}
