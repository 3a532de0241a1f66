import type { Host } from '@splitmirror/host';
import { MirrorError } from './errors.ts';
import { judge } from './judge.ts';
import { look } from './picture/look.ts';
import type { LvmPicture } from './picture/picture.ts';
import { planSplit } from './plan/plan.ts';
import type { Settings } from './plan/strategy.ts';
import type {
  GroupContents,
  IntendedCopies,
  MirrorPlan,
  Phase,
  PhaseOutcome,
  Problem,
  RecoveryPlan,
  Redundancy,
  SplitRequest,
} from './port.ts';
import { planRecovery } from './recovery.ts';
import { readRedundancy, redundancyScript } from './redundancy.ts';

interface Signalled {
  readonly signal?: AbortSignal | undefined;
}

/** The mirrors of an AIX cluster: picture, plan, perform, recover. */
export interface AixMirror {
  /**
   * Looks at the storage of a group on one node, in one round trip.
   *
   * @throws MirrorError when the answer is unusable; TransportError when the node could not be asked.
   */
  look(node: string, contents: GroupContents, options?: Signalled): Promise<LvmPicture>;
  /** Pure. Every problem is listed, not only the first. */
  plan(
    picture: LvmPicture,
    request: SplitRequest,
  ): { readonly plan: MirrorPlan } | { readonly problems: readonly Problem[] };
  /** Runs the script of one phase, exactly as it stands there, and judges what came back. */
  perform(phase: Phase, options?: Signalled): Promise<PhaseOutcome>;
  /** How far the volumes of a plan are from being whole again. */
  redundancy(plan: MirrorPlan, options?: Signalled): Promise<Redundancy>;
  /** Pure: the way back, from the picture and what the run wrote down. Touches nothing without our mark. */
  recovery(picture: LvmPicture, intended?: readonly IntendedCopies[]): RecoveryPlan;
}

/** What {@link aixMirror} needs. */
export interface MirrorOptions extends Settings {
  readonly hosts: ReadonlyMap<string, Host>;
}

/**
 * Mirrors of AIX's logical volume manager.
 *
 * @param options.hosts Hosts by cluster node name.
 * @param options.resync How a resync shares the disks with the application.
 * @throws RangeError when `parallelPartitions` is not 1 to 32, or `rate` is no positive whole number.
 */
export function aixMirror({ hosts, ...settings }: MirrorOptions): AixMirror {
  const { resync = {} } = settings;
  const { parallelPartitions = 1 } = resync;
  if (!Number.isInteger(parallelPartitions) || parallelPartitions < 1 || parallelPartitions > 32) {
    throw new RangeError('parallelPartitions must be a whole number from 1 to 32');
  }
  if (resync.rate !== undefined && !(Number.isInteger(resync.rate) && resync.rate > 0)) {
    throw new RangeError('rate must be a whole number from 1');
  }
  const hostOf = (node: string): Host => {
    const host = hosts.get(node);
    if (host !== undefined) return host;
    throw new MirrorError('MIRROR_NODE_UNKNOWN', `no host is known for node ${node}`, {
      remedy: 'Configure how the node is reached.',
    });
  };
  return {
    look: async (node, contents, options) => look(hostOf(node), node, contents, options),
    plan: (picture, request) => planSplit(picture, request, settings),
    perform: async (phase, options) => judge(phase, await hostOf(phase.node).run(phase.script, options)),
    redundancy: async (plan, options) =>
      readRedundancy(plan, await hostOf(plan.node).run(redundancyScript(plan), options)),
    recovery: (picture, intended) => planRecovery(picture, intended, resync),
  };
}
