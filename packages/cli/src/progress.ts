import type { BackupEvent } from '@splitmirror/backup';
import { bytesText } from './units.ts';

/** What is going on, as far as the events told. Pure: the same events give the same picture. */
export interface Progress {
  /** Title and start (ms since the epoch) of the step under way. */
  readonly step: { readonly title: string; readonly since: number } | null;
  /** Archives that flow now, by volume. */
  readonly flowing: ReadonlyMap<string, Flow>;
  /** Partitions that lagged behind when the resynchronisation was first seen, and now. */
  readonly resync: { readonly first: number; readonly stale: number } | null;
}

interface Flow {
  readonly since: number;
  readonly bytes: number;
  readonly entries: number;
  /** Upper bound: a file system is rarely full. */
  readonly bytesAtMost: number;
}

export const noProgress: Progress = { step: null, flowing: new Map(), resync: null };

/** Steps that come so often that they say nothing to a person. */
const silent = new Set(['confirm', 'wait', 'redundancy']);

export function afterEvent(progress: Progress, event: BackupEvent): Progress {
  const now = Date.parse(event.at);
  switch (event.type) {
    case 'step-start':
      return silent.has(event.step) ? progress : { ...progress, step: { title: event.title, since: now } };
    case 'step-end':
      return silent.has(event.step) ? progress : { ...progress, step: null };
    case 'archive-start':
      return flowOf(progress, event.volume, { since: now, bytes: 0, entries: 0, bytesAtMost: event.bytesAtMost });
    case 'archive-progress': {
      const flow = progress.flowing.get(event.volume);
      return flow === undefined
        ? progress
        : flowOf(progress, event.volume, { ...flow, bytes: event.bytes, entries: event.entries });
    }
    case 'archive-end': {
      const flowing = new Map(progress.flowing);
      flowing.delete(event.volume);
      return { ...progress, flowing };
    }
    case 'resync-progress': {
      const stale = event.stalePartitions;
      return { ...progress, resync: { first: Math.max(progress.resync?.first ?? 0, stale), stale } };
    }
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
      const took = before.step === null ? '' : `  ${((Date.parse(event.at) - before.step.since) / 1000).toFixed(1)} s`;
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
        ...event.problems.map(({ code, message, seen }) => `      ${code}: ${message}: ${seen}`),
      ].join('\n');
    default:
      return undefined;
  }
}

/** What is going on, in a few lines that are drawn again and again. */
export function liveLines(progress: Progress, now: number, width: number): string[] {
  const lines: string[] = [];
  if (progress.step !== null) {
    lines.push(`  ${spinner(now)} ${progress.step.title}  ${((now - progress.step.since) / 1000).toFixed(0)} s`);
  }
  for (const [volume, flow] of progress.flowing) {
    const rate = flow.bytes / Math.max(0.001, (now - flow.since) / 1000);
    lines.push(
      `      ${volume}  ${bar(flow.bytes / flow.bytesAtMost)}  ${bytesText(flow.bytes)}  ${bytesText(rate)}/s  ${flow.entries} entries`,
    );
  }
  if (progress.resync !== null && progress.resync.stale > 0) {
    const { first, stale } = progress.resync;
    lines.push(`      resync  ${bar(1 - stale / first)}  ${stale} of ${first} partitions to go`);
  }
  return lines.map((line) => line.slice(0, width));
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
