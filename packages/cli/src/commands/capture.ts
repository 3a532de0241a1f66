import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { unlessAborted } from '@splitmirror/host';
import { takeCapture, writeBundle } from '../capture/bundle.ts';
import { redaction } from '../capture/redaction.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { toFile } from './output-file.ts';

/** Keeps what the nodes print, without the names of the site: for a bug report, or as a test of one's own. */
export async function capture({ context, reporter, signal }: Session, directory: string): Promise<number> {
  const taken = await unlessAborted(signal, () => takeCapture(context.hosts, signal));
  const names = redaction(taken.names, randomBytes(32));
  const takenAt = context.surroundings.now().toISOString();
  const files = await toFile(directory, () => writeBundle(directory, taken, names, takenAt));
  const key = `${directory}.names.json`;
  const pairs = Object.fromEntries([...names.replaced].sort(([a], [b]) => (a < b ? -1 : 1)));
  const text = `${JSON.stringify(pairs, null, 2)}\n`;
  await toFile(key, () => writeFile(key, text, { mode: 0o600, flag: 'wx' }));
  for (const { node, reason } of taken.silent) reporter.alert(`  ${node}: ${reason}`);
  reporter.line(`${files} outputs in ${directory}; read them before you send them`);
  reporter.line(`what was replaced stands in ${key}: keep that, do not send it`);
  reporter.result({ directory, files, silent: taken.silent });
  return taken.silent.length === 0 ? exitCodes.OK.code : exitCodes.HOST_UNREACHABLE.code;
}
