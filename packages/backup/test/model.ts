import type { Effect, Outcome } from '../src/effects.ts';
import type { Holder } from '../src/lock.ts';
import { failedOutcome } from '../src/perform.ts';
import type { MirrorPlan, Phase, Picture, Problem, Proof, RecoveryPlan } from '../src/ports.ts';
import type { RunPlan } from '../src/run-plan.ts';

/**
 * A cluster of two nodes and one mirrored volume, just deep enough for the effects of a run: who has the group, is it
 * split, mounted, stale, frozen, suspended, locked. Thousands of runs a second.
 */
export interface Model {
  /** Node that has the group, or `null` while nobody has it. */
  holder: 'a' | 'b' | null;
  copies: number;
  /** Split volume of ours, and whether its content is still the point in time that was frozen. */
  split: { consistent: boolean } | null;
  mountedOn: 'a' | 'b' | null;
  stale: number;
  /** Nodes with a directory of ours, which stays where it was made when the group moves. */
  marks: Set<string>;
  suspended: boolean;
  note: boolean;
  lock: Holder | null;
  /** Archives that were taken wholly from a consistent copy on the node that held the group. */
  archived: boolean;
  committed: boolean;
  /** Violations of what must never happen. */
  crimes: string[];
}

export const fresh = (): Model => ({
  holder: 'a',
  copies: 2,
  split: null,
  mountedOn: null,
  stale: 0,
  marks: new Set(),
  suspended: false,
  note: false,
  lock: null,
  archived: false,
  committed: false,
  crimes: [],
});

/** What goes wrong with one effect. */
export const faults = [
  'killed-before',
  'killed-after',
  'clean-failure',
  'dirty-failure',
  'unknown-not-done',
  'unknown-done',
  'node-crash',
  'group-moves',
  'interrupt',
] as const;
export type Fault = (typeof faults)[number];

/** The controller died: nothing after this is observed. */
export class Killed extends Error {}

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

export const holderOf = (token: string, intended: Holder['intended'] = []): Holder => ({
  splitmirror: 1,
  run: 'r00000',
  group: 'g',
  token: token.padEnd(32, '0'),
  controller: { host: 'c', pid: 1, birth: null },
  since: '2026-01-01T00:00:00.000Z',
  intended,
});

const proofOn = (node: string): Proof => ({ group: 'g', node, takenAt: '', digest: node, facts: { node } });

export const plan: RunPlan = {
  version: 1,
  run: 'r00000',
  createdAt: '2026-01-01T00:00:00.000Z',
  group: 'g',
  node: 'a',
  proof: proofOn('a'),
  evidence: [],
  contents: { volumeGroups: ['vg'], fileSystems: ['/data'] },
  levels: { kind: 'pass', findings: [] },
  observed: 'whole on a',
  notes: '/data/.splitmirror',
  holder: holderOf('1', [{ volume: 'datalv', copies: 2 }]),
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
  partitionsToResync: 2,
  storeBytesAtMost: 1,
};

const problem = (code: string): Problem => ({ code, node: 'a', message: code, seen: code, remedy: '-' });

function pictureOf(model: Model, node: string): Picture {
  // A node without the volume group sees no volumes, only its own directories.
  if (node !== model.holder) {
    const none = { leftovers: [], stalePartitions: 0, fileSystems: ['/data'], digest: 'elsewhere', node };
    return { ...none, ...{ mounted: false, copies: 2, marked: model.marks.has(node) } };
  }
  const leftovers = model.split === null ? [] : [{ run: 'r00000', what: 'volume', name: 'smr00000201' }];
  return {
    node,
    digest: model.split === null && model.copies === 2 && model.stale === 0 ? `whole on ${node}` : 'other',
    leftovers,
    stalePartitions: model.stale,
    fileSystems: ['/data'],
    ...{ mounted: model.mountedOn === node, copies: model.copies, marked: model.marks.has(node) },
  };
}

/** The family's way back, from the picture and the lock. */
export function recovery(picture: Picture, intended: readonly { copies: number }[] = []): RecoveryPlan {
  const { mounted, copies, marked } = picture as Picture & { mounted: boolean; copies: number; marked: boolean };
  const wanted = intended[0]?.copies ?? (picture.leftovers.length > 0 ? 2 : copies);
  const names = [
    ...(mounted ? ['unmount'] : []),
    ...(picture.leftovers.length > 0 ? ['remove'] : []),
    ...(picture.leftovers.length === 0 && copies < wanted ? ['merge'] : []),
    ...(picture.leftovers.length === 0 && copies >= wanted && marked ? ['clear'] : []),
  ];
  return { phases: names.map((name) => ({ ...phase(name), node: picture.node })), problems: [] };
}

