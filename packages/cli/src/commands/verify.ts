import { verifyAndRecord } from '@splitmirror/backup';
import { identitiesOf } from '../config/identities.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { warnUnrecorded } from './unrecorded.ts';

/** Reads a backup again, compares it with its manifest, and records what was found. */
export async function verify(
  { config, context, reporter }: Session,
  group: string,
  run: string | undefined,
): Promise<number> {
  const { store, surroundings } = context;
  const backup = await store.find(group, run);
  const identities = await identitiesOf(config);
  const found = await verifyAndRecord(store, backup, { identities }, () => surroundings.now());
  warnUnrecorded(reporter, backup.manifest.run, found.unrecorded);
  if (found.kind === 'damaged') throw found.error;
  reporter.line(`${backup.manifest.run}: every archive is what the manifest says`);
  reporter.result({ run: backup.manifest.run, verified: true, ...found.report });
  return exitCodes.OK.code;
}
