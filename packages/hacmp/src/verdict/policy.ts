/** What the operator has decided beforehand. Without it the strict answer is given. */
export interface Policy {
  /**
   * Who backs up a concurrent group that is online on several nodes: the first of them in the group's priority order.
   * Without it such a group is undecidable.
   */
  readonly tieBreak?: 'first-online-in-priority-order' | undefined;
  /**
   * Believe the nodes that can be asked although they are no majority of the cluster: the case of a two-node cluster
   * whose other node is gone. Name it only when the other side is known to be off; a partition looks the same.
   */
  readonly minority?: 'trust-the-survivors' | undefined;
}
