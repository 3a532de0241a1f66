import type { Division } from './division.ts';
import type { RuleId } from './rules.ts';

/** `error`: takeover may fail, or nothing is known. `warning`: to be put right. `info`: worth knowing. */
export type Severity = 'error' | 'warning' | 'info';

/** What one node shows of a subject. */
export interface Observation {
  /** Cluster node name. */
  readonly node: string;
  /** What was compared, for instance a level; `null`: the list was read whole and does not hold it. */
  readonly value: string | null;
  /** Command whose answer it is, as typed. */
  readonly command: string;
  /** The line of the answer; `null` where there is none. */
  readonly line: string | null;
}

/** What a finding is about: a fileset, or a command whose answer is one value. */
export interface Subject {
  readonly name: string;
  /** One for each node that could be read, in the order of node names. */
  readonly observations: readonly Observation[];
}

/** Something that a rule found. Subjects over which the nodes divide in the same way are one finding. */
export interface Finding {
  readonly rule: RuleId;
  readonly severity: Severity;
  /** The nodes it is about: the odd ones out; in a tie all of them. Sorted. */
  readonly nodes: readonly string[];
  /** How the nodes divide; `null` for what is wrong without any comparison. */
  readonly division: Division | null;
  /** The fact, in one sentence. */
  readonly message: string;
  /** Sorted by name. Empty for a node that could not be asked. */
  readonly subjects: readonly Subject[];
  /** What to do, in one sentence. */
  readonly remedy: string;
  /** The waiver that was given for it; `null` without one. A finding under an open waiver does not count at the gate. */
  readonly waiver: FindingWaiver | null;
}

/** A waiver as it stands at the time of the audit. */
export interface FindingWaiver {
  readonly state: 'open' | 'ended';
  readonly reason: string;
  /** Last day on which it holds: `2026-12-31`. */
  readonly until: string;
}

/** What a rule's search hands over; the rest of a finding comes from the rule and the policy. */
export interface Draft extends Pick<Finding, 'nodes' | 'division' | 'subjects'> {
  readonly severity?: Severity;
  readonly remedy?: string;
  /** The message, given the names of the subjects in a few words. */
  readonly say: (names: string) => string;
}
