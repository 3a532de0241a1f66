import type { Effect } from '../../src/run/effects.ts';
import { type Trace, tracesOfRun } from '../../src/run/traces.ts';
import { type Actor, act, endOf, type Fault, judgeEnd, nextOf, recoverer, runner, wordsOf } from './actors.ts';
import { commandsOf, type Mishap, nameOf } from './scripts.ts';
import { bringUp, cloneWorld, freshWorld, groupOf, landAll, remains, tick, type World } from './world.ts';

/** One way that a run can take under faults, until an operator has recovered what it left. */
export interface Journey {
  readonly world: World;
  /** What went wrong, in order: effect and fault. */
  readonly faults: readonly Step[];
  /** How the run ended: its verdict, or `killed`. */
  readonly run: string;
  /** How each recovery by hand ended. */
  readonly recoveries: readonly string[];
  /** What the run itself left behind, before anybody recovered. */
  readonly left: readonly string[];
  /** What the run knew to be on the nodes, or to be there perhaps, when its last effect began. */
  readonly traces: readonly Trace[];
}

export interface Step {
  /** Place of the effect in the journey, from 1. */
  readonly at: number;
  readonly effect: string;
  /** The effect belongs to the way forward of the run. */
  readonly forward: boolean;
  readonly fault: Fault;
}

/** More effects than any journey takes. */
const longest = 600;
/** Recoveries by hand after which something must be whole. */
const attempts = 5;

interface Stand {
  readonly world: World;
  readonly actor: Actor | null;
  readonly faults: readonly Step[];
  readonly count: number;
  readonly run: string;
  readonly recoveries: readonly string[];
  readonly left: readonly string[];
  readonly traces: readonly Trace[];
}

/**
 * Every journey of one run with at most so many faults: at each effect of the run, of its way back and of the recoveries
 * after it, each fault that this effect can meet, and so on from there.
 */
export function explore(
  budget: number,
  faultsOf: (effect: Effect, depth: number) => readonly Fault[],
  ends: (journey: Journey) => void,
): void {
  const world = freshWorld();
  const actor = runner(world, 'g', 1);
  const start: Stand = { world, actor, faults: [], count: 0, run: '', recoveries: [], left: [], traces: [] };
  walk(start, budget, faultsOf, ends);
}

function walk(
  from: Stand,
  budget: number,
  faultsOf: (effect: Effect, depth: number) => readonly Fault[],
  ends: (journey: Journey) => void,
): void {
  for (let stand: Stand | null = from; stand !== null; ) {
    const { actor, world } = stand;
    if (actor === null) {
      // A killed controller leaves its work to the next.
      stand = onward(stand, 'killed', ends);
      continue;
    }
    const effect = nextOf(actor);
    if (effect !== null && stand.count < longest) {
      if (stand.faults.length < budget) {
        for (const fault of faultsOf(effect, stand.faults.length)) {
          const fork = { ...stand, world: cloneWorld(world) };
          const step = { at: stand.count + 1, effect: nameOf(effect), forward: isForward(actor), fault };
          walk(stepped({ ...fork, faults: [...stand.faults, step] }, actor, effect, fault), budget, faultsOf, ends);
        }
      }
      stand = stepped(stand, actor, effect);
    } else {
      judgeEnd(world, actor);
      stand = onward(stand, endOf(actor), ends);
    }
  }
}

function stepped(stand: Stand, actor: Actor, effect: Effect, fault?: Fault): Stand {
  const { world } = stand;
  if (fault?.kind === 'second run' || fault?.kind === 'second recovery') {
    another(world, actor.group, fault.kind, 90 + stand.faults.length);
  }
  const { machine, rules } = actor;
  const traces = machine.is === 'run' ? tracesOfRun(machine.state, effect, rules.self) : stand.traces;
  const next = act(world, actor, effect, fault);
  tick(world);
  return { ...stand, actor: next, count: stand.count + 1, traces };
}

/** Somebody else's run or recovery, from beginning to end. */
function another(world: World, group: string, kind: 'second run' | 'second recovery', pid: number): void {
  let actor = kind === 'second run' ? runner(world, group, pid) : recoverer(world, group, pid);
  if (actor === null) return;
  for (let effect = nextOf(actor); effect !== null; effect = nextOf(actor)) {
    actor = act(world, actor, effect);
    if (actor === null) return;
    tick(world);
  }
  judgeEnd(world, actor);
}

