import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { tellOutcome } from './report-text.ts';

/** Audits the software levels of all nodes. */
export async function levels({ context, reporter, signal }: Session): Promise<number> {
  const gate = await context.audit({ signal });
  for (const { rule, severity, nodes, message, remedy } of gate.findings) {
    const said = [`  ${severity} ${rule} on ${nodes.join(', ')}: ${message}`, `    ${remedy}`];
    tellOutcome(reporter, said, severity === 'info');
  }
  reporter.line(gate.kind === 'pass' ? 'levels: the same on all nodes' : `levels: ${gate.kind}`);
  reporter.result({ ...gate });
  return exitCodes[gate.kind === 'stop' ? 'LEVELS_DIFFER' : 'OK'].code;
}
