import type { GroupRow } from '../readers/resource-groups.ts';
import type { Answer, NodeReport } from '../survey/report.ts';

/** Why something is refused. `code` is stable; `seen` quotes; `remedy` tells what would settle it. */
export interface Problem {
  readonly code: string;
  /** Cluster node name, or `null` when it concerns the cluster as a whole. */
  readonly node: string | null;
  readonly message: string;
  readonly seen: string;
  readonly remedy: string;
}

/** One line of evidence: what a node said, in its own words. */
export interface Evidence {
  /** Cluster node name. */
  readonly node: string;
  /** Command that was asked, as typed. */
  readonly source: string;
  /** What follows from its answer, in one line. */
  readonly says: string;
}

/** Why nobody backs up. */
export type Refusal = 'offline' | 'moving' | 'contested' | 'undecidable' | 'no-cluster' | 'unknown-group';

/** A reason with the verdict that it calls for. */
export interface Finding {
  readonly refusal: Refusal;
  readonly problem: Problem;
}

/** A node that answered. */
export type AnsweredReport = Extract<NodeReport, { kind: 'answered' }>;

/** A reason that only more or better evidence can settle. */
export function undecidable(
  code: string,
  node: string | null,
  message: string,
  { seen, remedy }: { readonly seen: string; readonly remedy: string },
): [Finding] {
  return [{ refusal: 'undecidable', problem: { code, node, message, seen, remedy } }];
}

/** A reason that time may settle. */
export function moving(code: string, node: string, message: string, seen: string): Finding[] {
  const remedy = 'Ask again when the cluster is stable.';
  return [{ refusal: 'moving', problem: { code, node, message, seen, remedy } }];
}

/** Builds the problem of an answer that cannot be used. */
export function unusable(report: AnsweredReport, answer: Answer<unknown>, code: string): Finding[] {
  if (answer.kind === 'read') return [];
  const message =
    answer.kind === 'absent'
      ? `${answer.source} is not installed on ${report.node}`
      : `${answer.source} gave no usable answer on ${report.node} (${answer.code})`;
  const seen = answer.kind === 'absent' ? 'exit code 127' : answer.seen;
  const remedy = `Run "${answer.source}" on ${report.node} as root until it answers in full.`;
  return [{ refusal: 'undecidable', problem: { code, node: report.node, message, seen, remedy } }];
}

/** The value of an answer that was read. */
export function value<T>(answer: Answer<T>): T | undefined {
  return answer.kind === 'read' ? answer.value : undefined;
}

/** What a node says about one group. */
export function rowsOf(group: string, report: AnsweredReport): GroupRow[] {
  return value(report.groups)?.filter((row) => row.group === group) ?? [];
}

/** A list as text that does not depend on the order of the answers. */
export function sorted(words: readonly string[]): string {
  return [...words].sort().join(', ');
}
