import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { type Host, type Script, type ScriptOutcome, TransportError, type TransportFailure } from '@splitmirror/host';
import type { BackupContext, Surroundings } from '../context.ts';
import { BackupError } from '../errors.ts';
import type { BackupEvent } from '../events.ts';
import { planBackup } from '../plan/plan.ts';
import type { Problem } from '../ports.ts';
import { noJournal } from '../run/journal.ts';
import { recoverGroup } from '../run/recover.ts';
import { runBackup } from '../run/run.ts';
import type { Store } from '../store/store.ts';
import {
  codesOf,
  type IncidentEntry,
  parseIncidentLog,
  type RecordedCall,
  scriptKey,
  spellScript,
} from './incident-log.ts';

/** How a log is replayed. */
export interface ReplayOptions {
  /** Builds the family on hosts that answer from the log, for instance `aixFamily` with `stabilityMs: 0`. */
  readonly family: (
    hosts: ReadonlyMap<string, Host>,
    now: () => Date,
  ) => Pick<BackupContext, 'cluster' | 'mirror' | 'hosts' | 'audit' | 'systemLevel'>;
  /** Changes one fact: gets every recorded call and returns it, or another one in its place. */
  readonly change?: ((call: RecordedCall) => RecordedCall) | undefined;
}

/** What a replay came to. */
export interface Replay {
  /** What was decided, one line each: planning, then every step, then the verdict. */
  readonly decisions: readonly string[];
  /** The same as it was recorded. */
  readonly recorded: readonly string[];
  /** `false`: the log breaks off before the end, because the run was killed or the file was cut. */
  readonly isWhole: boolean;
  /** Where both differ for the first time; `null` when they are the same. A log that breaks off is compared as far as it goes. */
  readonly difference: {
    readonly at: number;
    readonly recorded: string | null;
    readonly replayed: string | null;
  } | null;
  /** Scripts that the run never asked for, and so are not answered: after a difference there may be some. */
  readonly unanswered: readonly string[];
}

/**
 * Runs a recorded run or recovery again, without any cluster: the same code, the answers from the log. The same facts lead to the same
 * decisions; a changed one shows what it would have changed. Archives have no bytes in a log: how they ended is taken from it.
 *
 * @param text What a recorder has kept.
 * @throws BackupError `LOG_UNREADABLE`, also for a log that breaks off before its first decision
 */
