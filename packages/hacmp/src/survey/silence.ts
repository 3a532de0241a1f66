/** A node that could not be asked, and why. */
export interface Silence {
  readonly kind: 'unreachable';
  /** Cluster node name. */
  readonly node: string;
  /** `HOST_UNREACHABLE`: nothing answers there. With every other code the machine is up and yet cannot be asked. */
  readonly code: string;
  readonly reason: string;
  /** What would make it answer. */
  readonly remedy: string;
}

/** Nothing was ever sent to this node. */
export function withoutHost(node: string): Silence {
  const reason = 'no host was given for this node';
  return { kind: 'unreachable', node, code: 'NO_HOST', reason, remedy: `Give a host for ${node}.` };
}
