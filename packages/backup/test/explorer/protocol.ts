/**
 * The protocol of lock, ownership, freeze and merge, as small as it can be said: what is true of one group, who wants to
 * work on it, and which scripts run on which node. It knows nothing of the reducers. An initiator may do anything, in any
 * order, that three rules allow: it holds the lock, it has just proved ownership, and what it does fits what is there.
 */
export interface State {
  /** Node that has the group, 0 or 1; `null` between two nodes. */
  readonly home: number | null;
  readonly copies: number;
  /** Initiator whose split copy exists. */
  readonly split: number | null;
  readonly mounted: boolean;
  readonly frozen: number | null;
  readonly suspended: boolean;
  readonly note: boolean;
  /** Initiators that have a file in the lock's directory. */
  readonly files: readonly number[];
  /** Initiators that believe that they hold the lock. */
  readonly holds: readonly number[];
  /** Initiators that have started their split: nobody does twice, also when it was lost. */
  readonly tried: readonly number[];
  readonly alive: readonly number[];
  /** Initiators that there have been so far. */
  readonly born: number;
  readonly archived: readonly number[];
  readonly scripts: readonly Running[];
  /** Faults so far. */
  readonly faults: number;
}

/** A script that runs on a node. */
interface Running {
  readonly kind: Kind;
  readonly by: number;
  readonly node: number;
  /** Place of the next command. */
  readonly next: number;
  readonly failed: boolean;
  /** Commands that have begun, and those that ended well. */
  readonly begun: readonly string[];
  readonly good: readonly string[];
  /** Nobody waits for it any more. */
  readonly lost: boolean;
}

interface Command {
  readonly id: string;
  readonly pays?: readonly string[];
  readonly needs?: readonly string[];
}

/** The scripts, by what the host makes of a failure: what is owed is paid, all else is skipped. */
export const scripts = {
  lock: [{ id: 'write' }, { id: 'list' }],
  unlock: [{ id: 'bury' }, { id: 'unlock' }],
  split: [
    { id: 'note' },
    { id: 'suspend' },
    { id: 'freeze' },
    { id: 'split' },
    { id: 'thaw', pays: ['freeze'] },
    { id: 'resume', pays: ['note', 'suspend'] },
    { id: 'settle', pays: ['note'], needs: ['suspend', 'resume'] },
  ],
  expose: [{ id: 'mount' }],
  withdraw: [{ id: 'unmount' }],
  merge: [{ id: 'remove' }, { id: 'add', pays: ['remove'], needs: ['remove'] }],
  'pay-debt': [{ id: 'resume' }, { id: 'settle', needs: ['resume'] }],
  resume: [{ id: 'resume' }],
} as const satisfies Record<string, readonly Command[]>;
type Kind = keyof typeof scripts;

/** How much is explored. */
export interface Bounds {
  /** Initiators one after another, and at the same time. */
  readonly initiators: number;
  readonly atOnce: number;
  readonly faults: number;
  /** 2 when left out. */
  readonly nodes?: number;
  /** Nobody suspends or resumes the application while another script that does so may still run. */
  readonly patient: boolean;
}

/** One step, and what it leads to. `fault`: nature did it. */
export interface Transition {
  readonly label: string;
  readonly fault: boolean;
  readonly to: State;
}

export const full = 2;

export const initial: State = {
  home: 0,
  copies: full,
  split: null,
  mounted: false,
  frozen: null,
  suspended: false,
  note: false,
  files: [],
  holds: [],
  tried: [],
  alive: [],
  born: 0,
  archived: [],
  scripts: [],
  faults: 0,
};