export async function replay(text: string, { family, change = (call) => call }: ReplayOptions): Promise<Replay> {
  const entries = parseIncidentLog(text).map((entry) => (entry.kind === 'call' ? change(entry) : entry));
  const [header] = entries;
  if (header?.kind !== 'header') throw new RangeError('a parsed log begins with its header');
  const of = <K extends IncidentEntry['kind']>(kind: K) =>
    entries.filter((entry): entry is Extract<IncidentEntry, { kind: K }> => entry.kind === kind);
  const recorded = recordedDecisions(entries);
  if (recorded.length === 0) {
    throw new BackupError(
      'LOG_UNREADABLE',
      'the log breaks off before its first decision: there is nothing to compare',
      {
        remedy:
          'Take incident.ndjson as it lies in the directory of the run: where it breaks off there, too, nothing was decided.',
      },
    );
  }
  const isWhole = of('end').length > 0 || of('plan').some(({ plan }) => plan === null);

  const clock = { at: header.at };
  const now = () => new Date(clock.at);
  const decisions: string[] = [];
  const unanswered: string[] = [];
  let step = 0;
  const heard = (at: string) => {
    clock.at = at;
  };
  const hosts = answeringHosts(entries, { now: () => step, heard, unanswered });
  const orderly = new AbortController();
  const stop = new AbortController();
  const interrupted = interruptedAfter(of('way-back'), of('end'));
  const refusedFor = of('end')[0]?.codes ?? [];
  const last = of('decision').length;

  const onEvent = (event: BackupEvent) => {
    if (event.type === 'step-start') {
      step++;
      clock.at = of('decision').find(({ number }) => number === step)?.at ?? clock.at;
      decisions.push(decisionText(event));
      if (!isWhole && step > last) stop.abort();
    }
    if (event.type === 'step-end' && step === interrupted) orderly.abort();
    if (event.type === 'run-end' || event.type === 'recovery-end') {
      decisions.push(endText(event.verdict.kind, codesOf(event.verdict)));
    }
  };
  const context: BackupContext = {
    ...family(hosts, now),
    store: emptyStore(),
    surroundings: surroundingsOf(header.controller, of('chance'), now),
    onEvent,
    archive: async () => {
      const outcome = of('outcome').find(({ number }) => number === step)?.outcome;
      if (outcome === 'archived') return { kind: 'archived', archives: [], proofs: [] };
      const problems = of('way-back').find(({ after }) => after === step)?.problems ?? [];
      return { kind: 'failed', problems: problems as readonly Problem[] };
    },
  };
  if (refusedFor.includes('INTERRUPTED') || interrupted === 0) orderly.abort();
  const compared = (): Replay => {
    const replayed = isWhole ? decisions : decisions.slice(0, recorded.length);
    return { decisions: replayed, recorded, isWhole, difference: firstDifference(recorded, replayed), unanswered };
  };
  const [recovery] = of('recovery');
  try {
    if (recovery !== undefined) {
      const { breakLock } = recovery;
      await recoverGroup(context, header.group, header.policy, { breakLock, stop: stop.signal });
      return compared();
    }
    // A plan that was loaded was made in another process, whose questions are not in this log.
    const loaded = of('call').some(({ during }) => during === 0) ? null : of('plan')[0]?.plan;
    const plan = loaded ?? (await planBackup(context, header.group, header.policy));
    decisions.push(planText(plan.node, plan.mirror.split.title));
    await runBackup(context, plan, { signal: orderly.signal, stop: stop.signal });
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    decisions.push(refusalText(error.code));
  }
  return compared();
}

/**
 * The hosts of a log by node name: each answers a script with what was recorded for it, in order, and keeps to the last
 * answer. A script that was never recorded has an unknown outcome.
 *
 * @throws BackupError `LOG_UNREADABLE`
 */
export function hostsOfLog(text: string): ReadonlyMap<string, Host> {
  return answeringHosts(parseIncidentLog(text), { now: () => 0, heard: () => {}, unanswered: [] });
}

interface Listener {
  /** Number of the decision under way. */
  now(): number;
  heard(at: string): void;
  readonly unanswered: string[];
}

function answeringHosts(entries: readonly IncidentEntry[], listener: Listener): ReadonlyMap<string, Host> {
  const header = entries.find(({ kind }) => kind === 'header');
  const nodes = header?.kind === 'header' ? header.nodes : [];
  const answers = new Map<string, { readonly call: RecordedCall; used: boolean }[]>();
  for (const call of entries.filter((entry) => entry.kind === 'call').sort((a, b) => a.n - b.n)) {
    const key = scriptKey(call.node, call.commands);
    answers.set(key, [...(answers.get(key) ?? []), { call, used: false }]);
  }
  const answer = (node: string, script: Script): ScriptOutcome => {
    const { commands } = spellScript(script);
    const known = answers.get(scriptKey(node, commands)) ?? [];
    const step = listener.now();
    // What was asked in this very step comes first; a poll that asks more often than the run did hears the last word again.
    const here = known.filter(({ call }) => call.during === step);
    const found = here.find(({ used }) => !used) ?? here.at(-1) ?? known.find(({ used }) => !used) ?? known.at(-1);
    if (found === undefined) {
      listener.unanswered.push(`${node}: ${commands.join('; ')}`);
      return { kind: 'unknown', reason: 'the log holds no answer to this', steps: [] };
    }
    found.used = true;
    listener.heard(found.call.at);
    const { outcome } = found.call;
    if (outcome.kind !== 'threw') return outcome;
    const remedy = 'This was recorded.';
    throw new TransportError(outcome.code as TransportFailure, node, outcome.message.replace(`${node}: `, ''), {
      remedy,
    });
  };
  const hosts = nodes.map((name): [string, Host] => [
    name,
    {
      name,
      async run(script) {
        await turn();
        return answer(name, script);
      },
      async stream() {
        const stdout = new PassThrough();
        stdout.destroy();
        return { stdout, outcome: Promise.resolve({ kind: 'unknown', reason: 'a log holds no bytes', stderr: '' }) };
      },
      async close() {},
    },
  ]);
  return new Map(hosts);
}

