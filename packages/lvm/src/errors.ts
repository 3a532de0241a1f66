import { SplitmirrorError } from '@splitmirror/host';

/** Why a node's storage could not be looked at. */
export type MirrorFailure =
  /** No host is known for this node. */
  | 'MIRROR_NODE_UNKNOWN'
  /** The look was cancelled, or the connection was lost under way. */
  | 'MIRROR_LOOK_UNFINISHED'
  /** A query failed that works on every node, or two queries contradict each other. */
  | 'MIRROR_LOOK_FAILED';

/** The mirror could not be looked at. Nothing was changed. */
export class MirrorError extends SplitmirrorError {
  readonly code: MirrorFailure;

  constructor(code: MirrorFailure, message: string, options: { remedy: string; cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
