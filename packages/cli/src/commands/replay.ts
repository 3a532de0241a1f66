import { readFile } from 'node:fs/promises';
import { type RecordedCall, replay as replayLog } from '@splitmirror/backup';
import { ConfigError, readConfig } from '../config/read.ts';
import { configSchema } from '../config/schema.ts';
import { type ClusterSettings, familyOn } from '../connect.ts';
import { exitCodes } from '../exit-codes.ts';
import { createReporter } from '../reporter.ts';

/** What a replay is told. */
export interface ReplayFlags {
  /** Pattern and its replacement: changes one fact in every answer of the nodes. */
  readonly change?: readonly string[];
  /** Configuration with which the run was recorded; without it every setting has its default. */
  readonly config?: string;
  readonly json?: boolean;
}

/** Runs a recorded run again without its cluster, also with one fact changed, and says where the decisions part. */
export async function replay(file: string, { change, config, json }: ReplayFlags): Promise<number> {
  const changing = change === undefined ? undefined : changeOf(change);
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new ConfigError(`${file} cannot be read: ${cause.message}`, {
      remedy: 'Name incident.ndjson in the directory of a run.',
      cause,
    });
  });
  const settings = await settingsOf(config);
  const result = await replayLog(text, {
    family: (hosts, now) => familyOn(settings, hosts, now),
    change: changing,
  });
  const { decisions, difference } = result;
  const reporter = createReporter(json === true ? 'json' : 'text', process.stdout);
  for (const line of decisions) reporter.line(line);
  reporter.line(
    difference === null
      ? 'the same decisions as were recorded'
      : `first difference, decision ${difference.at}:\n  recorded: ${difference.recorded ?? 'nothing more'}\n  replayed: ${difference.replayed ?? 'nothing more'}`,
  );
  reporter.result({ ...result });
  reporter.close();
  return exitCodes[difference === null ? 'OK' : 'REPLAY_DIFFERS'].code;
}

/** Nobody waits in a replay: what was seen after the pause is in the log. */
async function settingsOf(file: string | undefined): Promise<ClusterSettings> {
  if (file !== undefined) return { ...(await readConfig(file)), stabilitySeconds: 0 };
  const { minority, mirror } = configSchema.shape;
  return { stabilitySeconds: 0, minority: minority.parse(undefined), mirror: mirror.parse(undefined) };
}

/** What changes every output that a call was answered with. */
function changeOf([pattern, replacement, ...more]: readonly string[]): (call: RecordedCall) => RecordedCall {
  if (pattern === undefined || replacement === undefined || more.length > 0) {
    throw new ConfigError('a change is two words', { remedy: 'Say --change PATTERN REPLACEMENT, behind the log.' });
  }
  const wanted = regularExpression(pattern);
  return (call) =>
    JSON.parse(JSON.stringify(call), (key, value) =>
      key === 'stdout' && typeof value === 'string' ? value.replace(wanted, replacement) : value,
    );
}

function regularExpression(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'g');
  } catch (cause) {
    throw new ConfigError((cause as Error).message, { remedy: 'Give a regular expression of JavaScript.', cause });
  }
}
