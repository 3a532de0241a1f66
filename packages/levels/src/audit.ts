import { compare } from './comparison.ts';
import type { Draft, Finding, Severity, Subject } from './finding.ts';
import type { MinimumLevel } from './minimum-levels.ts';
import { type RuleId, rules } from './rules.ts';
import type { Snapshot } from './snapshot.ts';

/** Permission to leave a finding as it is for a time. */
export interface Waiver {
  readonly rule: RuleId;
  /** Only these subjects; `*` stands for any text: `cluster.es.assist.*`. Default: all. */
  readonly subjects?: readonly string[] | undefined;
  /** Only findings about no other nodes than these. Default: all. */
  readonly nodes?: readonly string[] | undefined;
  /** Why, for the reader of the next report. */
  readonly reason: string;
  /** Last day on which it holds: `2026-12-31`. */
  readonly until: string;
}

/** What an audit makes of its rules. Plain JSON. */
export interface AuditPolicy {
  /** Another severity for a rule, or `off`. Replaces every severity that the rule itself would give. */
  readonly severities?: Readonly<Partial<Record<RuleId, Severity | 'off'>>> | undefined;
  /** Another severity for some subjects of a rule; goes before `severities`. `*` stands for any text: `Java8*`. */
  readonly subjects?:
    | readonly { readonly rule: RuleId; readonly subjects: readonly string[]; readonly severity: Severity | 'off' }[]
    | undefined;
  readonly waivers?: readonly Waiver[] | undefined;
  /** A declared maintenance window: two levels, the old one and the new, are then expected. UTC, ISO 8601. */
  readonly window?: { readonly until: string; readonly reason: string } | undefined;
  /** What the nodes looked like before: what changed since becomes a finding. */
  readonly baseline?: Snapshot | undefined;
  /** Least levels of AIX for PowerHA, in place of the table that comes with this package. */
  readonly minimums?: readonly MinimumLevel[] | undefined;
  /** The time at which waivers and window are judged: UTC, ISO 8601. Default: when the last node was asked. */
  readonly at?: string | undefined;
}

const ranks: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

/**
 * Compares the nodes of one cluster and judges what differs, what is broken, and what could not be read.
 *
 * Pure. A snapshot of one node is judged for what needs no comparison; one of no node is a finding.
 *
 * @returns The gravest first, and what is waived last; equal input gives equal output, whatever the order of nodes.
 */
export function auditLevels(snapshot: Snapshot, policy: AuditPolicy = {}): Finding[] {
  const { baseline = null, minimums } = policy;
  const comparison = compare(snapshot, minimums === undefined ? { baseline } : { baseline, minimums });
  const at =
    policy.at ??
    snapshot.nodes
      .map(({ askedAt }) => askedAt)
      .sort()
      .at(-1) ??
    '';
  const open = policy.window !== undefined && at <= policy.window.until;
  const findings = rules.flatMap((rule): Finding[] =>
    rule.find(comparison).flatMap((draft): Finding[] => {
      const expected = open && 'inWindow' in rule && (draft.division?.groups.length ?? 0) === 2;
      const own = expected ? rule.inWindow : (draft.severity ?? rule.severity);
      return treat(draft, rule.id, policy, at).flatMap(({ subjects, waiver, wanted }) =>
        wanted === 'off'
          ? []
          : [
              {
                rule: rule.id,
                severity: wanted ?? own,
                nodes: draft.nodes,
                division: draft.division,
                message: draft.say(nameSubjects(subjects)),
                subjects,
                remedy: draft.remedy ?? rule.remedy,
                waiver,
              },
            ],
      );
    }),
  );
  // Stable: within a severity findings keep the order of the rules, and within a rule that of their names.
  return findings.sort((a, b) => rankOf(a) - rankOf(b));
}

function rankOf({ severity, waiver }: Finding): number {
  return ranks[severity] + (waiver?.state === 'open' ? 3 : 0);
}

interface Treatment {
  readonly subjects: Subject[];
  readonly waiver: Finding['waiver'];
  /** Severity by policy; `undefined`: the rule's own. */
  readonly wanted: Severity | 'off' | undefined;
}

/** Splits the subjects of a draft by what the policy says of them. */
function treat({ subjects, nodes }: Draft, rule: RuleId, policy: AuditPolicy, at: string): Treatment[] {
  const waivers = (policy.waivers ?? [])
    .filter((waiver) => waiver.rule === rule && nodes.every((node) => waiver.nodes?.includes(node) ?? true))
    // One that still holds goes before one that has ended.
    .sort((a, b) => (a.until === b.until ? 0 : a.until > b.until ? -1 : 1));
  const exceptions = (policy.subjects ?? []).filter((exception) => exception.rule === rule);
  const parts = new Map<string, Treatment>();
  const put = (name: string | null, subject: Subject | null) => {
    const waiver = waivers.findIndex((candidate) => covers(candidate, name));
    const wanted = exceptions.find((exception) => covers(exception, name))?.severity ?? policy.severities?.[rule];
    const key = `${waiver} ${wanted}`;
    const part = parts.get(key) ?? { subjects: [], waiver: standing(waivers[waiver], at), wanted };
    parts.set(key, part);
    if (subject !== null) part.subjects.push(subject);
  };
  if (subjects.length === 0) put(null, null);
  for (const subject of subjects) put(subject.name, subject);
  return [...parts.values()];
}

function standing(waiver: Waiver | undefined, at: string): Finding['waiver'] {
  if (waiver === undefined) return null;
  const { reason, until } = waiver;
  return { state: at.slice(0, 10) <= until ? 'open' : 'ended', reason, until };
}

function covers({ subjects }: Pick<Waiver, 'subjects'>, name: string | null): boolean {
  if (subjects === undefined) return true;
  return name !== null && subjects.some((pattern) => matches(pattern, name));
}

/** `*` stands for any text. Without regular expressions, so that no pattern takes long. */
function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === name;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let from = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, from);
    if (found === -1) return false;
    from = found + piece.length;
  }
  return from <= name.length - last.length;
}

/** The first names, and how many more there are. */
function nameSubjects(subjects: readonly Subject[]): string {
  const [first, second, ...more] = subjects.map(({ name }) => name);
  if (second === undefined) return first ?? '';
  return more.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${more.length} more`;
}
