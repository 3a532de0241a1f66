import type { BackupEvent } from '@splitmirror/backup';
import { factOf } from './commands/problems.ts';
import { bytesText, durationText } from './units.ts';

/** What is going on, as far as the events told. Pure: the same events give the same picture. */
export interface Progress {
  /** Title and start (ms since the epoch) of the step under way. */
  readonly step: { readonly title: string; readonly since: number } | null;
  /** Archives that flow now, by volume. */
  readonly flowing: ReadonlyMap<string, Flow>;
  /** The resynchronisation, from when it was first seen. */
  readonly resync: Resync | null;
}

interface Flow {
  readonly since: number;
  readonly bytes: number;
  readonly entries: number;
  /** Upper bound: a file system is rarely full. */
  readonly bytesAtMost: number;
  /** When a log was last told of it. */
  readonly toldAt: number;
}

interface Resync {
  /** Most partitions that were seen to lag behind. */
  readonly first: number;
  /** The last looks, oldest first. */
  readonly looks: readonly Look[];
  readonly toldAt: number;
}

interface Look {
  readonly at: number;
  readonly stale: number;
}

export const noProgress: Progress = { step: null, flowing: new Map(), resync: null };

/** Steps that come so often that they say nothing to a person. */
const silent = new Set(['confirm', 'wait', 'redundancy']);

/** Looks over which the pace of a resynchronisation is taken: it changes with the load on the disks. */
const looksKept = 8;

/** A log gets one line in so long of each thing that goes on. */
const sparseMs = 5 * 60_000;

export function afterEvent(progress: Progress, event: BackupEvent): Progress {
  const now = Date.parse(event.at);
  switch (event.type) {
    case 'step-start':
      return silent.has(event.step) ? progress : { ...progress, step: { title: event.title, since: now } };
    case 'step-end':
      return silent.has(event.step) ? progress : { ...progress, step: null };
    case 'archive-start': {
      const { volume, bytesAtMost } = event;
      return flowOf(progress, volume, { since: now, bytes: 0, entries: 0, bytesAtMost, toldAt: now });
    }
    case 'archive-progress': {
      const flow = progress.flowing.get(event.volume);
      if (flow === undefined) return progress;
      const { bytes, entries } = event;
      return flowOf(progress, event.volume, { ...flow, bytes, entries, toldAt: toldAt(flow.toldAt, now) });
    }
    case 'archive-end': {
      const flowing = new Map(progress.flowing);
      flowing.delete(event.volume);
      return { ...progress, flowing };
    }
    case 'resync-progress':
      return { ...progress, resync: lookedAgain(progress.resync, { at: now, stale: event.stalePartitions }) };
    case 'run-end':
    case 'recovery-end':
      return noProgress;
    default:
      return progress;
  }
}

/** The line that an event leaves behind for good, or nothing. */
export function lineOf(event: BackupEvent, before: Progress): string | undefined {
  switch (event.type) {
    case 'step-end': {
      if (silent.has(event.step)) return undefined;
      const took = before.step === null ? '' : `  ${durationText(Date.parse(event.at) - before.step.since)}`;
      // Identifiers are for the manifest; a person reads what was proved with them.
      const told = Object.entries(event.facts).filter(([name]) => !name.startsWith('identifier '));
      const facts = told.map(([name, value]) => `\n      ${name}: ${value}`);
      return `  ${isGood(event.outcome) ? 'ok ' : 'NO '} ${event.title}${isGood(event.outcome) ? '' : `: ${event.outcome}`}${took}${facts.join('')}`;
    }
    case 'archive-end':
      return `      ${event.volume}: ${bytesText(event.bytes)} in ${event.entries} entries, sha256 ${event.sha256.slice(0, 16)}...`;
    case 'way-back':
      return [
        `  way back (${event.reason})`,
        ...event.problems.map((problem) => `      ${problem.code}: ${factOf(problem)}`),
      ].join('\n');
    default:
      return undefined;
  }
}

