import { z } from 'zod';
import { BackupError } from '../errors.ts';

/** What a journal says that a run did, and when. Times are in milliseconds from `startedAt`. */
export interface RunTimeline {
  readonly run: string;
  readonly group: string;
  readonly node: string;
  /** UTC, ISO 8601. */
  readonly startedAt: string;
  readonly lastsMs: number;
  /** Kind of the verdict; `null` when the journal breaks off: the run was killed, or it still runs. */
  readonly verdict: string | null;
  /** How the way back of a run that failed or was interrupted ended: `whole`, `stuck`, `busy`; `null` where there was none. */
  readonly wayBack: string | null;
  /** Who allowed the plan; `null` where nobody was asked, and in journals of earlier versions. */
  readonly approval: { readonly by: string; readonly at: string; readonly expiresAt: string } | null;
  /** Why this node was taken for the holder, when the run was planned. */
  readonly evidence: readonly { readonly node: string; readonly source: string; readonly says: string }[];
  readonly spans: readonly TimelineSpan[];
  /** Each time the proof of ownership was taken. */
  readonly proofs: readonly ProofPoint[];
  /** What went wrong, in the order in which it was seen. */
  readonly problems: readonly { readonly code: string; readonly message: string; readonly remedy: string }[];
}

/** What lasts: a phase, or a state that phases begin and end. */
export interface TimelineSpan {
  /**
   * `suspended`: the application is at rest. `frozen`: writers of one file system are held. `exposed`: fewer copies than
   * before. All others are phases of the run.
   */
  readonly lane: 'suspended' | 'frozen' | 'exposed' | 'phase';
  /** For a phase its name, for `frozen` the mount point. */
  readonly what: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** For a phase the kind of its outcome; `open` when its end was not written down. */
  readonly outcome: string;
}

/** One proof of ownership. */
export interface ProofPoint {
  readonly atMs: number;
  /** What it allowed. */
  readonly before: string;
  /** `holds`, `lost` or `unknown`. */
  readonly outcome: string;
}

const problem = z.looseObject({ code: z.string(), message: z.string(), remedy: z.string() });
const step = z.looseObject({ id: z.string(), kind: z.string(), durationMs: z.number().optional() });
const phaseOutcome = z.looseObject({
  kind: z.string(),
  problems: z.array(problem).optional(),
  transcript: z.looseObject({ steps: z.array(step) }).optional(),
});
/** The parts of a journal's lines that a timeline needs; the lines hold more. */
const line = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('plan'),
    at: z.iso.datetime(),
    plan: z.looseObject({
      run: z.string(),
      group: z.string(),
      node: z.string(),
      evidence: z.array(z.looseObject({ node: z.string(), source: z.string(), says: z.string() })),
    }),
    approval: z.looseObject({ by: z.string(), at: z.string(), expiresAt: z.string() }).nullish(),
  }),
  z.looseObject({
    kind: z.literal('intent'),
    at: z.iso.datetime(),
    effect: z.looseObject({
      kind: z.string(),
      before: z.string().optional(),
      phase: z.looseObject({ name: z.string() }).optional(),
    }),
  }),
  z.looseObject({
    kind: z.literal('outcome'),
    at: z.iso.datetime(),
    of: z.string(),
    outcome: phaseOutcome.optional(),
    confirmation: z.looseObject({ kind: z.string() }).optional(),
    result: z.looseObject({ kind: z.string(), problems: z.array(problem).optional() }).optional(),
    redundancy: z.looseObject({ kind: z.string() }).optional(),
    problem: problem.nullish(),
  }),
  z.looseObject({
    kind: z.literal('end'),
    at: z.iso.datetime(),
    verdict: z.looseObject({
      kind: z.string(),
      recovery: z.looseObject({ kind: z.string(), problems: z.array(problem).optional() }).optional(),
    }),
  }),
]);
type Line = z.infer<typeof line>;
type Intent = Extract<Line, { kind: 'intent' }>;
type Outcome = Extract<Line, { kind: 'outcome' }>;

/**
 * Reads the journal of a run. A last line without its end is left out: a killed run may leave one.
 *
 * @param text Content of `journal.ndjson`.
 * @throws BackupError `BACKUP_DAMAGED` naming the line that is not what a run writes.
 */
