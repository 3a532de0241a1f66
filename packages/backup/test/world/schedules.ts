import { type Actor, act, endOf, type Fault, judgeEnd, nextOf, recoverer, runner, wordsOf } from './actors.ts';
import { everyFault, isKnownLimit } from './journeys.ts';
import { nameOf } from './scripts.ts';
import { accuse, bringUp, crash, freshWorld, groupOf, handOver, landAll, remains, tick, type World } from './world.ts';

/** What a seed came to. */
export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  /** What happened, in order: for the report of a failing seed. */
  readonly log: readonly string[];
  /** How the runs and recoveries ended that were under way while there were faults. */
  readonly ends: readonly string[];
  readonly effects: number;
}

/** Something has happened: an actor's effect or its end, or nature. */
export interface Moment {
  readonly world: World;
  /** Actor, or `null` for nature. */
  readonly pid: number | null;
  readonly group: string;
  /** Name of the effect; `null` when the actor has ended. */
  readonly effect: string | null;
  readonly killed: boolean;
}

/** Recoveries after the last fault within which every group must be whole. */
const attempts = 3;

/**
 * Two initiators at work on 1 to 3 groups of 2 to 4 nodes, in any order, with as many faults as come; then the faults
 * stop, what is under way comes to its end, and every group must be made whole.
 */
export function play(seed: number, watch?: (moment: Moment) => void): Outcome {
  const chance = generator(seed);
  const below = (limit: number) => Math.floor(chance() * limit);
  const world = freshWorld(['a', 'b', 'c', 'd'].slice(0, 2 + below(3)), ['g', 'h', 'i'].slice(0, 1 + below(3)));
  const log: string[] = [];
  const ends: string[] = [];
  let lastPid = 0;
  let effects = 0;

  const step = (actor: Actor, fault?: Fault): Actor | null => {
    const before = world.crimes.length;
    const next = stepOf(actor, fault);
    log.push(...world.crimes.slice(before).map((crime) => `!! ${crime}`));
    return next;
  };
  const stepOf = (actor: Actor, fault?: Fault): Actor | null => {
    const effect = nextOf(actor);
    if (effect === null) {
      judgeEnd(world, actor);
      const end = endOf(actor);
      ends.push(`${actor.machine.is} ${end}`);
      log.push(`${actor.run} ended ${end}`);
      watch?.({ world, pid: actor.pid, group: actor.group, effect: null, killed: false });
      return null;
    }
    effects += 1;
    log.push(`${actor.run} on ${actor.group}: ${nameOf(effect)}${fault === undefined ? '' : `, ${wordsOf(fault)}`}`);
    const next = act(world, actor, effect, fault);
    tick(world);
    watch?.({ world, pid: actor.pid, group: actor.group, effect: nameOf(effect), killed: next === null });
    return next;
  };

  const initiators: (Actor | null)[] = [null, null];
  const faulty = 0.02 + chance() * 0.2;
  for (let events = 60 + below(240); events > 0; events--) {
    const draw = chance();
    if (draw < 0.03) happen('crash');
    else if (draw < 0.06) happen('return');
    else if (draw < 0.08) happen('move');
    else {
      const slot = below(initiators.length);
      const actor = initiators[slot] ?? start();
      const effect = actor === null ? null : nextOf(actor);
      initiators[slot] =
        actor === null ? null : step(actor, effect !== null && chance() < faulty ? one(everyFault(effect)) : undefined);
    }
  }

  // The faults stop: safety was asked for until now, liveness is from here on.
  landAll(world);
  for (const node of world.nodes) bringUp(world, node);
  nature();
  for (let actor of initiators) for (let n = 0; actor !== null && n < 600; n++) actor = step(actor);
  for (const { name } of world.groups) {
    for (let attempt = 0; remains(groupOf(world, name)).length > 0 && attempt < attempts; attempt++) {
      let actor: Actor | null = recoverer(world, name, ++lastPid);
      while (actor !== null) actor = step(actor);
    }
    const left = remains(groupOf(world, name));
    if (left.length > 0) accuse(world, `L2: ${attempts} recoveries left ${left.join(', ')}`);
    if (groupOf(world, name).worstFrozen > 60) accuse(world, `S1: frozen for ${groupOf(world, name).worstFrozen} s`);
  }
  return { seed, violations: world.crimes, log, ends, effects };

  function nature(): void {
    watch?.({ world, pid: null, group: '', effect: null, killed: false });
  }

  function start(): Actor | null {
    const group = one(world.groups).name;
    const pid = ++lastPid;
    return chance() < 0.7 ? runner(world, group, pid) : recoverer(world, group, pid);
  }

  function happen(what: 'crash' | 'return' | 'move'): void {
    log.push(what);
    if (what === 'move') handOver(world, one(world.groups));
    else if (what === 'return') bringUp(world, one(world.nodes));
    else if (world.up.length > 1) crash(world, one(world.up));
    nature();
  }

  function one<T>(many: readonly T[]): T {
    // Somebody else is at work anyhow.
    const possible = many.filter((each) => !isFault(each) || (!each.kind.startsWith('second') && !isKnownLimit(each)));
    return possible[below(possible.length)] as T;
  }
}

function isFault(value: unknown): value is Fault {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** Mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
