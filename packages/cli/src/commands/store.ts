import { restoreBackup, verifyBackup } from '@splitmirror/backup';
import type { Session } from '../session.ts';
import { bytesText } from '../units.ts';

/** Complete backups of a group, oldest first. */
export async function list({ context, reporter }: Session, group: string): Promise<number> {
  const backups = await context.store.list(group);
  for (const { manifest, directory } of backups) {
    const bytes = manifest.archives.reduce((sum, archive) => sum + archive.bytes, 0);
    reporter.line(
      `${manifest.run}  ${manifest.createdAt}  ${manifest.node}  ${manifest.consistency.level}  ${bytesText(bytes)}  ${directory}`,
    );
  }
  reporter.result({ backups: backups.map(({ manifest, directory }) => ({ directory, manifest })) });
  return 0;
}

/** Reads a backup again and compares it with its manifest. */
export async function verify({ context, reporter }: Session, group: string, run: string | undefined): Promise<number> {
  const backup = await context.store.find(group, run);
  await verifyBackup(backup);
  reporter.line(`${backup.manifest.run}: every archive is what the manifest says`);
  reporter.result({ run: backup.manifest.run, verified: true });
  return 0;
}

/** Restores a backup into a new directory on this machine. */
export async function restore(
  { context, reporter }: Session,
  group: string,
  into: string,
  run: string | undefined,
): Promise<number> {
  const backup = await context.store.find(group, run);
  const { volumes } = await restoreBackup(backup, into);
  for (const { volume, path, files, bytes } of volumes)
    reporter.line(`${volume}: ${files} files, ${bytesText(bytes)} in ${path}`);
  reporter.result({ run: backup.manifest.run, volumes });
  return 0;
}
