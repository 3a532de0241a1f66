import { verifyBackup } from '@splitmirror/backup';
import { identitiesOf } from '../config/identities.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';

/** Reads a backup again and compares it with its manifest. */
export async function verify(
  { config, context, reporter }: Session,
  group: string,
  run: string | undefined,
): Promise<number> {
  const backup = await context.store.find(group, run);
  const report = await verifyBackup(backup, { identities: await identitiesOf(config) });
  reporter.line(`${backup.manifest.run}: every archive is what the manifest says`);
  reporter.result({ run: backup.manifest.run, verified: true, ...report });
  return exitCodes.OK.code;
}
