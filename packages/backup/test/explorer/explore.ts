import { type Bounds, broken, initial, isWhole, type State, transitions } from './protocol.ts';

/** What an exploration of all states found. */
export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** Longest way from the start, in transitions. */
  readonly depth: number;
  /** A shortest way to each kind of broken state. */
  readonly broken: ReadonlyMap<string, readonly string[]>;
  /** A shortest way to a state from which nothing without further faults leads back to the whole. */
  readonly hopeless: readonly string[] | null;
}

/** Visits every state that can be reached, breadth first, and asks of each what must be true. */
export function exploreAll(bounds: Bounds): Exploration {
  const indexes = new Map<string, number>([[keyOf(initial), 0]]);
  const states: State[] = [initial];
  const ways: { from: number; label: string; depth: number }[] = [{ from: -1, label: '', depth: 0 }];
  /** Steps without fault, backwards. */
  const before: number[][] = [[]];
  const faulty = new Map<string, readonly string[]>();
  let count = 0;
  const wayTo = (index: number): string[] => {
    const way = ways[index];
    return way === undefined || way.from < 0 ? [] : [...wayTo(way.from), way.label];
  };
  for (let index = 0; index < states.length; index++) {
    const state = states[index] as State;
    for (const what of broken(state)) if (!faulty.has(what)) faulty.set(what, wayTo(index));
    for (const { label, fault, to } of transitions(state, bounds)) {
      count += 1;
      const key = keyOf(to);
      let target = indexes.get(key);
      if (target === undefined) {
        target = states.push(to) - 1;
        indexes.set(key, target);
        ways.push({ from: index, label, depth: (ways[index]?.depth ?? 0) + 1 });
        before.push([]);
      }
      if (!fault) before[target]?.push(index);
    }
  }
  const hopeful = new Set<number>();
  const queue = states.flatMap((state, index) => (isWhole(state) ? [index] : []));
  for (const index of queue) {
    if (hopeful.has(index)) continue;
    hopeful.add(index);
    queue.push(...(before[index] ?? []));
  }
  // Where all initiators have been used up nobody is left who could recover.
  const lost = states.findIndex((state, index) => !hopeful.has(index) && state.born < bounds.initiators);
  return {
    states: states.length,
    transitions: count,
    depth: ways.at(-1)?.depth ?? 0,
    broken: faulty,
    hopeless: lost < 0 ? null : wayTo(lost),
  };
}

export function keyOf(state: State): string {
  let key = `${state.home}${state.copies}${state.split}${state.mounted}${state.frozen}${state.suspended}${state.note}`;
  key += `|${state.files}|${state.holds}|${state.tried}|${state.alive}|${state.archived}|${state.born}${state.faults}`;
  const scripts = state.scripts.map(
    ({ kind, by, node, next, failed, begun, good, lost }) =>
      `|${kind}${by}${node}${next}${failed}${lost}${begun}/${good}`,
  );
  return key + (scripts.length > 1 ? scripts.sort().join('') : (scripts[0] ?? ''));
}