/** Performs an effect on the model as a node would. `node` is whom the controller believes to hold the group. */
export function performOn(model: Model, effect: Effect, self: Holder): Outcome {
  switch (effect.kind) {
    case 'locate':
      return model.holder === null
        ? { of: 'locate', standing: { kind: 'moving', reasons: [problem('MOVING')], evidence: [] } }
        : {
            of: 'locate',
            standing: {
              kind: 'held',
              node: model.holder,
              contents: plan.contents,
              proof: proofOn(model.holder),
              evidence: [],
            },
          };
    case 'confirm':
      return {
        of: 'confirm',
        confirmation:
          model.holder === effect.proof.node
            ? { kind: 'holds', proof: effect.proof }
            : { kind: 'lost', changed: [{ fact: 'node', before: effect.proof.node, after: String(model.holder) }] },
      };
    case 'look':
      return { of: 'look', looked: { kind: 'seen', picture: pictureOf(model, effect.node) } };
    case 'read-lock':
      return model.lock === null
        ? { of: 'read-lock', reading: { kind: 'free', debt: model.note }, liveness: 'gone' }
        : {
            of: 'read-lock',
            reading: { kind: 'held', holder: model.lock, debt: model.note },
            liveness: model.lock.token === self.token ? 'mine' : 'gone',
          };
    case 'lock':
      model.lock ??= effect.holder;
      return {
        of: 'lock',
        result: model.lock.token === effect.holder.token ? { kind: 'mine' } : { kind: 'held', holder: model.lock },
      };
    case 'inherit':
      if (model.lock?.token === effect.from.token) model.lock = effect.holder;
      return { of: 'inherit', result: { kind: 'mine' } };
    case 'break-lock':
      model.lock = null;
      return { of: 'break-lock', result: { kind: 'done' } };
    case 'pay-debt':
      model.suspended = false;
      model.note = false;
      return { of: 'pay-debt', result: { kind: 'done' } };
    case 'perform':
      return performPhase(model, effect.phase);
    case 'archive':
      if (model.mountedOn !== model.holder || model.split === null) {
        return { of: 'archive', result: { kind: 'failed', problems: [problem('NOT_MOUNTED')] } };
      }
      model.archived = model.split.consistent;
      return { of: 'archive', result: { kind: 'archived', archives: [], proofs: [] } };
    case 'redundancy':
      return {
        of: 'redundancy',
        redundancy:
          model.copies < 2
            ? { kind: 'reduced', problems: [problem('REDUCED')] }
            : model.stale > 0
              ? { kind: 'resyncing', stalePartitions: model.stale, totalPartitions: 2 }
              : { kind: 'whole' },
      };
    case 'wait':
      model.stale = Math.max(0, model.stale - 1);
      return { of: 'wait' };
    case 'commit':
      if (!model.archived || model.stale > 0 || model.copies < 2) model.crimes.push('committed without substance');
      model.committed = true;
      return { of: 'commit', result: { kind: 'done' } };
    case 'unlock':
      if (model.lock?.token === self.token) model.lock = null;
      return { of: 'unlock', result: { kind: 'done' } };
  }
}

function performPhase(model: Model, { name, node }: Phase): Outcome {
  const fails = (code: string): Outcome => ({
    of: 'perform',
    outcome: { kind: 'failed', problems: [problem(code)], transcript: { kind: 'completed', steps: [] } },
  });
  if (name === 'clear') {
    model.marks.delete(node);
    return { of: 'perform', outcome: { kind: 'done', facts: {}, transcript: { kind: 'completed', steps: [] } } };
  }
  if (node !== model.holder) {
    // Commands on a node without the volume group fail and change nothing.
    return fails('NOT_HERE');
  }
  switch (name) {
    case 'split':
      if (model.split !== null) model.crimes.push('two splits of one group');
      if (model.copies < 2) return fails('ONE_COPY');
      model.marks.add(node);
      model.copies -= 1;
      model.split = { consistent: true };
      break;
    case 'expose':
      if (model.split === null) return fails('NO_COPY');
      model.mountedOn = model.holder;
      break;
    case 'withdraw':
    case 'unmount':
      model.mountedOn = null;
      if (name === 'withdraw') model.split = null;
      break;
    case 'remove':
      if (model.mountedOn !== null) return fails('MOUNTED');
      model.split = null;
      break;
    case 'merge':
      if (model.split !== null) return fails('STILL_SPLIT');
      if (model.copies < 2) {
        model.copies += 1;
        model.stale = 2;
      }
      model.marks.delete(node);
      break;
    default:
      return fails('NO_SUCH_PHASE');
  }
  return { of: 'perform', outcome: { kind: 'done', facts: {}, transcript: { kind: 'completed', steps: [] } } };
}

/**
 * What the controller is told when an effect ended in a fault; the effect has happened or not by then. It is what the
 * driver makes of an effect that threw, but for a phase, which can also say that it failed. A wait cannot fail.
 */
export function faultyOutcome(effect: Effect, kind: 'failed' | 'unknown'): Outcome | undefined {
  if (effect.kind === 'wait') return undefined;
  if (effect.kind === 'perform' && kind === 'failed') {
    return {
      of: 'perform',
      outcome: { kind, problems: [problem('FAULT')], transcript: { kind: 'completed', steps: [] } },
    };
  }
  return failedOutcome(effect, new Error('fault'));
}

/** The node dies or hands the group over: what was mounted there is gone, what is on the disks travels. */
export function moveGroup(model: Model): void {
  model.holder = model.holder === 'a' ? 'b' : 'a';
  model.mountedOn = null;
}
