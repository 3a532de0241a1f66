import type { StepResult } from '@splitmirror/host';
import type { RunPlan } from '../../src/plan/run-plan.ts';
import type { Phase, Picture, Problem, Proof, RecoveryPlan } from '../../src/ports.ts';
import type { Effect, Observation, Outcome } from '../../src/run/effects.ts';
import type { Holder } from '../../src/run/lock.ts';
import { failedOutcome } from '../../src/run/perform.ts';
import {
  nextRecoveryEffect,
  observeRecovery,
  type RecoveryRules,
  type RecoveryState,
  startRecovery,
} from '../../src/run/recovery.ts';
import { nextEffect, observe, type RunState, startRun } from '../../src/run/reducer.ts';
import { commandsOf, nameOf, runScript, type ScriptFault } from './scripts.ts';
import { accuse, crash, fullCopies, type Group, groupOf, handOver, pass, remains, type World } from './world.ts';

/** A controller process that works on one group: a run or a recovery, driven by the real reducers. */
export interface Actor {
  readonly pid: number;
  readonly group: string;
  readonly run: string;
  readonly rules: RecoveryRules;
  readonly machine:
    | { readonly is: 'run'; readonly state: RunState }
    | { readonly is: 'recovery'; readonly state: RecoveryState };
  /** The last effect was the proof, which held: the next one may change something. */
  readonly proved: boolean;
  /** Surprises of the world when the storage was last looked at. */
  readonly calm: number;
}

/** What goes wrong with one effect. */
export type Fault =
  /** The controller is killed before the effect, or after it and before its journal knows. */
  | { readonly kind: 'killed before' }
  | { readonly kind: 'killed after' }
  /** The controller is killed while the script runs, which goes on without it. */
  | { readonly kind: 'killed during'; readonly script: ScriptFault }
  /** Something goes wrong on the node or the link while the script runs. */
  | { readonly kind: 'script'; readonly script: ScriptFault }
  /** What is asked for gets no answer. */
  | { readonly kind: 'no answer' }
  /** The effect ends in a failure, and nothing was done. */
  | { readonly kind: 'fails' }
  | { readonly kind: 'node crash' }
  | { readonly kind: 'group moves' }
  | { readonly kind: 'controller clock'; readonly seconds: number }
  /** The store takes no more: the journal cannot be written. */
  | { readonly kind: 'target full' }
  | { readonly kind: 'interrupt' }
  /** Somebody else runs or recovers the same group, from beginning to end, before the effect. */
  | { readonly kind: 'second run' }
  | { readonly kind: 'second recovery' };

/** A fault in words, as schedules and the crash matrix print it. */
export function wordsOf(fault: Fault): string {
  if (!('script' in fault)) return fault.kind;
  const { command, mishap, after } = fault.script;
  const later = after === undefined ? '' : `, done ${after > 50 ? 'much later' : `${after} effects later`}`;
  return fault.kind === 'killed during' ? `killed at ${command}${later}` : `${mishap} at ${command}${later}`;
}

const epoch = Date.parse('2026-01-01T00:00:00.000Z');
const timeOf = (seconds: number) => new Date(epoch + seconds * 1000).toISOString();

export const proofOn = (group: string, node: string): Proof => ({
  group,
  node,
  takenAt: '',
  digest: node,
  facts: { node },
});
export const contentsOf = (group: string) => ({ volumeGroups: [`${group}vg`], fileSystems: [`/${group}`] });
const notesOf = (group: string) => `/${group}/.splitmirror`;
export const phase = (name: string, node: string): Phase => ({
  name,
  node,
  title: name,
  script: { steps: [] },
  explains: {},
  undo: [],
});

export function problem(code: string, node: string | null = null): Problem {
  return { code, node, message: code, seen: code, remedy: '-' };
}

/** Names that are made up in order, so that a seed says all. */
function nameOfRun(pid: number): string {
  return `r${pid.toString(36).padStart(5, '0')}`;
}

