import type { Holder } from '../../src/run/lock.ts';

/**
 * A cluster whose resource groups have one mirrored volume each, just deep enough for the effects of a run: who has the
 * group, is its mirror split, the copy mounted, the file system frozen, the application suspended, the group locked.
 * Tens of thousands of runs a second.
 */
export interface World {
  /** Seconds; every command takes at least one. */
  now: number;
  readonly nodes: readonly string[];
  up: readonly string[];
  /** By how many seconds the clocks of the nodes are wrong. */
  skew: number;
  readonly groups: readonly Group[];
  /** Scripts and commands that nobody listens to any more and that go on nevertheless. */
  astray: readonly Astray[];
  /** How many of those have gone on, unexpected by anybody. */
  surprises: number;
  /** Process ids of the controllers that live. */
  alive: readonly number[];
  /** Violations of what must never happen. */
  crimes: readonly string[];
}

/** A resource group, and all that a run can make of it. */
export interface Group {
  readonly name: string;
  /** Node that has it, or `null` while nobody has. */
  home: string | null;
  /** Effects until the takeover that is under way has brought it to a node. */
  moving: number;
  /** Node to which it is brought. */
  next: string | null;
  copies: number;
  stale: number;
  /** Volume that was split off. `sound`: its content is one point in time, frozen and with the application at rest. */
  split: { readonly run: string; readonly sound: boolean } | null;
  /** Node on which the copy is mounted. */
  mounted: string | null;
  /** Nodes with directories of ours, which stay where they were made when the group moves. */
  marks: readonly string[];
  /** Run that made them last. */
  markedBy: string;
  /** Who holds the writers; the kernel lets them go by itself. */
  frozen: { readonly by: string; readonly since: number; readonly until: number } | null;
  suspended: boolean;
  note: boolean;
  /** Who has a file in the lock's directory, by token. */
  files: Readonly<Record<string, Holder>>;
  /** Processes that have been told that the lock is theirs, and have not given it back. */
  lockedBy: readonly number[];
  /** Run whose archive was read wholly from its own sound copy, on the node that had the group. */
  archived: string | null;
  committed: readonly string[];
  /** Longest time for which writers were held, in seconds. */
  worstFrozen: number;
}

/** What is left of a script whose link is gone, or a command that ends after its deadline. */
export interface Astray {
  readonly node: string;
  /** Effects that still happen before it goes on. */
  readonly left: number;
  /** Goes on to its end. */
  land(world: World): void;
}

/** Copies of every volume before a run. */
export const fullCopies = 2;

/** Longest freeze in seconds: what the kernel is told. */
export const freezeSeconds = 60;

export function freshWorld(nodes: readonly string[] = ['a', 'b'], groups: readonly string[] = ['g']): World {
  return {
    now: 0,
    nodes,
    up: nodes,
    skew: 0,
    groups: groups.map((name, index) => freshGroup(name, nodes[index % nodes.length] ?? null)),
    astray: [],
    surprises: 0,
    alive: [],
    crimes: [],
  };
}

function freshGroup(name: string, home: string | null): Group {
  return {
    name,
    home,
    moving: 0,
    next: null,
    copies: fullCopies,
    stale: 0,
    split: null,
    mounted: null,
    marks: [],
    markedBy: '',
    frozen: null,
    suspended: false,
    note: false,
    files: {},
    lockedBy: [],
    archived: null,
    committed: [],
    worstFrozen: 0,
  };
}

/** All that changes is on the two upper levels; what lies below is replaced as a whole. */
export function cloneWorld(world: World): World {
  return { ...world, groups: world.groups.map((group) => ({ ...group })) };
}

export function groupOf(world: World, name: string): Group {
  const found = world.groups.find((group) => group.name === name);
  if (found === undefined) throw new RangeError(`no group ${name}`);
  return found;
}

export function accuse(world: World, crime: string): void {
  world.crimes = [...world.crimes, crime];
}

/** Time goes by; the kernel ends what has been frozen for too long. */
export function pass(world: World, seconds: number): void {
  world.now += seconds;
  for (const group of world.groups) if (group.frozen !== null && group.frozen.until <= world.now) letGo(world, group);
}

/** Writers go on. */
export function letGo(world: World, group: Group): void {
  if (group.frozen === null) return;
  const { since, until } = group.frozen;
  group.worstFrozen = Math.max(group.worstFrozen, Math.min(world.now, until) - since);
  group.frozen = null;
}

/** Effects that a takeover lasts: minutes, while effects take seconds. */
const takeover = 12;

/** The group leaves its node, and is brought to another: what was mounted is gone, what is on the disks travels. */
export function handOver(world: World, group: Group): void {
  if (group.home === null) return;
  const others = world.nodes.filter((node) => node !== group.home && world.up.includes(node));
  if (others.length === 0 && world.up.includes(group.home)) return;
  letGo(world, group);
  if (group.mounted === group.home) group.mounted = null;
  group.home = null;
  group.next = others[0] ?? null;
  group.moving = takeover;
}

/** The node loses its power, and with it all that ran there; its groups are taken over. */
export function crash(world: World, node: string): void {
  world.up = world.up.filter((other) => other !== node);
  world.astray = world.astray.filter((script) => script.node !== node);
  for (const group of world.groups) if (group.home === node) handOver(world, group);
}

function arrive(world: World, group: Group): void {
  group.moving = 0;
  group.home = group.next !== null && world.up.includes(group.next) ? group.next : (world.up[0] ?? null);
}

/** The node is back, with the directories that it had. */
export function bringUp(world: World, node: string): void {
  if (world.up.includes(node)) return;
  world.up = world.nodes.filter((other) => other === node || world.up.includes(other));
  for (const group of world.groups) if (group.home === null && group.moving === 0) group.home = node;
}

/** One effect of anybody has happened: what is astray comes nearer to its end. */
export function tick(world: World): void {
  for (const group of world.groups) {
    if (group.moving > 1) group.moving -= 1;
    else if (group.moving === 1) arrive(world, group);
  }
  if (world.astray.length === 0) return;
  const due = world.astray.filter(({ left }) => left <= 1);
  world.astray = world.astray.filter(({ left }) => left > 1).map((script) => ({ ...script, left: script.left - 1 }));
  for (const script of due) land(world, script);
}

function land(world: World, script: Astray): void {
  if (!world.up.includes(script.node)) return;
  world.surprises += 1;
  script.land(world);
}

/** Everything that is astray comes to its end. */
export function landAll(world: World): void {
  const all = world.astray;
  world.astray = [];
  for (const group of world.groups) if (group.moving > 0) arrive(world, group);
  for (const script of all) land(world, script);
}

/** What of a run is left; empty when the group is as it was. */
export function remains(group: Group): string[] {
  return [
    ...(group.copies === fullCopies ? [] : [`${group.copies} copies`]),
    ...(group.stale === 0 ? [] : ['stale partitions']),
    ...(group.split === null ? [] : ['a split copy']),
    ...(group.mounted === null ? [] : ['a mounted copy']),
    ...(group.marks.length === 0 ? [] : [`directories on ${group.marks.join(' and ')}`]),
    ...(group.suspended ? ['a suspended application'] : []),
    ...(group.note ? ['the quiesce note'] : []),
    ...(Object.keys(group.files).length === 0 ? [] : ['the lock']),
  ];
}