/** The line that a log gets from time to time of what takes long, where nothing can be redrawn. */
export function sparseLineOf(event: BackupEvent, before: Progress): string | undefined {
  const now = Date.parse(event.at);
  const after = afterEvent(before, event);
  if (event.type === 'archive-progress') {
    const [was, flow] = [before.flowing.get(event.volume), after.flowing.get(event.volume)];
    return flow === undefined || flow.toldAt === was?.toldAt ? undefined : `      ${flowText(event.volume, flow, now)}`;
  }
  if (event.type === 'resync-progress') {
    const { resync } = after;
    return resync === null || resync.toldAt === before.resync?.toldAt || event.stalePartitions === 0
      ? undefined
      : `      resync: ${resyncText(resync)}`;
  }
  return undefined;
}

/** What is going on, in a few lines that are drawn again and again. */
export function liveLines(progress: Progress, now: number, width: number): string[] {
  const { step, flowing, resync } = progress;
  const lines: string[] = [];
  if (step !== null) lines.push(`  ${spinner(now)} ${step.title}  ${((now - step.since) / 1000).toFixed(0)} s`);
  for (const [volume, flow] of flowing) {
    lines.push(`      ${bar(flow.bytes / flow.bytesAtMost)}  ${flowText(volume, flow, now)}`);
  }
  const stale = resync?.looks.at(-1)?.stale ?? 0;
  if (resync !== null && stale > 0) lines.push(`      ${bar(1 - stale / resync.first)}  resync: ${resyncText(resync)}`);
  return lines.map((line) => line.slice(0, width));
}

function flowText(volume: string, { bytes, entries, bytesAtMost, since }: Flow, now: number): string {
  const rate = bytes / Math.max(0.001, (now - since) / 1000);
  return `${volume}: ${bytesText(bytes)} of at most ${bytesText(bytesAtMost)}, ${bytesText(Math.round(rate))}/s, ${entries} entries`;
}

function resyncText(resync: Resync): string {
  const stale = resync.looks.at(-1)?.stale ?? 0;
  const percent = Math.floor((1 - stale / resync.first) * 100);
  return `${percent} %, ${stale} of ${resync.first} partitions to go, ${estimateText(resync)}`;
}

/** How long it will take, by the pace of the last looks; where they show none, that is what is said. */
function estimateText({ looks }: Resync): string {
  const [oldest, newest] = [looks[0], looks.at(-1)];
  if (oldest === undefined || newest === undefined || looks.length < 3) return 'pace not known yet';
  const [gained, ms] = [oldest.stale - newest.stale, newest.at - oldest.at];
  if (gained <= 0) return `no progress for ${durationText(ms)}`;
  return `about ${durationText(Math.ceil((newest.stale / gained) * (ms / 1000)) * 1000)} at the pace of the last ${durationText(ms)}`;
}

function lookedAgain(resync: Resync | null, look: Look): Resync {
  const { first, looks, toldAt: told } = resync ?? { first: 0, looks: [], toldAt: look.at };
  // More than before: something else began, and the pace of what was before says nothing about it.
  const kept = look.stale > (looks.at(-1)?.stale ?? 0) ? [] : looks.slice(1 - looksKept);
  return { first: Math.max(first, look.stale), looks: [...kept, look], toldAt: toldAt(told, look.at) };
}

function toldAt(last: number, now: number): number {
  return now - last >= sparseMs ? now : last;
}

function flowOf(progress: Progress, volume: string, flow: Flow): Progress {
  return { ...progress, flowing: new Map(progress.flowing).set(volume, flow) };
}

function isGood(outcome: string): boolean {
  return ['held', 'holds', 'seen', 'mine', 'done', 'archived', 'whole', 'free'].includes(outcome);
}

function spinner(now: number): string {
  return '|/-\\'.charAt(Math.floor(now / 125) % 4);
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * 20);
  return `[${'#'.repeat(full)}${'.'.repeat(20 - full)}]`;
}
