import type { Host } from '@splitmirror/host';
import { MirrorError } from './errors.ts';
import { judge } from './judge.ts';
import { look } from './picture/look.ts';
import type { LvmPicture } from './picture/picture.ts';
import { planSplit } from './plan/plan.ts';
import { requireSettings, type Settings } from './plan/strategy.ts';
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
 * @throws RangeError for settings that say nothing, as `parallelPartitions` that is not 1 to 32.
 */
export function aixMirror({ hosts, ...settings }: MirrorOptions): AixMirror {
  const { resync = {} } = settings;
  requireSettings(settings);
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
