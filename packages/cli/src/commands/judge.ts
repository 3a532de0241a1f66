import { ConfigError } from '../config/read.ts';
import { exitCodes } from '../exit-codes.ts';
import { operatorName } from '../operator.ts';
import type { Session } from '../session.ts';
import { plainWords } from '../terminal-text.ts';

/** What a person has decided about a suspicious backup. */
export interface JudgeFlags {
  readonly accept?: boolean;
  readonly reject?: boolean;
  readonly because: string;
}

/** Records a person's judgement: an accepted backup counts as good, a rejected one may be removed. */
export async function judge(
  { context, reporter }: Session,
  group: string,
  run: string,
  { accept, reject, because }: JudgeFlags,
): Promise<number> {
  if ((accept === true) === (reject === true)) {
    throw new ConfigError('a judgement is one of two', { remedy: 'Say --accept or --reject.' });
  }
  const backup = await context.store.find(group, run);
  const verdict = accept === true ? 'accepted' : 'rejected';
  await context.store.record(backup, {
    kind: 'judgement',
    at: context.surroundings.now().toISOString(),
    verdict,
    by: operatorName(),
    reason: plainWords('--because', because),
  });
  reporter.line(`${run}: ${verdict}`);
  reporter.result({ run, verdict });
  return exitCodes.OK.code;
}