function selfOf(pid: number, group: string, intended: Holder['intended']): Holder {
  return {
    splitmirror: 1,
    run: nameOfRun(pid),
    group,
    token: pid.toString(16).padStart(32, '0'),
    controller: { host: 'ops', pid, birth: null },
    since: '2026-01-01T00:00:00.000Z',
    intended,
  };
}

function rulesFor(world: World, self: Holder): RecoveryRules {
  return { nodes: world.nodes, recovery: familyRecovery, self, breakLock: false, pollMs: 1, canResume: true };
}

/** A recovery of a group by a new process. */
export function recoverer(world: World, group: string, pid: number): Actor {
  world.alive = [...world.alive, pid];
  const self = selfOf(pid, group, []);
  const machine = { is: 'recovery', state: startRecovery() } as const;
  return { pid, group, run: self.run, rules: rulesFor(world, self), machine, proved: false, calm: 0 };
}

/** A run of a new plan by a new process; `null` where planning refuses. */
export function runner(world: World, name: string, pid: number): Actor | null {
  const group = groupOf(world, name);
  const node = group.home;
  const locked = Object.keys(group.files).length > 0 || group.note;
  if (
    node === null ||
    locked ||
    pictureOf(group, node).leftovers.length > 0 ||
    group.stale > 0 ||
    group.copies < fullCopies
  )
    return null;
  world.alive = [...world.alive, pid];
  const self = selfOf(pid, name, [{ volume: 'datalv', copies: fullCopies }]);
  const plan = planOf(group, node, self.run);
  return {
    pid,
    group: name,
    run: self.run,
    rules: rulesFor(world, self),
    machine: { is: 'run', state: startRun(plan) },
    proved: false,
    calm: 0,
  };
}

const volume = { copy: 'sm', source: { kind: 'directory', mountPoint: '/g', path: '/splitmirror' } };

/** As much of a plan as the reducer reads. */
function planOf(group: Group, node: string, run: string): RunPlan {
  const mirror = { split: phase('split', node), expose: phase('expose', node), withdraw: phase('withdraw', node) };
  const plan = {
    run,
    group: group.name,
    node,
    proof: proofOn(group.name, node),
    contents: contentsOf(group.name),
    observed: pictureOf(group, node).digest,
    notes: notesOf(group.name),
    policy: { pollMs: 1, quiesce: { suspend: [], resume: [], timeoutSeconds: 1 } },
    mirror: { ...mirror, merge: phase('merge', node), volumes: [volume] },
  };
  return plan as unknown as RunPlan;
}

/** What a look at one node shows. Without the volume group it sees no volumes, only its own directories. */
export function pictureOf(group: Group, node: string): Picture & Seen {
  const here = group.home === node;
  const marked = group.marks.includes(node);
  const copy = here && group.split !== null;
  const seen: Seen = {
    here,
    copies: here ? group.copies : fullCopies,
    mounted: group.mounted === node,
    copy,
    marked,
  };
  const leftovers = [
    ...(copy ? [{ run: group.split?.run ?? '', what: 'volume', name: 'sm' }] : []),
    ...(marked ? [{ run: group.markedBy, what: 'directory', name: '/splitmirror' }] : []),
  ];
  const stalePartitions = here ? group.stale : 0;
  const dataVolumes = [{ volume: 'datalv', holds: 'file-system', mountPoint: `/${group.name}` }] as const;
  const digest = `${node} ${here} ${seen.copies} ${seen.mounted} ${copy} ${marked} ${stalePartitions}`;
  return { node, digest, leftovers, stalePartitions, fileSystems: [`/${group.name}`], dataVolumes, ...seen };
}

interface Seen {
  readonly here: boolean;
  readonly copies: number;
  readonly mounted: boolean;
  readonly copy: boolean;
  readonly marked: boolean;
}

