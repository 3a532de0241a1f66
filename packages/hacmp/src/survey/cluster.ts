import { setTimeout as wait } from 'node:timers/promises';
import { type Host, requireWhole } from '@splitmirror/host';
import type { GroupContents } from '../readers/group-resources.ts';
import { factsOf } from '../verdict/facts.ts';
import type { Evidence, Problem, Refusal } from '../verdict/finding.ts';
import type { Policy } from '../verdict/policy.ts';
import { type ChangedFact, compareProofs, isIntact, type Proof, proofOf } from '../verdict/proof.ts';
import { contentsOf, decide, type Verdict } from '../verdict/verdict.ts';
import type { Signalled } from './ask.ts';
import type { NodeReport } from './report.ts';
import { askHolder, survey } from './survey.ts';

/** Who holds a group. Everything but `held` means: no backup now. */
export type Standing =
  | {
      readonly kind: 'held';
      readonly node: string;
      readonly contents: GroupContents;
      readonly proof: Proof;
      /** What does not change who holds the group and yet has to be known, such as levels that differ. */
      readonly warnings: readonly Problem[];
      readonly evidence: readonly Evidence[];
    }
  | { readonly kind: Refusal; readonly reasons: readonly Problem[]; readonly evidence: readonly Evidence[] };

/** What became of a proof. */
export type Confirmation =
  | { readonly kind: 'holds'; readonly proof: Proof }
  | { readonly kind: 'lost'; readonly changed: readonly ChangedFact[] }
  /** The node could not be asked: nothing may be changed, and nothing is known to have changed. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** How a cluster is asked. */
export interface ClusterOptions {
  /** Hosts by cluster node name, which is not the host name. A configured node without a host counts as silent. */
  readonly hosts: ReadonlyMap<string, Host>;
  /** The time for proofs. */
  readonly now: () => Date;
  /**
   * Milliseconds between the two rounds of questions; only what stayed the same counts. Default 0. More than 15 s also
   * sees through answers that are as old as an SNMP poll. `sleep` replaces the wait in tests.
   */
  readonly stability?: { readonly pauseMs: number; readonly sleep?: typeof sleep } | undefined;
  readonly policy?: Policy | undefined;
  /** Maintenance level by cluster node name, where more is known than the cluster managers tell. */
  readonly levels?: ReadonlyMap<string, string> | undefined;
}

/** A cluster that can be asked who holds a group. */
export interface HaCluster {
  /** All configured node names that have a host, sorted. */
  readonly nodes: readonly string[];
  /** Asks all nodes at once, twice, and weighs their answers. Rejects only when aborted. */
  locate(group: string, options?: Signalled): Promise<Standing>;
  /** Takes a proof again: one round trip to the holder. Rejects only when aborted. */
  confirm(proof: Proof, options?: Signalled): Promise<Confirmation>;
  /** The verdict with the reports it rests on, for those who want to look closer. */
  judge(group: string, options?: Signalled): Promise<{ verdict: Verdict; rounds: readonly (readonly NodeReport[])[] }>;
}

/**
 * A HACMP or PowerHA cluster behind hosts.
 *
 * @throws RangeError for a pause that is no whole number of milliseconds: it would be no pause at all.
 */
export function haCluster({ hosts, now, stability, policy, levels }: ClusterOptions): HaCluster {
  requireWhole('stability.pauseMs', stability?.pauseMs, 0, longestPauseMs);
  const judge: HaCluster['judge'] = async (group, { signal } = {}) => {
    const first = await survey(hosts, { signal });
    const contents = contentsOf(group, first);
    if (!contents) return { verdict: decide(group, [first], policy, { levels }), rounds: [first] };
    if (stability) await (stability.sleep ?? sleep)(stability.pauseMs, signal);
    // The second round asks about the disks too, so that their answers lie between two equal words of the cluster.
    const second = await survey(hosts, { volumeGroups: contents.volumeGroups, signal });
    return { verdict: decide(group, [first, second], policy, { levels }), rounds: [first, second] };
  };
  return {
    nodes: [...hosts.keys()].sort(),
    judge,
    async locate(group, options) {
      const { verdict } = await judge(group, options);
      if (verdict.kind !== 'held') return { kind: verdict.kind, reasons: verdict.reasons, evidence: verdict.evidence };
      const { node, contents, warnings, evidence } = verdict;
      return { kind: 'held', node, contents, proof: proofOf(verdict, now()), warnings, evidence };
    },
    async confirm(proof, { signal } = {}) {
      const host = hosts.get(proof.node);
      if (!host) return { kind: 'unknown', reason: `no host was given for ${proof.node}` };
      if (!isIntact(proof)) return { kind: 'unknown', reason: 'the proof was changed since it was taken' };
      const volumeGroups = named(proof, 'volume group ');
      const report = await askHolder(proof.node, host, { volumeGroups, signal });
      if (report.kind === 'unreachable') return { kind: 'unknown', reason: report.reason };
      const facts = factsOf(proof.group, report, { volumeGroups }, named(proof, 'file system '));
      const again = proofOf({ group: proof.group, node: proof.node, facts }, now());
      const changed = compareProofs(proof, again);
      const silent = changed.filter(({ after }) => after === 'no usable answer').map(({ fact }) => fact);
      if (silent.length === changed.length && silent.length > 0) {
        return { kind: 'unknown', reason: `no usable answer on ${proof.node} about: ${silent.join(', ')}` };
      }
      return changed.length > 0 ? { kind: 'lost', changed } : { kind: 'holds', proof: again };
    },
  };
}

function named(proof: Proof, prefix: string): string[] {
  return Object.keys(proof.facts).flatMap((fact) => (fact.startsWith(prefix) ? [fact.slice(prefix.length)] : []));
}

/** An hour: what stands still for longer says no more. */
const longestPauseMs = 3_600_000;

async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await wait(ms, undefined, { signal });
}
