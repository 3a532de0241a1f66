import type { Effect } from '../../src/run/effects.ts';
import { fileOf } from '../../src/run/lock.ts';
import {
  accuse,
  crash,
  freezeSeconds,
  fullCopies,
  type Group,
  groupOf,
  handOver,
  letGo,
  pass,
  type World,
} from './world.ts';

/** Where a command of a script runs, and for whom. */
interface Place {
  readonly world: World;
  readonly group: Group;
  readonly node: string;
  readonly effect: Effect;
  /** Run whose plan or recovery it is. */
  readonly run: string;
}

/** One command of a script, with the host's own rules of what follows a failure. */
interface Command {
  readonly id: string;
  readonly pays?: readonly string[];
  readonly needs?: readonly string[];
  /** A refusal is no debt: it is known that nothing was done. */
  readonly refusable?: true;
  /** Works on any node that is up; all others need the group to be there. */
  readonly anywhere?: true;
  /** @returns whether it ended with 0. */
  does(place: Place): boolean;
}

/** What goes wrong with one command. */
export type Mishap =
  /** Refuses, and has done nothing. */
  | 'clean failure'
  /** Has done its work and says that it failed. */
  | 'dirty failure'
  /** Takes longer than any freeze lasts, and then succeeds. */
  | 'slow'
  /** Is given up at its deadline, and does its work some effects later. */
  | 'late success'
  /** The link is lost; the rest of the script happens some effects later. */
  | 'link lost'
  /** The node loses its power before it, or right after it. */
  | 'crash before'
  | 'crash after'
  /** The cluster moves the group away before it. */
  | 'group moves'
  /** Somebody else freezes the file system before it. */
  | 'foreign freeze'
  /** The node's clock is set forward or back by an hour before it. */
  | 'clock forward'
  | 'clock back';

/** A mishap at one command, by its place in the script. */
export interface ScriptFault {
  readonly command: string;
  readonly mishap: Mishap;
  /** For what comes later: after how many further effects. */
  readonly after?: number;
}

/** How a script ended, as its controller is told. */
export type ScriptEnd = 'ok' | 'failed' | 'unknown';

interface Progress {
  readonly next: number;
  readonly begun: readonly string[];
  readonly good: readonly string[];
  readonly failed: boolean;
}

const withoutUs = 'somebody else';
const hasCopy = ({ group, run }: Place) => group.split?.run === run;

/** The commands of every effect that runs a script, in order. Each either happens as a whole or not at all. */
const scripts: Readonly<Record<string, readonly Command[]>> = {
  lock: [
    {
      id: 'write',
      does({ group, effect }) {
        if (effect.kind !== 'lock') return false;
        group.files = { ...group.files, [effect.holder.token]: effect.holder };
        return true;
      },
    },
    { id: 'list', does: () => true },
  ],
  unlock: [
    {
      id: 'bury',
      does({ group, effect }) {
        if (effect.kind !== 'unlock') return false;
        group.files = Object.fromEntries(
          Object.entries(group.files).filter(([token]) => !effect.others.includes(fileOf(token))),
        );
        return true;
      },
    },
    {
      id: 'unlock',
      does({ group, effect }) {
        if (effect.kind !== 'unlock') return false;
        const { [effect.holder.token]: mine, ...others } = group.files;
        void mine;
        group.files = others;
        return true;
      },
    },
  ],
  'pay-debt': [
    { id: 'resume', does: ({ group }) => set(group, { suspended: false }) },
    { id: 'settle', needs: ['resume'], does: settle },
  ],
  split: [
    { id: 'mark', anywhere: true, does: mark },
    { id: 'note', does: ({ group }) => set(group, { note: true }) },
    { id: 'suspend', does: ({ group }) => set(group, { suspended: true }) },
    {
      id: 'freeze',
      refusable: true,
      does({ world, group, run }) {
        if (group.frozen !== null) return false;
        group.frozen = { by: run, since: world.now, until: world.now + freezeSeconds };
        return true;
      },
    },
    {
      id: 'split',
      does({ world, group, run }) {
        if (group.copies < 2) return false;
        if (group.split !== null) accuse(world, 'S2: two splits of one group');
        group.copies -= 1;
        group.split = { run, sound: group.frozen?.by === run && group.suspended };
        return true;
      },
    },
    {
      id: 'thaw',
      pays: ['freeze'],
      does({ world, group }) {
        letGo(world, group);
        return true;
      },
    },
    { id: 'resume', pays: ['note', 'suspend'], does: ({ group }) => set(group, { suspended: false }) },
    { id: 'settle', pays: ['note'], needs: ['suspend', 'resume'], does: settle },
    { id: 'label', does: hasCopy },
  ],
  expose: [
    { id: 'repair', does: hasCopy },
    { id: 'directory', anywhere: true, does: mark },
    {
      id: 'mount',
      does(place) {
        if (!hasCopy(place)) return false;
        place.group.mounted = place.node;
        return true;
      },
    },
  ],
  withdraw: [{ id: 'unmount', does: ({ group }) => set(group, { mounted: null }) }],
  merge: [
    { id: 'remove', does: remove },
    { id: 'add', pays: ['remove'], needs: ['remove'], does: add },
    { id: 'synchronise', does: synchronise },
    { id: 'clear', anywhere: true, does: clear },
  ],
  resume: [{ id: 'resume', does: ({ group }) => set(group, { suspended: false }) }],
  // What the family's way back is made of.
  unmount: [{ id: 'unmount', does: ({ group }) => set(group, { mounted: null }) }],
  'give-back': [
    { id: 'remove', does: remove },
    { id: 'add', pays: ['remove'], needs: ['remove'], does: add },
    { id: 'synchronise', does: synchronise },
  ],
  clear: [{ id: 'clear', anywhere: true, does: clear }],
};

