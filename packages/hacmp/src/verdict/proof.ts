import { createHash } from 'node:crypto';
import type { Verdict } from './verdict.ts';

/** Proof that a node held a group, made so that it can be taken again cheaply and compared. */
export interface Proof {
  readonly group: string;
  readonly node: string;
  /** UTC, ISO 8601. */
  readonly takenAt: string;
  /** Lower-case hex SHA-256 over `facts`. */
  readonly digest: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** A fact that is not what it was. */
export interface ChangedFact {
  readonly fact: string;
  readonly before: string;
  readonly after: string;
}

/** The proof of a verdict. */
export function proofOf(
  { group, node, facts }: Pick<Extract<Verdict, { kind: 'held' }>, 'group' | 'node' | 'facts'>,
  takenAt: Date,
): Proof {
  return { group, node, takenAt: takenAt.toISOString(), digest: digestOf(facts), facts };
}

/** What differs between two proofs, sorted by fact; empty: the later one holds. */
export function compareProofs(before: Proof, after: Proof): ChangedFact[] {
  const names = [...new Set([...Object.keys(before.facts), ...Object.keys(after.facts)])].sort();
  const changed = names.flatMap((fact) => {
    const [was, is] = [before.facts[fact] ?? 'not asked', after.facts[fact] ?? 'not asked'];
    return was === is ? [] : [{ fact, before: was, after: is }];
  });
  const ids = (['group', 'node'] as const).filter((id) => before[id] !== after[id]);
  return [...ids.map((id) => ({ fact: id, before: before[id], after: after[id] })), ...changed];
}

/** Whether the digest is the one of the facts: a proof from a file may have been edited. */
export function isIntact(proof: Proof): boolean {
  return proof.digest === digestOf(proof.facts);
}

function digestOf(facts: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
