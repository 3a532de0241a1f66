import type { GroupPolicy } from '../src/plan/run-plan.ts';

/** How the tests back up the ledger of the lab. */
export const labPolicy: GroupPolicy = {
  quiesce: { suspend: [['ledgerctl', 'suspend']], resume: [['ledgerctl', 'resume']], timeoutSeconds: 30 },
  freezeSeconds: 30,
  allowLastCopy: true,
  rawVolumes: [{ volume: 'auditlv', lvcb: 'keep' }],
  parallel: 2,
  archiveSeconds: 600,
  idleSeconds: 60,
  proofMs: 60_000,
  pollMs: 50,
  levels: 'stop',
};
