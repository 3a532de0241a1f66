import {
  type BackupHealth,
  type BackupRecord,
  leftOutText,
  type Manifest,
  type RunTimeline,
} from '@splitmirror/backup';
import { bytesText, durationText } from '../units.ts';
import type { Aftermath } from './aftermath.ts';
import { labelOf } from './figure.ts';

/** What is known of a run. A run that failed has no manifest; a backup whose journal was lost has no timeline. */
export interface RunRecord {
  readonly manifest: Manifest | null;
  readonly timeline: RunTimeline | null;
  /** What the backup is worth; `null` without one. */
  readonly health: BackupHealth | null;
  /** What was recorded of the backup since, oldest first. */
  readonly records: readonly BackupRecord[];
  /** What became of a run without a backup; `null` where that is not known. */
  readonly aftermath: Aftermath | null;
}

/** A run's report, before it is drawn: a page and a text say the same. */
export interface Report {
  readonly title: string;
  readonly verdict: { readonly tone: 'good' | 'odd' | 'bad'; readonly text: string };
  /** Lines of label and value. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly sections: readonly Section[];
}

/** One table with its heading. */
export interface Section {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What is said when there are no rows. */
  readonly none: string;
}

/**
 * Puts the report of a run together. Pure.
 *
 * @throws RangeError when nothing at all is known of the run.
 */
export function reportOf(record: RunRecord): Report {
  const { manifest, timeline, health, records } = record;
  const known = manifest ?? timeline;
  if (known === null) throw new RangeError('a report needs a manifest or a timeline');
  const { run, group, node } = known;
  return {
    title: `Run ${run}: ${group} on ${node}`,
    verdict: verdictOf(record),
    facts: [
      ['planned', manifest?.createdAt ?? timeline?.startedAt ?? ''],
      ...(timeline === null ? [] : ([['lasted', durationText(timeline.lastsMs)]] as const)),
      ...approvalOf(timeline),
      ...(manifest === null ? [] : factsOf(manifest)),
      ...provedBy(health),
      ...heldOf(timeline),
    ],
    sections: [
      {
        title: 'Timeline',
        head: ['what', 'from', 'lasted', 'outcome'],
        rows: (timeline?.spans ?? [])
          .toSorted((a, b) => a.fromMs - b.fromMs)
          .map((span) => [
            labelOf(span),
            durationText(span.fromMs),
            durationText(span.toMs - span.fromMs),
            span.outcome,
          ]),
        none: 'The journal is not there.',
      },
      {
        title: 'Ownership',
        head: ['node', 'asked', 'says'],
        rows: (timeline?.evidence ?? []).map(({ node: of, source, says }) => [of, source, says]),
        none: 'The journal is not there; the manifest holds the proofs.',
      },
      {
        title: 'Proofs',
        head: ['from start', 'before', 'outcome'],
        rows: (timeline?.proofs ?? []).map(({ atMs, before, outcome }) => [durationText(atMs), before, outcome]),
        none: 'None was taken.',
      },
      {
        title: 'Saved',
        head: ['volume', 'of', 'archive', 'size', 'entries', 'sha256'],
        rows: (manifest?.archives ?? []).map(({ volume, mountPoint, file, bytes, entries, sha256 }) => [
          volume,
          mountPoint ?? 'raw volume',
          file,
          bytesText(bytes),
          String(entries),
          sha256,
        ]),
        none: 'Nothing was committed.',
      },
      {
        title: 'Odd',
        head: ['what', 'seen', 'remedy'],
        rows: [
          ...(timeline?.problems ?? []).map(({ code, message, remedy }) => [code, message, remedy]),
          ...(manifest?.suspicions ?? []).map(({ code, message }) => [code, message, 'Look, then judge the backup.']),
          ...records.map(recordRow),
          ...(manifest?.archives ?? []).flatMap(({ volume, warnings }) =>
            warnings.map((warning) => [volume, warning, '']),
          ),
        ],
        none: 'Nothing.',
      },
    ],
  };
}

/** What a person or a drill found out afterwards. */
function recordRow(record: BackupRecord): string[] {
  return record.kind === 'judgement'
    ? ['judgement', `${record.verdict} by ${record.by}: ${record.reason}`, '']
    : ['drill', [`${record.level} ${record.outcome} at ${record.at}`, ...record.problems].join('; '), ''];
}

function verdictOf({ manifest, timeline, health, aftermath }: RunRecord): Report['verdict'] {
  if (manifest === null || health === null) return verdictWithoutBackup(timeline, aftermath);
  switch (health.health) {
    case 'rejected':
      return { tone: 'bad', text: `Rejected: ${health.reasons.join('; ')}` };
    case 'damaged':
      return { tone: 'bad', text: `Damaged: ${health.reasons.join('; ')}. Use another backup.` };
    case 'suspicious':
      return {
        tone: 'odd',
        text: 'Suspicious: the backup is whole, but off the history of its group. Look, then judge it.',
      };
    case 'good':
      break;
  }
  if (timeline?.verdict === 'failed') {
    return { tone: 'odd', text: 'The backup is complete; what came after it failed.' };
  }
  return manifest.archives.some(({ warnings }) => warnings.length > 0)
    ? { tone: 'odd', text: 'Good, with warnings: see what was odd.' }
    : { tone: 'good', text: 'Good: the backup is complete and the mirror is whole.' };
}

function verdictWithoutBackup(timeline: RunTimeline | null, aftermath: Aftermath | null): Report['verdict'] {
  if (aftermath?.kind === 'under-way') {
    const { pid, host, step } = aftermath;
    return { tone: 'odd', text: `Under way: process ${pid} on ${host}${step === null ? '' : `; ${step}`}.` };
  }
  const ended = endingOf(timeline?.verdict ?? null);
  if (aftermath !== null) {
    const { by, run, at } = aftermath;
    const what = by === 'recovery' ? 'recovery' : 'run';
    const since = by === 'recovery' ? 'took back what it left' : 'found nothing left of it';
    return { tone: 'bad', text: `No backup: ${ended}; ${what} ${run} of ${at} ${since}.` };
  }
  if (timeline === null) return { tone: 'bad', text: `No backup: ${ended}.` };
  const { verdict, wayBack, group } = timeline;
  if (verdict === null) {
    const text = 'The journal breaks off: the run was killed, or it still runs. Where it is gone, run:';
    return { tone: 'bad', text: `${text} splitmirror recover ${group}` };
  }
  if (wayBack === null || wayBack === 'whole') return { tone: 'bad', text: `No backup: ${ended}.` };
  const text = 'its way back did not come to its end: something may be left. Run:';
  return { tone: 'bad', text: `No backup: ${ended}, and ${text} splitmirror recover ${group}` };
}

function endingOf(verdict: string | null): string {
  if (verdict === null) return 'the journal breaks off, the run was killed';
  return verdict === 'failed' ? 'the run failed' : `the run was ${verdict}`;
}

function provedBy(health: BackupHealth | null): [string, string][] {
  if (health === null) return [];
  const { proven } = health;
  return [['proven', proven === null ? 'by no drill' : `${proven.level}, ${proven.at}`]];
}

function factsOf({ consistency, leftOut, redundancy }: Manifest): [string, string][] {
  const { exposedSeconds, copiesLeft } = redundancy;
  return [
    ['consistency', consistency.level],
    ['fewer copies for', `${durationText(exposedSeconds * 1000)}, with ${copiesLeft} left on the live side`],
    ...(leftOut.length === 0 ? [] : [['left out on purpose', leftOut.map(leftOutText).join(', ')] as [string, string]]),
  ];
}

function approvalOf(timeline: RunTimeline | null): [string, string][] {
  const approval = timeline?.approval ?? null;
  return approval === null ? [] : [['approved', `by ${approval.by} at ${approval.at}`]];
}

/** The two numbers that users feel. */
function heldOf(timeline: RunTimeline | null): [string, string][] {
  const longest = (lane: string) =>
    Math.max(...(timeline?.spans ?? []).map((span) => (span.lane === lane ? span.toMs - span.fromMs : -1)), -1);
  const told = (label: string, ms: number): [string, string][] => (ms < 0 ? [] : [[label, durationText(ms)]]);
  return [
    ...told('application at rest for', longest('suspended')),
    ...told('writers held for at most', longest('frozen')),
  ];
}