type Entries<K extends IncidentEntry['kind']> = readonly Extract<IncidentEntry, { kind: K }>[];

function surroundingsOf(
  controller: Surroundings['controller'],
  chances: Entries<'chance'>,
  now: () => Date,
): Surroundings {
  const queue = (of: 'run' | 'token' | 'alive') =>
    chances.filter((chance) => chance.of === of).map(({ value }) => value);
  const [runs, tokens, lives] = [queue('run'), queue('token'), queue('alive')];
  return {
    now,
    sleep: () => turn(),
    newRunId: () => runs.shift() ?? 'replay',
    newToken: () => tokens.shift() ?? '0'.repeat(32),
    controller,
    isAlive: () => (lives.shift() ?? 'unknown') as ReturnType<Surroundings['isAlive']>,
  };
}

/** A store that holds nothing and takes everything. */
function emptyStore(): Store {
  const directory = '/replay';
  const refuse = async (): Promise<never> => {
    throw new BackupError('BACKUP_UNKNOWN', 'a replay has no store', { remedy: 'Look at the decisions.' });
  };
  return {
    root: directory,
    archivesIn: directory,
    require: async () => {},
    exists: async () => true,
    freeBytes: async () => Number.POSITIVE_INFINITY,
    survey: async () => ({ backups: [], damaged: [], incomplete: [] }),
    list: async () => [],
    find: refuse,
    record: refuse,
    remove: refuse,
    begin: async (_group, _run, createdAt) => ({
      directory,
      createdAt,
      journal: noJournal,
      openArchive: refuse,
      commit: async () => directory,
      forget: async () => {},
    }),
    beginRecovery: async () => ({ directory, journal: noJournal, forget: async () => {} }),
  };
}

function recordedDecisions(entries: readonly IncidentEntry[]): string[] {
  return entries.flatMap((entry) => {
    switch (entry.kind) {
      case 'plan':
        return entry.plan === null
          ? [refusalText(entry.refusal ?? '')]
          : [planText(entry.plan.node, entry.plan.mirror.split.title)];
      case 'decision':
        return [decisionText(entry)];
      case 'end':
        return [endText(entry.verdict, entry.codes)];
      default:
        return [];
    }
  });
}

/** After which step the end was asked for, or `undefined`. One that came during a step is told by the verdict only. */
function interruptedAfter(turns: Entries<'way-back'>, ends: Entries<'end'>): number | undefined {
  const turn = turns.find(({ reason }) => reason === 'interrupted');
  return (turn ?? (ends[0]?.verdict === 'interrupted' ? turns[0] : undefined))?.after;
}

function planText(node: string, title: string): string {
  return `plan on ${node}: ${title}`;
}

function refusalText(code: string): string {
  return `plan refused: ${code}`;
}

function decisionText({ step, title }: { readonly step: string; readonly title: string }): string {
  return `${step}: ${title}`;
}

/** Being off its history is told by the store, which a log does not hold. */
function endText(verdict: string, codes: readonly string[]): string {
  return `end: ${verdict === 'suspicious' ? 'good' : verdict}${codes.length === 0 ? '' : ` (${codes.join(', ')})`}`;
}

function firstDifference(recorded: readonly string[], replayed: readonly string[]): Replay['difference'] {
  const length = Math.max(recorded.length, replayed.length);
  for (let at = 0; at < length; at++) {
    if (recorded[at] !== replayed[at]) return { at, recorded: recorded[at] ?? null, replayed: replayed[at] ?? null };
  }
  return null;
}