/** Everything that can happen next. */
export function transitions(state: State, bounds: Bounds): Transition[] {
  const found: Transition[] = [];
  const step = (label: string, to: Partial<State>) => found.push({ label, fault: false, to: { ...state, ...to } });
  const fault = (label: string, to: Partial<State>) => {
    if (state.faults < bounds.faults)
      found.push({ label, fault: true, to: { ...state, ...to, faults: state.faults + 1 } });
  };
  if (state.home !== null && state.born < bounds.initiators && state.alive.length < bounds.atOnce) {
    // Nobody asks for the lock twice, so that is how an initiator begins.
    const begun = { ...state, alive: [...state.alive, state.born], born: state.born + 1 };
    found.push({
      label: `${state.born} asks for the lock`,
      fault: false,
      to: { ...begun, ...started(begun, state.born, 'lock', state.home) },
    });
  }
  for (const by of state.alive) {
    fault(`${by} is killed`, { ...dead(state, by) });
    if (state.scripts.some((script) => script.by === by && !script.lost)) continue;
    if (!state.holds.includes(by)) step(`${by} ends`, dead(state, by));
    const { home } = state;
    // The proof and the start of what it is for are one step; the group may be gone before the first command.
    if (home === null) continue;
    if (mayArchive(state, by)) step(`${by} archives`, { archived: [by] });
    for (const kind of Object.keys(scripts) as Kind[]) {
      if (mayStart(state, by, kind, bounds)) step(`${by} starts ${kind}`, started(state, by, kind, home));
    }
  }
  state.scripts.forEach((script, index) => {
    for (const [label, to, wrong] of run(state, script, index)) (wrong ? fault : step)(label, to);
    if (!script.lost)
      fault(`${script.by} loses ${script.kind}`, {
        scripts: replaced(state.scripts, index, { ...script, lost: true }),
      });
  });
  if (state.frozen !== null) step('the kernel thaws', { frozen: null });
  if (state.home === null)
    for (let node = 0; node < (bounds.nodes ?? 2); node++) step(`the group comes to ${node}`, { home: node });
  else {
    const away = { home: null, mounted: false, frozen: null };
    fault('the group moves', away);
    fault(`node ${state.home} crashes`, { ...away, scripts: state.scripts.filter(({ node }) => node !== state.home) });
  }
  return found;
}

/** The rules by which an initiator starts a script. */
function mayStart(state: State, by: number, kind: Kind, { patient }: Bounds): boolean {
  const holds = state.holds.includes(by);
  const splits = state.scripts.some((script) => script.kind === 'split' || script.kind === 'pay-debt');
  // Whoever has not heard of the end of its own split script leaves the note to others.
  const own = state.scripts.some((script) => script.kind === 'split' && script.by === by);
  const isMerged = state.copies === full && state.split === null && !state.mounted;
  const isWhole = isMerged && !state.note;
  switch (kind) {
    case 'lock':
      return false;
    case 'unlock':
      // Who was not told whether the lock is its own takes its file away again.
      return holds ? isWhole || (isMerged && own) : state.files.includes(by);
    case 'split':
      return holds && isWhole && !state.tried.includes(by) && !(patient && splits);
    case 'expose':
      return holds && state.split === by && !state.mounted;
    case 'withdraw':
      return holds && state.mounted;
    case 'merge':
      return holds && !state.mounted && (state.split !== null || state.copies < full);
    case 'pay-debt':
      return holds && state.note && !own && !(patient && splits);
    case 'resume':
      return holds && state.note && own;
  }
}

function mayArchive({ holds, split, mounted, archived }: State, by: number): boolean {
  return holds.includes(by) && split === by && mounted && !archived.includes(by);
}

function started(state: State, by: number, kind: Kind, node: number): Partial<State> {
  const script: Running = { kind, by, node, next: 0, failed: false, begun: [], good: [], lost: false };
  return {
    scripts: [...state.scripts, script],
    tried: kind === 'split' ? with_(state.tried, by) : state.tried,
    // Who gives the lock back does not hold it any more.
    holds: kind === 'unlock' ? without(state.holds, by) : state.holds,
  };
}

/** Passes over the commands that are not to be run; `null` after the last one. */
function due(script: Running): Running | null {
  const commands: readonly Command[] = scripts[script.kind];
  const command = commands[script.next];
  if (command === undefined) return null;
  const wanted = command.pays === undefined ? !script.failed : command.pays.some((id) => script.begun.includes(id));
  const possible = command.needs?.every((id) => script.good.includes(id)) ?? true;
  return wanted && possible ? script : due({ ...script, next: script.next + 1 });
}

/** The next command of a script: it succeeds, or fails before or after its effect. */
function run(state: State, script: Running, index: number): [label: string, to: Partial<State>, wrong: boolean][] {
  const commands: readonly Command[] = scripts[script.kind];
  const command = commands[script.next];
  if (command === undefined) return [];
  const goesOn = (changed: Running) => {
    const next = due({ ...changed, next: script.next + 1 });
    return {
      scripts: next === null ? state.scripts.filter((_, at) => at !== index) : replaced(state.scripts, index, next),
    };
  };
  const label = `${command.id} of ${script.by}`;
  const begun = {
    ...script,
    begun: matters(commands, command.id, 'pays') ? [...script.begun, command.id] : script.begun,
  };
  const failed = goesOn({ ...begun, failed: true });
  // A freeze that refuses has frozen nothing, and owes nothing.
  const refused = command.id === 'freeze' ? goesOn({ ...script, failed: true }) : failed;
  const effects = state.home === script.node ? effectsOf(state, script, command.id) : [];
  if (effects.length === 0) return [[`${label} refuses`, refused, false]];
  const well = goesOn({
    ...begun,
    good: matters(commands, command.id, 'needs') ? [...script.good, command.id] : script.good,
  });
  return [
    ...effects.map((effect): [string, Partial<State>, boolean] => [label, { ...well, ...effect }, false]),
    [`${label} fails`, refused, true],
    ...effects.map((effect): [string, Partial<State>, boolean] => [
      `${label} fails after its effect`,
      { ...failed, ...effect },
      true,
    ]),
  ];
}

