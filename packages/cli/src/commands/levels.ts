import { writeFile } from 'node:fs/promises';
import { unlessAborted } from '@splitmirror/host';
import { auditLevels, collectLevels, gateProbes, renderHtml } from '@splitmirror/levels';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { toFile } from './output-file.ts';
import { tellOutcome } from './report-text.ts';

/** Where the audit goes beside the terminal. */
export interface LevelsFlags {
  /** File for a page with all filesets of all nodes. */
  readonly html?: string;
}

/** Audits the software levels of all nodes. */
export async function levels(
  { context, reporter, signal, remedyText }: Session,
  { html }: LevelsFlags,
): Promise<number> {
  const gate = await context.audit({ signal });
  for (const { rule, severity, nodes, message, remedy } of gate.findings) {
    const said = [`  ${severity} ${rule} on ${nodes.join(', ')}: ${message}`, `    ${remedyText(remedy)}`];
    tellOutcome(reporter, said, severity === 'info');
  }
  const unread = gate.findings.some(({ rule }) => rule === 'NODE-UNREAD');
  tellOutcome(reporter, [`levels: ${unread ? 'not all of them could be compared' : verdicts[gate.kind]}`], !unread);
  if (html !== undefined) {
    const snapshot = await unlessAborted(signal, () =>
      collectLevels({ hosts: context.hosts, probes: gateProbes, signal }),
    );
    const cluster = [...context.hosts.keys()].sort().join(', ');
    await toFile(html, () => writeFile(html, renderHtml(snapshot, auditLevels(snapshot), { cluster })));
    reporter.line(`page: ${html}`);
  }
  reporter.result({ ...gate });
  if (gate.kind === 'stop') return exitCodes.LEVELS_DIFFER.code;
  return exitCodes[unread ? 'HOST_UNREACHABLE' : 'OK'].code;
}

const verdicts = {
  pass: 'the same on all nodes',
  warn: 'fit for a backup, with warnings',
  stop: 'they forbid a backup',
} as const;
