import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Host, renderCommand, requireWhole, SplitmirrorError } from '@splitmirror/host';
import type { BackupContext, Surroundings } from '../context.ts';
import type { BackupEvent } from '../events.ts';
import type { GroupPolicy, RunPlan } from '../plan/run-plan.ts';
import { codesOf, type IncidentEntry, type RecordedCall, type RecordedError, spellScript } from './incident-log.ts';
import { mapStrings, redaction } from './redaction.ts';

/** What is kept, and what is taken out. */
export interface RecorderOptions {
  /** Host names, addresses and other words that the log must not hold; each is replaced wherever it stands. */
  readonly redact?: readonly string[] | undefined;
  /** Most bytes of one script's output that are kept; default 1 MiB. */
  readonly outputBytes?: number | undefined;
  /** Most bytes of the whole log; default 32 MiB. Decisions are kept all the same. */
  readonly logBytes?: number | undefined;
}

/** Writes down what a run or a recovery asked, was told and decided, so that it can be replayed without its cluster. */
export interface Recorder {
  /** Hosts that are listened to. Give these to the family. */
  hosts(hosts: ReadonlyMap<string, Host>): ReadonlyMap<string, Host>;
  /**
   * A context that is listened to, for one plan and run or one recovery of one group. The log is also kept as
   * `incident.ndjson` in its directory.
   */
  context(context: BackupContext, group: string, policy: GroupPolicy): BackupContext;
  /** What came of the planning: the plan, or the error. A run tells its plan by itself. */
  planned(result: RunPlan | unknown): void;
  /** The log so far: JSON lines, redacted. */
  text(): string;
}

/** Name of the log in the directory of a run or a recovery. */
const fileName = 'incident.ndjson';

/**
 * Makes a recorder for one run, or one recovery.
 *
 * @throws RangeError for a word that is too short to be taken out, and for a size that is no whole number of bytes.
 */
export function createRecorder(options: RecorderOptions = {}): Recorder {
  const { redact = [], outputBytes = 1 << 20, logBytes = 32 << 20 } = options;
  requireWhole('outputBytes', outputBytes, 0);
  requireWhole('logBytes', logBytes, 0);
  const salt = crypto.randomUUID();
  const clean = redaction(redact, salt);
  const lines: string[] = [];
  let size = 0;
  let isFull = false;
  let isPlanned = false;
  let file: number | undefined;
  let calls = 0;
  let decisions = 0;
  let now = () => new Date();
  const nodes: string[] = [];

  const put = (line: string) => {
    lines.push(line);
    size += line.length + 1;
    if (file !== undefined) attempt(() => writeSync(Number(file), `${line}\n`));
  };
  const write = (entry: IncidentEntry) => {
    if (isFull && (entry.kind === 'call' || entry.kind === 'stream')) return;
    const line = JSON.stringify(mapStrings(entry, clean));
    if (!isFull && size + line.length > logBytes) {
      isFull = true;
      put(JSON.stringify({ kind: 'full', at: now().toISOString() } satisfies IncidentEntry));
      if (entry.kind === 'call' || entry.kind === 'stream') return;
    }
    put(line);
  };
  // Keeping a log must not fail a run.
  const attempt = (work: () => unknown) => {
    try {
      work();
    } catch {
      file = undefined;
    }
  };
  const begin = () => ({ n: ++calls, during: decisions, at: now().toISOString(), from: performance.now() });

  const listen = (host: Host): Host => ({
    name: host.name,
    async run(script, settings) {
      const { n, during, at, from } = begin();
      const kept = (outcome: RecordedCall['outcome']) => {
        const call: RecordedCall = {
          ...{ kind: 'call', n, during, at, node: host.name, ...spellScript(script), outcome },
          durationMs: Math.round(performance.now() - from),
        };
        write(JSON.stringify(outcome).length > outputBytes ? withoutOutput(call) : call);
      };
      try {
        const outcome = await host.run(script, settings);
        kept(outcome);
        return outcome;
      } catch (error) {
        kept(errorOf(error));
        throw error;
      }
    },
    async stream(source, settings) {
      const { n, during, at } = begin();
      const common = { kind: 'stream', n, during, at, node: host.name, command: renderCommand(source) } as const;
      try {
        const stream = await host.stream(source, settings);
        void stream.outcome.then((outcome) => write({ ...common, outcome }));
        return stream;
      } catch (error) {
        write({ ...common, outcome: errorOf(error) });
        throw error;
      }
    },
    close: () => host.close(),
  });

  const take = (event: BackupEvent) => {
    switch (event.type) {
      case 'step-start':
        decisions++;
        return write({ kind: 'decision', number: decisions, at: event.at, step: event.step, title: event.title });
      case 'step-end':
        return write({ kind: 'outcome', number: decisions, at: event.at, outcome: event.outcome });
      case 'way-back':
        return write({ kind: 'way-back', after: decisions, reason: event.reason, problems: event.problems });
      case 'recovery-start': {
        const { at, run, by, breakLock } = event;
        return write({ kind: 'recovery', at, run, by, breakLock });
      }
      case 'run-end':
      case 'recovery-end':
        write({ kind: 'end', at: event.at, verdict: event.verdict.kind, codes: codesOf(event.verdict) });
        if (file !== undefined) attempt(() => closeSync(Number(file)));
        file = undefined;
        return;
      default:
        return;
    }
  };

  const planned: Recorder['planned'] = (result) => {
    if (isPlanned) return;
    isPlanned = true;
    const isPlan = typeof result === 'object' && result !== null && 'mirror' in result;
    const refusal = isPlan ? null : errorOf(result).code;
    write({ kind: 'plan', at: now().toISOString(), plan: isPlan ? (result as RunPlan) : null, refusal });
  };

  return {
    hosts(hosts) {
      nodes.push(...hosts.keys());
      return new Map([...hosts].map(([name, host]) => [name, listen(host)]));
    },
    context(context, group, policy) {
      const { surroundings } = context;
      now = () => surroundings.now();
      const { controller } = surroundings;
      write({ kind: 'header', splitmirror: 1, at: now().toISOString(), group, policy, nodes: [...nodes], controller });
      return {
        ...context,
        surroundings: recorded(surroundings, write),
        keepLog(directory, plan) {
          if (plan !== null) planned(plan);
          attempt(() => {
            file = openSync(join(directory, fileName), 'ax', 0o600);
            writeSync(file, lines.map((line) => `${line}\n`).join(''));
          });
        },
        onEvent(event) {
          take(event);
          context.onEvent?.(event);
        },
      };
    },
    planned,
    text: () => lines.map((line) => `${line}\n`).join(''),
  };
}

function recorded(surroundings: Surroundings, write: (entry: IncidentEntry) => void): Surroundings {
  const kept = <T extends string>(of: 'run' | 'token' | 'alive', value: T): T => {
    write({ kind: 'chance', of, value });
    return value;
  };
  return {
    ...surroundings,
    now: () => surroundings.now(),
    sleep: (ms, signal) => surroundings.sleep(ms, signal),
    newRunId: () => kept('run', surroundings.newRunId()),
    newToken: () => kept('token', surroundings.newToken()),
    isAlive: (controller, token) => kept('alive', surroundings.isAlive(controller, token)),
  };
}

function withoutOutput(call: RecordedCall): RecordedCall {
  return { ...call, outcome: { kind: 'unknown', reason: 'not kept: too large', steps: [] }, cut: true };
}

function errorOf(error: unknown): RecordedError {
  if (SplitmirrorError.is(error)) return { kind: 'threw', code: error.code, message: error.message };
  return { kind: 'threw', code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) };
}
