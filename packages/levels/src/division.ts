/** How the nodes divide over a value. */
export interface Division {
  /** Nodes with the same value together: the largest group first, then by the first node's name. Values are unique. */
  readonly groups: readonly Group[];
  /** The one largest group; `null` when the largest groups are equally large. */
  readonly majority: Group | null;
  /** The nodes outside the majority; in a tie all of them. Sorted. */
  readonly odd: readonly string[];
}

interface Group {
  readonly value: string;
  /** Sorted. */
  readonly nodes: readonly string[];
}

/** Divides nodes by their values. One group means that they agree. */
export function divide(values: Iterable<readonly [node: string, value: string]>): Division {
  const byValue = new Map<string, string[]>();
  for (const [node, value] of values) {
    const nodes = byValue.get(value);
    if (nodes === undefined) byValue.set(value, [node]);
    else nodes.push(node);
  }
  const groups = Array.from(byValue, ([value, nodes]) => ({ value, nodes: nodes.sort() })).sort(
    (a, b) => b.nodes.length - a.nodes.length || (String(a.nodes[0]) < String(b.nodes[0]) ? -1 : 1),
  );
  const [first, second] = groups;
  const majority = first !== undefined && first.nodes.length > (second?.nodes.length ?? 0) ? first : null;
  const odd = groups.filter((group) => group !== majority).flatMap(({ nodes }) => nodes);
  return { groups, majority, odd: odd.sort() };
}

/** Names the odd one out, or the tie, in a few words. */
export function nameDivision({ groups, majority, odd }: Division): string {
  const count = groups.reduce((sum, { nodes }) => sum + nodes.length, 0);
  if (majority !== null) {
    return odd.length === 1
      ? `${odd.join()} is the odd one out of ${count} nodes`
      : `${odd.join(', ')} differ from the other ${majority.nodes.length} of ${count} nodes`;
  }
  if (count === 2) return `${odd.join(' and ')} differ`;
  return `a tie: ${groups.map(({ nodes }) => nodes.join(', ')).join(' against ')}`;
}
