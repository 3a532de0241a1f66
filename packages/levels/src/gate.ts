import type { Finding } from './finding.ts';

/** Whether a run that rests on these nodes may start. */
export type GateVerdict =
  | { readonly kind: 'pass' }
  /** It may; the findings belong into its record. */
  | { readonly kind: 'warn'; readonly findings: readonly Finding[] }
  /** It may not: `findings` are the errors. */
  | { readonly kind: 'stop'; readonly findings: readonly Finding[] };

/**
 * Errors stop, warnings are recorded, and information passes. What is under an open waiver passes too. What is an
 * error is the audit policy's to say.
 */
export function gate(findings: readonly Finding[]): GateVerdict {
  const standing = findings.filter(({ waiver }) => waiver?.state !== 'open');
  const errors = standing.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) return { kind: 'stop', findings: errors };
  const warnings = standing.filter(({ severity }) => severity === 'warning');
  return warnings.length > 0 ? { kind: 'warn', findings: warnings } : { kind: 'pass' };
}