function set(group: Group, state: Partial<Group>): true {
  Object.assign(group, state);
  return true;
}

function settle({ world, group }: Place): boolean {
  if (group.suspended) accuse(world, 'S9: the quiesce note went before the application was resumed');
  group.note = false;
  return true;
}

function mark({ group, node, run }: Place): boolean {
  group.markedBy = run;
  group.marks = [...group.marks.filter((other) => other !== node), node];
  return true;
}

function clear({ group, node }: Place): boolean {
  group.marks = group.marks.filter((other) => other !== node);
  return true;
}

function remove({ group }: Place): boolean {
  if (group.mounted !== null) return false;
  group.split = null;
  return true;
}

function add({ group }: Place): boolean {
  if (group.copies === fullCopies) return false;
  group.copies += 1;
  group.stale = 2;
  return true;
}

function synchronise({ group }: Place): boolean {
  group.stale = Math.max(0, group.stale - 1);
  return true;
}

/** The commands that an effect runs on a node, in order; none for what is no script. */
export function commandsOf(effect: Effect): readonly string[] {
  return (scripts[nameOf(effect)] ?? []).map(({ id }) => id);
}

export function nameOf(effect: Effect): string {
  return effect.kind === 'perform' ? effect.phase.name : effect.kind;
}

/** Runs the script of an effect as a node's shell does: what is owed is paid whatever happens, as long as the node lives. */
export function runScript(world: World, group: string, run: string, effect: Effect, fault?: ScriptFault): ScriptEnd {
  const node = effect.kind === 'perform' ? effect.phase.node : 'node' in effect ? effect.node : '';
  return proceed({ world, group, node, run, effect }, { next: 0, begun: [], good: [], failed: false }, fault);
}

function proceed(
  where: {
    readonly world: World;
    readonly group: string;
    readonly node: string;
    readonly run: string;
    readonly effect: Effect;
  },
  from: Progress,
  fault?: ScriptFault,
): ScriptEnd {
  const { world, node, effect } = where;
  const commands = scripts[nameOf(effect)] ?? [];
  const begun = [...from.begun];
  const good = [...from.good];
  let { failed } = from;
  /** The freeze said that somebody else holds the writers. */
  let refused = false;
  /** The node's clock at the start of the freeze and at the end of the split. */
  const clock = { frozen: 0, split: 0 };
  for (let next = from.next; next < commands.length; next++) {
    const command = commands[next];
    if (command === undefined) continue;
    const due = command.pays === undefined ? !failed : command.pays.some((id) => begun.includes(id));
    if (!due || command.needs?.some((id) => !good.includes(id))) continue;
    const place = (): Place => ({ ...where, group: groupOf(world, where.group) });
    const mishap = fault?.command === command.id ? fault.mishap : undefined;
    const left = fault?.after ?? 1;
    if (mishap === 'crash before') crash(world, node);
    if (mishap === 'group moves') handOver(world, place().group);
    if (mishap === 'clock forward') world.skew += 3600;
    if (mishap === 'clock back') world.skew -= 3600;
    if (mishap === 'foreign freeze')
      place().group.frozen ??= { by: withoutUs, since: world.now, until: world.now + freezeSeconds };
    if (!world.up.includes(node)) return 'unknown';
    if (mishap === 'link lost') {
      const rest: Progress = { next, begun, good, failed };
      world.astray = [...world.astray, { node, left, land: (later) => void proceed({ ...where, world: later }, rest) }];
      return 'unknown';
    }
    const happens = (in_: World) => {
      const at = { ...where, world: in_, group: groupOf(in_, where.group) };
      return (command.anywhere || at.group.home === node) && command.does(at);
    };
    if (command.id === 'thaw' && refused && place().group.frozen !== null)
      accuse(world, 'S8: ended the freeze of somebody else');
    begun.push(command.id);
    if (command.id === 'freeze') clock.frozen = world.now + world.skew;
    pass(world, mishap === 'slow' ? freezeSeconds + 1 : 1);
    if (mishap === 'late success') {
      world.astray = [...world.astray, { node, left, land: (later) => void happens(later) }];
    }
    const done = mishap !== 'clean failure' && mishap !== 'late success' && happens(world);
    if (command.id === 'split') clock.split = world.now + world.skew;
    if (mishap === 'crash after') {
      crash(world, node);
      return 'unknown';
    }
    if (done && mishap !== 'dirty failure') good.push(command.id);
    else {
      failed = true;
      // The status was the command's own, and says that nothing was done.
      if (command.id === 'freeze' && mishap === undefined) refused = true;
      if (command.refusable && mishap !== 'dirty failure' && mishap !== 'late success') begun.pop();
    }
  }
  const lasted = clock.split - clock.frozen;
  const lapsed = nameOf(effect) === 'split' && (lasted < 0 || lasted >= freezeSeconds);
  return failed || lapsed ? 'failed' : 'ok';
}
