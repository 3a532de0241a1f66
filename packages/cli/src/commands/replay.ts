import { readFile } from 'node:fs/promises';
import { replay as replayLog } from '@splitmirror/backup';
import { aixFamily } from '@splitmirror/backup/aix';
import { ConfigError } from '../config/read.ts';
import { exitCodes } from '../exit-codes.ts';

/** What a replay is told. */
export interface ReplayFlags {
  /** Pattern and its replacement: changes one fact in every answer of the nodes. */
  readonly change?: readonly string[];
  readonly json?: boolean;
}

/** Runs a recorded run again without its cluster, also with one fact changed, and says where the decisions part. */
export async function replay(file: string, { change, json }: ReplayFlags): Promise<number> {
  if (change !== undefined && change.length !== 2) {
    throw new ConfigError('a change is two words', { remedy: 'Say --change PATTERN REPLACEMENT.' });
  }
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new ConfigError(`${file} cannot be read: ${cause.message}`, {
      remedy: 'Name incident.ndjson in the directory of a run.',
      cause,
    });
  });
  const [pattern = '', replacement = ''] = change ?? [];
  const wanted = new RegExp(pattern, 'g');
  const result = await replayLog(text, {
    family: (hosts, now) => aixFamily({ hosts, now, stabilityMs: 0 }),
    ...(change === undefined
      ? {}
      : {
          change: (call) =>
            JSON.parse(JSON.stringify(call), (key, value) =>
              key === 'stdout' && typeof value === 'string' ? value.replace(wanted, replacement) : value,
            ),
        }),
  });
  if (json === true) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } else {
    for (const line of result.decisions) process.stdout.write(`${line}\n`);
    const { difference } = result;
    process.stdout.write(
      difference === null
        ? 'the same decisions as were recorded\n'
        : `first difference, decision ${difference.at}:\n  recorded: ${difference.recorded ?? 'nothing more'}\n  replayed: ${difference.replayed ?? 'nothing more'}\n`,
    );
  }
  return exitCodes[result.difference === null ? 'OK' : 'REPLAY_DIFFERS'].code;
}
