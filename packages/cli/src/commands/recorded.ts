import { type BackupContext, createRecorder, type Recorder } from '@splitmirror/backup';
import { policyOf } from '../config/policy.ts';
import { nodesOn } from '../connect.ts';
import type { Session } from '../session.ts';

/** A context that keeps what it was told, so that one run or recovery can be replayed; addresses are left out of it. */
export function recorded(
  { config, context }: Pick<Session, 'config' | 'context'>,
  group: string,
): { readonly context: BackupContext; readonly recorder: Recorder } {
  const addresses = Object.values(config.nodes).map(({ address }) => address);
  const recorder = createRecorder({ redact: [...new Set(addresses)].filter((address) => address.length > 3) });
  const nodes = nodesOn(config, recorder.hosts(context.hosts));
  return { recorder, context: recorder.context({ ...context, ...nodes }, group, policyOf(config, group)) };
}