/** The family's way back, from the picture and the lock alone. */
export function familyRecovery(picture: Picture, intended: readonly { readonly copies: number }[] = []): RecoveryPlan {
  const { here, copies, mounted, copy, marked } = picture as Picture & Seen;
  if (!here && intended.length > 0) return { phases: [], problems: [problem('VOLUME_MISSING', picture.node)] };
  const wanted = intended[0]?.copies ?? (copy || marked ? fullCopies : copies);
  const names = [
    ...(mounted ? ['unmount'] : []),
    ...(copy || copies < wanted ? ['give-back'] : []),
    ...(marked ? ['clear'] : []),
  ];
  const givesBack = copy || copies < wanted ? [{ volume: 'datalv', copies: wanted }] : [];
  return { phases: names.map((name) => phase(name, picture.node)), problems: [], intended: givesBack };
}

/** What the actor does next; `null` when it has come to its end. */
export function nextOf({ machine, rules }: Actor): Effect | null {
  return machine.is === 'run' ? nextEffect(machine.state, rules) : nextRecoveryEffect(machine.state, rules);
}

/** Performs the next effect under a fault, and lets the actor take in what became of it; `null` when it was killed. */
export function act(world: World, actor: Actor, effect: Effect, fault?: Fault): Actor | null {
  const gone = () => {
    world.alive = world.alive.filter((pid) => pid !== actor.pid);
    return null;
  };
  watchRules(world, actor, effect);
  switch (fault?.kind) {
    case 'killed before':
      return gone();
    case 'killed after':
      performOn(world, actor, effect);
      return gone();
    case 'killed during':
      performOn(world, actor, effect, fault.script);
      return gone();
    case 'script':
      return after(world, actor, performOn(world, actor, effect, fault.script));
    case 'no answer':
      return after(world, actor, failedOutcome(effect, new Error('no answer')));
    case 'fails':
      return after(world, actor, failedOutcome(effect, new Error('fault')));
    case 'node crash': {
      const node = groupOf(world, actor.group).home;
      if (node !== null) crash(world, node);
      return after(world, actor, performOn(world, actor, effect));
    }
    case 'group moves':
      handOver(world, groupOf(world, actor.group));
      return after(world, actor, performOn(world, actor, effect));
    case 'controller clock':
      return after(world, actor, performOn(world, actor, effect), fault.seconds);
    case 'target full': {
      const failed = effect.kind === 'archive' || effect.kind === 'commit';
      const outcome = failed ? failedOutcome(effect, new Error('no space left')) : performOn(world, actor, effect);
      return interrupted(after(world, actor, outcome), problem('STORE_FULL'));
    }
    case 'interrupt':
      return interrupted(after(world, actor, performOn(world, actor, effect)), null);
    default:
      return after(world, actor, performOn(world, actor, effect));
  }
}

function after(world: World, actor: Actor, outcome: Outcome, clock = 0): Actor {
  const seen: Observation = { ...outcome, at: timeOf(world.now + clock) };
  const proved = outcome.of === 'confirm' && outcome.confirmation.kind === 'holds';
  const looked =
    outcome.of === 'look' &&
    outcome.looked.kind === 'seen' &&
    outcome.looked.picture.node === groupOf(world, actor.group).home;
  const calm = looked || outcome.of === 'redundancy' ? world.surprises : actor.calm;
  return { ...actor, proved, calm, machine: taken(actor, seen) };
}

function interrupted(actor: Actor, why: Problem | null): Actor {
  if (actor.machine.is === 'recovery') return actor;
  return { ...actor, machine: taken(actor, { of: 'interrupt', problem: why, at: timeOf(0) }) };
}

function taken({ machine, rules }: Actor, seen: Observation): Actor['machine'] {
  return machine.is === 'run'
    ? { is: 'run', state: observe(machine.state, seen, rules) }
    : { is: 'recovery', state: observeRecovery(machine.state, seen, rules) };
}