/** After the end of an actor: done, or another recovery by hand. */
function onward(stand: Stand, end: string, ends: (journey: Journey) => void): Stand | null {
  const { world } = stand;
  const first = stand.run === '';
  const run = first ? end : stand.run;
  const recoveries = first ? [] : [...stand.recoveries, end];
  const left = first ? remains(groupOf(world, 'g')) : stand.left;
  // Whatever is astray ends some day, and nodes that were down come back.
  landAll(world);
  for (const node of world.nodes) bringUp(world, node);
  const whole = remains(groupOf(world, 'g')).length === 0;
  if (whole || recoveries.length === attempts) {
    ends({ world, faults: stand.faults, run, recoveries, left, traces: stand.traces });
    return null;
  }
  return { ...stand, actor: recoverer(world, 'g', 2 + recoveries.length), run, recoveries, left };
}

function isForward({ machine }: Actor): boolean {
  return machine.is === 'run' && machine.state.journey.kind === 'forward';
}

/** What is wrong with a journey; empty when every promise was kept. */
export function violations({ world, run, recoveries }: Journey): string[] {
  const group = groupOf(world, 'g');
  const left = remains(group);
  return [
    ...world.crimes,
    ...(left.length === 0 ? [] : [`L2: after ${recoveries.join(', ')}: ${left.join(', ')}`]),
    ...(recoveries.length >= attempts ? [`L1: ${recoveries.length} recoveries`] : []),
    ...(run === 'good' && group.committed.length === 0 ? ['S7: good without a manifest'] : []),
    ...(group.worstFrozen > 60 ? [`S1: frozen for ${group.worstFrozen} s`] : []),
  ];
}

export function describeJourney({ faults }: Journey): string {
  return faults.map(({ at, effect, fault }) => `${at} ${effect}: ${wordsOf(fault)}`).join('; ');
}

/**
 * What no controller can know: a command that brings the application to rest is given up and killed at its deadline, and
 * takes effect after somebody else has recovered. A person looks before that, and a random schedule does not.
 */
export function isKnownLimit(fault: Fault): boolean {
  return (
    fault.kind === 'script' &&
    fault.script.command === 'suspend' &&
    fault.script.mishap === 'late success' &&
    (fault.script.after ?? 0) > 1
  );
}

const mishaps: readonly Mishap[] = [
  'clean failure',
  'dirty failure',
  'slow',
  'crash before',
  'crash after',
  'group moves',
];
const clocks: readonly Mishap[] = ['clock forward', 'clock back', 'foreign freeze'];
/** Effects after which something astray still happens: at once, in the midst of the way back, when all is over. */
const delays = [1, 3, 8, 999] as const;

/** Commands whose work others do (daemons, the kernel): it can still happen when the command itself is gone. */
const byAnother: ReadonlySet<string> = new Set(
  'suspend resume freeze split thaw label repair mount unmount remove add synchronise'.split(' '),
);

/** Every fault that an effect can meet: at every command of its script. */
export function everyFault(effect: Effect): readonly Fault[] {
  return [
    { kind: 'killed before' },
    { kind: 'killed after' },
    ...commandsOf(effect).flatMap((command): Fault[] => [
      ...[...mishaps, ...(nameOf(effect) === 'split' ? clocks : [])].map(
        (mishap): Fault => ({ kind: 'script', script: { command, mishap } }),
      ),
      ...delays.flatMap((after): Fault[] => [
        ...(byAnother.has(command)
          ? ([{ kind: 'script', script: { command, mishap: 'late success', after } }] satisfies Fault[])
          : []),
        { kind: 'script', script: { command, mishap: 'link lost', after } },
        { kind: 'killed during', script: { command, mishap: 'link lost', after } },
      ]),
    ]),
    ...common(effect),
  ];
}

function common(effect: Effect): Fault[] {
  const scripted = commandsOf(effect).length > 0;
  return [
    ...(effect.kind === 'wait' || scripted ? [] : ([{ kind: 'fails' }] satisfies Fault[])),
    { kind: 'node crash' },
    { kind: 'group moves' },
    { kind: 'controller clock', seconds: 3600 },
    { kind: 'controller clock', seconds: -3600 },
    { kind: 'target full' },
    { kind: 'interrupt' },
    { kind: 'second run' },
    { kind: 'second recovery' },
  ];
}
