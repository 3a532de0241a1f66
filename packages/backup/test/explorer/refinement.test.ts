import { expect, it } from 'vitest';
import { type Moment, play } from '../world/schedules.ts';
import { groupOf, type World } from '../world/world.ts';
import { keyOf } from './explore.ts';
import { type Bounds, initial, type State, transitions } from './protocol.ts';

/** Nothing is forbidden here but what the protocol forbids. */
const bounds: Bounds = { initiators: 1000, atOnce: 1000, faults: 1, nodes: 4, patient: false };

/** Phases of the harness in the words of the protocol; what is not named changes nothing there. */
const kinds: Readonly<Record<string, string>> = {
  lock: 'lock',
  unlock: 'unlock',
  split: 'split',
  expose: 'expose',
  withdraw: 'withdraw',
  unmount: 'withdraw',
  merge: 'merge',
  'give-back': 'merge',
  'pay-debt': 'pay-debt',
  resume: 'resume',
};

/** What the protocol speaks of, as the harness has it. */
function abstracted(world: World, ids: ReadonlyMap<number, number>): string {
  const group = groupOf(world, 'g');
  const idOfRun = (run: string) => ids.get(Number.parseInt(run.slice(1), 36)) ?? null;
  const known = (pids: readonly number[]) => pids.flatMap((pid) => ids.get(pid) ?? []).sort((a, b) => a - b);
  return JSON.stringify({
    home: group.home === null ? null : world.nodes.indexOf(group.home),
    copies: group.copies,
    split: group.split === null ? null : idOfRun(group.split.run),
    mounted: group.mounted !== null,
    frozen: group.frozen === null ? null : idOfRun(group.frozen.by),
    suspended: group.suspended,
    note: group.note,
    files: known(Object.values(group.files).map(({ controller }) => controller.pid)),
    holds: known(group.lockedBy.filter((pid) => world.alive.includes(pid))),
  });
}

function spoken({ home, copies, split, mounted, frozen, suspended, note, files, holds }: State): string {
  const sorted = (ids: readonly number[]) => [...ids].sort((a, b) => a - b);
  return JSON.stringify({
    home,
    copies,
    split,
    mounted,
    frozen,
    suspended,
    note,
    files: sorted(files),
    holds: sorted(holds),
  });
}

/** Follows one schedule of the harness through the protocol; tells the first step that the protocol does not allow. */
function follow(seed: number): { steps: number; stray: string | null } | null {
  const ids = new Map<number, number>();
  let frontier = new Map([[keyOf(initial), initial]]);
  let steps = 0;
  let surprises = 0;
  let astray = 0;
  let stray: string | null = null;
  let foreign = false;
  const outcome = play(seed, (moment) => {
    foreign ||=
      moment.world.groups.length > 1 || moment.world.groups.some(({ frozen }) => frozen?.by === 'somebody else');
    if (foreign || stray !== null) return;
    // Who has asked for the lock and gone away again has changed nothing; all others show here.
    const newcomers = Object.values(groupOf(moment.world, 'g').files).flatMap(({ controller: { pid } }) => {
      if (ids.has(pid)) return [];
      ids.set(pid, ids.size);
      return [ids.size - 1];
    });
    const id = moment.pid === null ? undefined : ids.get(moment.pid);
    const target = abstracted(moment.world, ids);
    const now = moment.world;
    const astrayBefore = astray;
    astray = now.astray.length;
    const next = reach(frontier, moment, id, target, {
      landed: now.surprises !== surprises,
      lost: moment.killed || astray > astrayBefore || now.surprises !== surprises,
      astray,
      newcomers,
      dead: newcomers.filter((one) => now.alive.every((pid) => ids.get(pid) !== one)),
    });
    surprises = now.surprises;
    steps += 1;
    if (next.size === 0) {
      const from = [...frontier.values()].map(spoken);
      stray = `seed ${seed}, step ${steps}: ${moment.pid} ${moment.effect}${moment.killed ? ' (killed)' : ''}\n  from ${[...new Set(from)].join('\n    or ')}\n  to   ${target}`;
    }
    // One of many that look the same is enough to go on from; too few would show as a stray.
    frontier = new Map([...next].slice(0, 150));
  });
  // What somebody else freezes is not in the protocol.
  return foreign || outcome.log.some((line) => /foreign freeze|late success/.test(line)) ? null : { steps, stray };
}