/** What a controller must never do, whatever it has been told. */
function watchRules(world: World, actor: Actor, effect: Effect): void {
  const changes = commandsOf(effect).length > 0 || effect.kind === 'archive';
  if (changes && !actor.proved) accuse(world, `S3: ${nameOf(effect)} without a fresh proof of ownership`);
  if (effect.kind !== 'perform') return;
  const { lockedBy } = groupOf(world, actor.group);
  if (!lockedBy.includes(actor.pid)) accuse(world, `S2: ${nameOf(effect)} without the lock`);
  if (lockedBy.some((pid) => pid !== actor.pid && world.alive.includes(pid))) {
    accuse(world, `S2: ${nameOf(effect)} while another that lives has the lock`);
  }
}

/** Performs an effect as the node would, and says what the controller is told. */
function performOn(world: World, actor: Actor, effect: Effect, fault?: ScriptFault): Outcome {
  const group = groupOf(world, actor.group);
  const script = () => runScript(world, actor.group, actor.run, effect, fault);
  const unanswered = (node: string) => !world.up.includes(node);
  pass(world, 1);
  switch (effect.kind) {
    case 'locate':
      if (group.home === null)
        return { of: 'locate', standing: { kind: 'moving', reasons: [problem('MOVING')], evidence: [] } };
      return {
        of: 'locate',
        standing: {
          kind: 'held',
          node: group.home,
          contents: contentsOf(group.name),
          proof: proofOn(group.name, group.home),
          evidence: [],
        },
      };
    case 'confirm': {
      const { node } = effect.proof;
      if (unanswered(node)) return failedOutcome(effect, new Error('no answer'));
      if (group.home === node) return { of: 'confirm', confirmation: { kind: 'holds', proof: effect.proof } };
      const changed = [{ fact: 'node', before: node, after: String(group.home) }];
      return { of: 'confirm', confirmation: { kind: 'lost', changed } };
    }
    case 'look':
      if (unanswered(effect.node)) return failedOutcome(effect, new Error('no answer'));
      return { of: 'look', looked: { kind: 'seen', picture: pictureOf(group, effect.node) } };
    case 'read-lock': {
      if (group.home !== effect.node) return failedOutcome(effect, new Error('not mounted here'));
      const { holders, liveness } = holdersOf(world, group, actor);
      const known = { debt: group.note, strays: [] };
      const [holder] = holders;
      return holder === undefined
        ? { of: 'read-lock', reading: { kind: 'free', ...known }, liveness: 'gone' }
        : { of: 'read-lock', reading: { kind: 'held', holder, holders, ...known }, liveness };
    }
    case 'lock': {
      if (script() !== 'ok') return failedOutcome(effect, new Error('not done'));
      const { [effect.holder.token]: mine, ...others } = group.files;
      const [other] = Object.values(others).filter(({ token }) => !effect.over.includes(token));
      if (mine === undefined) return failedOutcome(effect, new Error('no file'));
      if (other === undefined) {
        group.lockedBy = [...group.lockedBy, actor.pid];
        return { of: 'lock', result: { kind: 'mine' } };
      }
      group.files = others;
      return { of: 'lock', result: { kind: 'held', holder: other } };
    }
    case 'break-lock':
    case 'pay-debt':
    case 'resume':
    case 'unlock':
      if (effect.kind === 'unlock' && group.home === effect.node)
        group.lockedBy = group.lockedBy.filter((pid) => pid !== actor.pid);
      return script() === 'ok'
        ? { of: effect.kind, result: { kind: 'done' } }
        : failedOutcome(effect, new Error('not done'));
    case 'perform': {
      const end = script();
      const transcript = { kind: 'completed', steps: fault === undefined ? [] : stepsUnder(fault) } as const;
      if (end === 'ok') return { of: 'perform', outcome: { kind: 'done', facts: {}, transcript } };
      if (end === 'unknown') return failedOutcome(effect, new Error('the link is lost'));
      return {
        of: 'perform',
        outcome: { kind: 'failed', problems: [problem('FAILED', effect.phase.node)], transcript },
      };
    }
    case 'archive': {
      const whole = group.split?.run === actor.run && group.mounted === group.home && group.home !== null;
      pass(world, 600);
      if (!whole) return { of: 'archive', result: { kind: 'failed', problems: [problem('NOT_MOUNTED')] } };
      group.archived = group.split?.sound ? actor.run : null;
      return { of: 'archive', result: { kind: 'archived', archives: [], proofs: [] } };
    }
    case 'redundancy':
      if (group.home !== planNode(actor)) return failedOutcome(effect, new Error('not here'));
      if (group.copies < fullCopies)
        return { of: 'redundancy', redundancy: { kind: 'reduced', problems: [problem('REDUCED')] } };
      return {
        of: 'redundancy',
        redundancy:
          group.stale > 0 ? { kind: 'resyncing', stalePartitions: group.stale, totalPartitions: 2 } : { kind: 'whole' },
      };
    case 'wait':
      pass(world, 5);
      for (const each of world.groups) each.stale = Math.max(0, each.stale - 1);
      return { of: 'wait' };
    case 'commit':
      if (group.archived !== actor.run) accuse(world, 'S4: committed without substance');
      if (world.surprises === actor.calm && (group.stale > 0 || group.copies < fullCopies))
        accuse(world, 'S4: committed before the mirror was whole');
      group.committed = [...group.committed, actor.run];
      return { of: 'commit', result: { kind: 'done' } };
  }
}