export function timelineOf(text: string): RunTimeline {
  const lines = text.split('\n').slice(0, -1).map(readLine);
  const [plan] = lines;
  if (plan?.kind !== 'plan') throw damaged(1, 'it does not begin with the plan');
  const start = Date.parse(plan.at);
  const msOf = (at: string) => Date.parse(at) - start;
  const lastsMs = msOf(lines.at(-1)?.at ?? plan.at);
  const end = lines.find((each) => each.kind === 'end');

  const spans: TimelineSpan[] = [];
  const proofs: ProofPoint[] = [];
  const problems: z.infer<typeof problem>[] = [];
  const marks = new Map<string, number>();
  let splitMs: number | null = null;
  for (const [intent, outcome] of effectsOf(lines)) {
    const fromMs = msOf(intent.at);
    const toMs = outcome === null ? lastsMs : msOf(outcome.at);
    const said = outcome?.outcome ?? outcome?.confirmation ?? outcome?.result ?? outcome?.redundancy;
    problems.push(...(outcome?.outcome?.problems ?? []), ...(outcome?.result?.problems ?? []));
    if (outcome?.problem) problems.push(outcome.problem);
    const { kind, before = '' } = intent.effect;
    if (kind === 'confirm') {
      proofs.push({ atMs: toMs, before, outcome: said?.kind ?? 'open' });
    } else {
      const what = intent.effect.phase?.name ?? kind;
      if (isDrawn(kind)) spans.push({ lane: 'phase', what, fromMs, toMs, outcome: said?.kind ?? 'open' });
      if (what === 'split' && splitMs === null) splitMs = toMs;
      if (said?.kind === 'whole' && splitMs !== null) {
        spans.push({ lane: 'exposed', what: 'fewer copies', fromMs: splitMs, toMs, outcome: 'whole' });
        splitMs = null;
      }
    }
    if (outcome?.outcome?.transcript) {
      spans.push(...heldSpans(outcome.outcome.transcript.steps, fromMs, toMs, marks));
    }
  }
  for (const [id, fromMs] of marks) spans.push({ ...laneOf(id), fromMs, toMs: lastsMs, outcome: 'open' });
  if (splitMs !== null) {
    spans.push({ lane: 'exposed', what: 'fewer copies', fromMs: splitMs, toMs: lastsMs, outcome: 'open' });
  }
  const { run, group, node, evidence } = plan.plan;
  const approval = plan.approval ?? null;
  const verdict = end?.verdict.kind ?? null;
  const recovery = end?.verdict.recovery;
  const wayBack = recovery?.kind ?? null;
  // What a step has failed with is told there.
  const told = new Set(problems.map(({ code, message }) => `${code} ${message}`));
  problems.push(...(recovery?.problems ?? []).filter(({ code, message }) => !told.has(`${code} ${message}`)));
  return {
    run,
    group,
    node,
    approval,
    evidence,
    startedAt: plan.at,
    lastsMs,
    verdict,
    wayBack,
    spans,
    proofs,
    problems,
  };
}

function readLine(text: string, index: number): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(index + 1, (cause as Error).message);
  }
  const read = line.safeParse(value);
  if (read.success) return read.data;
  throw damaged(index + 1, read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

function damaged(number: number, why: string): BackupError {
  return new BackupError('BACKUP_DAMAGED', `line ${number} of the journal is not what a run writes: ${why}`, {
    remedy: 'The backup itself may be good: verify it. Its manifest tells the same without the journal.',
  });
}

/** Each intent with its outcome; `null` where the journal breaks off in between. */
function effectsOf(lines: readonly Line[]): (readonly [Intent, Outcome | null])[] {
  return lines.flatMap((intent, index) => {
    if (intent.kind !== 'intent') return [];
    const next = lines[index + 1];
    return [[intent, next?.kind === 'outcome' ? next : null] as const];
  });
}

/** Looks, proofs and pauses are too many and too short to be drawn. */
function isDrawn(kind: string): boolean {
  return ['perform', 'archive', 'redundancy', 'pay-debt', 'resume', 'commit'].includes(kind);
}

/**
 * How long writers and application were held: from the first step that holds them to the step that lets them go. Within a
 * phase only durations are known; they are laid end to end from its start.
 */
function heldSpans(
  steps: readonly z.infer<typeof step>[],
  phaseFromMs: number,
  phaseToMs: number,
  open: Map<string, number>,
): TimelineSpan[] {
  const spans: TimelineSpan[] = [];
  let at = phaseFromMs;
  for (const { id, kind, durationMs = 0 } of steps) {
    const from = at;
    at = Math.min(at + durationMs, phaseToMs);
    if (kind === 'skipped') continue;
    const [verb = '', subject = ''] = /^([a-z]+):(.*)$/.exec(id)?.slice(1) ?? [];
    if (verb === 'freeze') open.set(`freeze:${subject}`, from);
    if (verb === 'suspend' && !open.has('suspend')) open.set('suspend', from);
    const begun = verb === 'thaw' ? `freeze:${subject}` : 'suspend';
    const fromMs = open.get(begun);
    // The application goes on when its last resume has ended, which is when its note is settled.
    if (fromMs !== undefined && (verb === 'thaw' || id === 'settle')) {
      spans.push({ ...laneOf(begun), fromMs, toMs: at, outcome: 'done' });
      open.delete(begun);
    }
  }
  return spans;
}

function laneOf(id: string): Pick<TimelineSpan, 'lane' | 'what'> {
  return id === 'suspend'
    ? { lane: 'suspended', what: 'application' }
    : { lane: 'frozen', what: id.slice('freeze:'.length) };
}