/** What else is known of a moment. */
interface Circumstances {
  /** Something that was astray has gone on. */
  readonly landed: boolean;
  /** A script may have lost its controller. */
  readonly lost: boolean;
  /** How many scripts are astray after it. */
  readonly astray: number;
  /** Initiators whose file is seen for the first time. */
  readonly newcomers: readonly number[];
  /** Those of them that are dead by then. */
  readonly dead: readonly number[];
}

/** All states of the protocol that one moment of the harness may have led to. */
function reach(
  frontier: ReadonlyMap<string, State>,
  { effect, killed }: Moment,
  id: number | undefined,
  target: string,
  { landed, lost, astray, newcomers, dead }: Circumstances,
): Map<string, State> {
  const kind = effect === null ? undefined : kinds[effect];
  const goal = JSON.parse(target) as { home: number | null; frozen: number | null };
  const ends = killed || effect === null;
  const allowed = (state: State, label: string): boolean => {
    if (label === 'the kernel thaws') return goal.frozen === null;
    if (label.startsWith('the group comes')) return label === `the group comes to ${goal.home}`;
    if (/^(the group moves|node \d crashes)/.test(label)) return goal.home === null || goal.home !== state.home;
    const comes = (one: number) =>
      [`${one} asks for the lock`, `${one} loses lock`].includes(label) ||
      (/^(write|list) of/.test(label) && label.includes(` of ${one}`));
    if (newcomers.some(comes)) return true;
    if (dead.some((one) => label === `${one} is killed`)) return true;
    if (id !== undefined) {
      if (label.startsWith(`${id} starts `)) return label === `${id} starts ${kind}`;
      if (label === `${id} archives`) return effect === 'archive';
      if (label === `${id} is killed` || label === `${id} ends`) return ends;
      if (label.startsWith(`${id} loses `)) return lost;
      if (kind !== undefined && label.includes(` of ${id}`)) return true;
    }
    // Commands of scripts that are astray.
    return (
      landed &&
      / of \d+/.test(label) &&
      state.scripts.some((script) => script.lost && label.includes(` of ${script.by}`))
    );
  };
  const waits = (state: State) => state.scripts.some((script) => script.by === id && !script.lost);
  const settled = (state: State) =>
    dead.every((one) => !state.alive.includes(one)) &&
    (ends ? id === undefined || !state.alive.includes(id) : !waits(state));
  const asks =
    newcomers.length === 0 && kind === undefined && effect !== 'archive' && !landed && !(ends && id !== undefined);
  if (asks && [...frontier.values()].every((state) => spoken(state) === target)) return new Map(frontier);
  const seen = new Set(frontier.keys());
  const found = new Map<string, State>();
  let layer = [...frontier.values()];
  for (let depth = 0; depth < 20 && layer.length > 0; depth++) {
    const further: State[] = [];
    for (const state of layer) {
      if (settled(state) && spoken(state) === target) {
        // What was astray has ended, or its node has.
        const here = astray > 0 ? state : { ...state, scripts: state.scripts.filter((script) => !script.lost) };
        found.set(keyOf(here), here);
      }
      for (const { label, to } of transitions(state, bounds)) {
        if (!allowed(state, label)) continue;
        const unbounded = { ...to, faults: 0 };
        const key = keyOf(unbounded);
        if (seen.has(key)) continue;
        seen.add(key);
        further.push(unbounded);
      }
    }
    layer = further;
  }
  return found;
}

it('allows every step that the harness takes', { timeout: 120_000 }, () => {
  const strays: string[] = [];
  let schedules = 0;
  let steps = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const followed = follow(seed);
    if (followed === null) continue;
    schedules += 1;
    steps += followed.steps;
    if (followed.stray !== null) strays.push(followed.stray);
  }
  console.log(`${schedules} schedules, ${steps} steps`);
  expect(strays).toEqual([]);
  expect(steps).toBeGreaterThan(2500);
});
