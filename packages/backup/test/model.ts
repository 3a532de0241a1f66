import type { RunPlan } from '../src/plan/run-plan.ts';
import type { MirrorPlan, Phase } from '../src/ports.ts';

const phase = (name: string): Phase => ({
  name,
  node: 'a',
  title: name,
  script: { steps: [] },
  explains: {},
  undo: [],
});

const mirror: MirrorPlan = {
  run: 'r00000',
  node: 'a',
  volumes: [
    {
      volume: 'datalv',
      strategy: 'model',
      copy: 'smr00000201',
      source: { kind: 'directory', mountPoint: '/data', path: '/splitmirror/r00000/datalv' },
      bytes: 1,
      copies: 2,
      copiesLeft: 1,
      partitionsToResync: 2,
    },
  ],
  split: phase('split'),
  expose: phase('expose'),
  withdraw: phase('withdraw'),
  merge: phase('merge'),
  frozenSecondsAtMost: 60,
};

/** A plan of one small file system, for tests that need any. */
export const plan: RunPlan = {
  version: 1,
  run: 'r00000',
  createdAt: '2026-01-01T00:00:00.000Z',
  group: 'g',
  node: 'a',
  proof: { group: 'g', node: 'a', takenAt: '', digest: 'a', facts: { node: 'a' } },
  evidence: [],
  contents: { volumeGroups: ['vg'], fileSystems: ['/data'] },
  levels: { kind: 'pass', findings: [] },
  observed: 'whole on a',
  notes: '/data/.splitmirror',
  policy: {
    quiesce: { suspend: [['s']], resume: [['r']], timeoutSeconds: 1 },
    freezeSeconds: 60,
    allowLastCopy: true,
    rawVolumes: [],
    parallel: 1,
    archiveSeconds: 1,
    idleSeconds: 60,
    proofMs: 1,
    pollMs: 1,
    levels: 'stop',
  },
  mirror,
  archives: [],
  estimates: {
    frozenMsAtMost: 60_000,
    frozenMs: null,
    minutesWithoutRedundancy: 1,
    basis: 'made up',
    storeBytesAtMost: 1,
    partitionsToResync: 2,
  },
};