/** Some other command of the script asks what has become of this one. */
function matters(commands: readonly Command[], id: string, asks: 'pays' | 'needs'): boolean {
  return commands.some((command) => command[asks]?.includes(id));
}

/** All that a command may do where the group is; nothing where it refuses. */
function effectsOf(state: State, script: Running, id: string): readonly Partial<State>[] {
  const { by, kind, lost } = script;
  const { files, alive } = state;
  const deadFiles = files.filter((other) => !alive.includes(other));
  if (kind === 'unlock' && id === 'bury') {
    // Those that were seen to be gone; others may have died since.
    return subsets(deadFiles).map((buried) => ({ files: files.filter((other) => !buried.includes(other)) }));
  }
  if (kind === 'lock' && id === 'list') {
    // Nobody is told any more.
    if (lost) return [{}];
    const retreats = { files: without(files, by) };
    const others = files.filter((other) => other !== by);
    if (!files.includes(by) || others.length > deadFiles.length) return [retreats];
    const takes = { holds: with_(state.holds, by) };
    // A run steps over nobody, a recovery over those that it has seen before.
    return others.length === 0 ? [takes] : [takes, retreats];
  }
  const effect = effectOf(state, script, id);
  return effect === null ? [] : [effect];
}

function subsets(list: readonly number[]): readonly (readonly number[])[] {
  return list.reduce<readonly (readonly number[])[]>((all, one) => all.flatMap((some) => [some, [...some, one]]), [[]]);
}

function effectOf(state: State, { by, kind }: Running, id: string): Partial<State> | null {
  switch (`${kind} ${id}`) {
    case 'lock write':
      return { files: with_(state.files, by) };
    case 'unlock unlock':
      return { files: without(state.files, by) };
    case 'split note':
      return { note: true };
    case 'split suspend':
      return { suspended: true };
    case 'split freeze':
      return state.frozen === null ? { frozen: by } : null;
    case 'split split':
      return state.copies < full ? null : { copies: state.copies - 1, split: by };
    case 'split thaw':
      return { frozen: null };
    case 'split resume':
    case 'pay-debt resume':
    case 'resume resume':
      return { suspended: false };
    case 'split settle':
    case 'pay-debt settle':
      return { note: false };
    case 'expose mount':
      return state.split === by ? { mounted: true } : null;
    case 'withdraw unmount':
      return { mounted: false };
    case 'merge remove':
      return state.mounted ? null : { split: null };
    case 'merge add':
      return state.copies === full ? null : { copies: state.copies + 1 };
    default:
      return null;
  }
}

/** What must be true in every state; empty when it is. */
export function broken(state: State): string[] {
  const masters = state.holds.filter((by) => state.alive.includes(by));
  return [
    ...(masters.length > 1 ? ['two that live hold the lock'] : []),
    ...(state.suspended && !state.note && !state.scripts.some(({ kind }) => kind === 'split' || kind === 'pay-debt')
      ? ['the application is suspended and nobody notes it']
      : []),
    ...(state.frozen !== null && state.home === null ? ['frozen without a mount'] : []),
    ...(state.copies < 1 ? ['no copy is left'] : []),
  ];
}

/** Everything is as it was before anybody came. */
export function isWhole(state: State): boolean {
  const { copies, split, mounted, suspended, note, frozen, files, scripts: running } = state;
  return (
    copies === full &&
    split === null &&
    !mounted &&
    !suspended &&
    !note &&
    frozen === null &&
    files.length + running.length === 0
  );
}

function dead(state: State, by: number): Partial<State> {
  return {
    alive: without(state.alive, by),
    scripts: state.scripts.map((script) => (script.by === by ? { ...script, lost: true } : script)),
    holds: without(state.holds, by),
  };
}

function with_(list: readonly number[], one: number): readonly number[] {
  return list.includes(one) ? list : [...list, one].sort();
}

function without(list: readonly number[], one: number): readonly number[] {
  return list.filter((other) => other !== one);
}

function replaced(list: readonly Running[], index: number, by: Running): readonly Running[] {
  return list.map((each, at) => (at === index ? by : each));
}