/** As much of a transcript as the reducer reads: a command that is given up at its deadline. */
function stepsUnder({ command, mishap }: ScriptFault): readonly StepResult[] {
  if (mishap !== 'late success') return [];
  const end = { exitCode: 143, memberCodes: [143], stdout: '', stderr: '', durationMs: 0, clock: { start: 0, end: 0 } };
  return [{ kind: 'timed-out', id: `${command}:0`, ...end }];
}

/** Everybody who has a file there: who lives first, and whether that is somebody else. */
function holdersOf(world: World, group: Group, { rules }: Actor) {
  const isMine = ({ token }: Holder) => token === rules.self.token;
  const lives = (holder: Holder) => !isMine(holder) && world.alive.includes(holder.controller.pid);
  const holders = Object.values(group.files).toSorted(
    (a, b) => Number(lives(b)) - Number(lives(a)) || Number(isMine(b)) - Number(isMine(a)),
  );
  const [first] = holders;
  const others = first !== undefined && lives(first) ? 'alive' : 'gone';
  return { holders, liveness: first !== undefined && isMine(first) ? 'mine' : others } as const;
}

/** How an actor has ended, in one word. */
export function endOf({ machine }: Actor): string {
  if (machine.is === 'recovery') return machine.state.stage.at === 'ended' ? machine.state.stage.verdict.kind : 'open';
  return machine.state.journey.kind === 'ended' ? machine.state.journey.verdict.kind : 'open';
}

/** What is wrong with how an actor has ended; it lives no longer. */
export function judgeEnd(world: World, actor: Actor): void {
  world.alive = world.alive.filter((pid) => pid !== actor.pid);
  const group = groupOf(world, actor.group);
  const end = endOf(actor);
  // Directories on other nodes are not the run's own, or are told as unseen.
  const left = remains(group).filter((what) => !what.startsWith('directories') || (end === 'whole' && sawAll(actor)));
  // What goes astray later, and what another does meanwhile, is not seen by anybody's last look.
  const alone = world.surprises === actor.calm && Object.keys(group.files).length === 0;
  if (end === 'good' && !group.committed.includes(actor.run)) accuse(world, 'S7: good without a manifest');
  if ((end === 'good' || end === 'whole') && alone && left.length > 0)
    accuse(world, `S7: ended ${end} and left ${left.join(', ')}`);
  if (end === 'open') accuse(world, 'L1: came to no end');
}

function planNode({ machine }: Actor): string | null {
  return machine.is === 'run' ? machine.state.plan.node : null;
}

function sawAll({ machine }: Actor): boolean {
  if (machine.is === 'run' || machine.state.stage.at !== 'ended') return false;
  const { verdict } = machine.state.stage;
  return verdict.kind === 'whole' && verdict.unseen.length === 0;
}
