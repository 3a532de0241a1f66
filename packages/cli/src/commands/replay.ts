import { readFile } from 'node:fs/promises';
import { type RecordedCall, replay as replayLog } from '@splitmirror/backup';
import { ConfigError, readConfig } from '../config/read.ts';
import { configSchema } from '../config/schema.ts';
import { type ClusterSettings, familyOn } from '../connect.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Reporter } from '../reporter.ts';
import { interruptible } from '../session.ts';

/** What a replay is told. */
export interface ReplayFlags {
  /** Pattern and its replacement: changes one fact in every answer of the nodes. */
  readonly change?: readonly string[];
  /** Configuration with which the run was recorded; without it every setting has its default. */
  readonly config?: string;
  readonly json?: boolean;
}

/** Runs a recorded run again without its cluster, also with one fact changed, and says where the decisions part. */
export async function replay(file: string, flags: ReplayFlags): Promise<number> {
  return interruptible({ json: flags.json === true }, 'at-once', ({ reporter }) => replayed(file, flags, reporter));
}

async function replayed(file: string, { change, config }: ReplayFlags, reporter: Reporter): Promise<number> {
  const changing = change === undefined ? undefined : changeOf(change, file);
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new ConfigError(`${file} cannot be read: ${cause.message}`, {
      remedy: 'Name incident.ndjson in the directory of a run.',
      cause,
    });
  });
  const settings = await settingsOf(config);
  const result = await replayLog(text, {
    family: (hosts, now) => familyOn(settings, hosts, now),
    change: changing?.change,
  });
  changing?.mustHaveMatched();
  const { decisions, difference, isWhole } = result;
  for (const line of decisions) reporter.line(line);
  reporter.line(
    difference === null
      ? `the same decisions as were recorded${isWhole ? '' : ', up to where the log breaks off'}`
      : `first difference, decision ${difference.at}:\n  recorded: ${difference.recorded ?? 'nothing more'}\n  replayed: ${difference.replayed ?? 'nothing more'}`,
  );
  reporter.result({ ...result });
  return exitCodes[difference === null ? 'OK' : 'REPLAY_DIFFERS'].code;
}

/** Nobody waits in a replay: what was seen after the pause is in the log. */
async function settingsOf(file: string | undefined): Promise<ClusterSettings> {
  if (file !== undefined) return { ...(await readConfig(file)), stabilitySeconds: 0 };
  const { minority, mirror } = configSchema.shape;
  return { stabilitySeconds: 0, minority: minority.parse(undefined), mirror: mirror.parse(undefined) };
}

interface Changing {
  /** Changes every output that a call was answered with. */
  readonly change: (call: RecordedCall) => RecordedCall;
  /** A replay of what was not changed would look like an answer. */
  readonly mustHaveMatched: () => void;
}

function changeOf([pattern, replacement, ...more]: readonly string[], log: string): Changing {
  if (pattern === undefined || replacement === undefined || more.length > 0) {
    throw new ConfigError('a change is two words', { remedy: 'Say --change PATTERN REPLACEMENT, behind the log.' });
  }
  const wanted = regularExpression(pattern);
  let matches = 0;
  const changed = (output: string) => {
    matches += output.match(wanted)?.length ?? 0;
    return output.replace(wanted, replacement);
  };
  return {
    change: (call) =>
      JSON.parse(JSON.stringify(call), (key, value) =>
        key === 'stdout' && typeof value === 'string' ? changed(value) : value,
      ),
    mustHaveMatched() {
      if (matches > 0) return;
      throw new ConfigError(`nothing that the nodes answered matches ${pattern}`, {
        remedy: `Take the words from ${log}, as a node has printed them: clRGinfo -s prints GROUP:STATE:NODE.`,
      });
    },
  };
}

function regularExpression(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'g');
  } catch (cause) {
    throw new ConfigError((cause as Error).message, { remedy: 'Give a regular expression of JavaScript.', cause });
  }
}
