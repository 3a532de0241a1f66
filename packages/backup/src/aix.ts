import { haCluster, type Policy } from '@splitmirror/hacmp';
import { type Host, reads, unlessAborted } from '@splitmirror/host';
import { auditLevels, collectLevels, type Finding, gate, gateProbes } from '@splitmirror/levels';
import { type AixMirror, aixMirror, type Settings as MirrorSettings, type TakeoverNote } from '@splitmirror/lvm';
import type { BackupContext } from './context.ts';
import type { LevelsGate } from './plan/run-plan.ts';
import type { ClusterPort, MirrorPort } from './ports.ts';

/** What the AIX family needs to know beside its hosts. */
export interface AixOptions {
  /** One host for each cluster node, by cluster node name (not host name). */
  readonly hosts: ReadonlyMap<string, Host>;
  readonly now: () => Date;
  /** Milliseconds between the two looks that have to agree before a holder is believed. */
  readonly stabilityMs: number;
  /** What the operator has decided beforehand about evidence that does not suffice. */
  readonly policy?: Policy | undefined;
  /** How resyncs share the disks, and what is known of these disks. */
  readonly mirror?: MirrorSettings | undefined;
}

/** A node that is down must not keep the survivors from being backed up: who holds the group is the cluster's question. */
function softened(finding: Finding): Finding {
  return finding.rule === 'NODE-UNREAD' && finding.severity === 'error' ? { ...finding, severity: 'warning' } : finding;
}

/** What LVM cannot know of a split: how a planned move of the cluster meets it. */
const plannedMove: TakeoverNote = {
  text: 'A planned move (clRGmove) while copies are mounted or read: the node cannot release the volume group, and the event of the cluster fails, unless the release script lets them go first. "splitmirror events install" puts it on the nodes, and "splitmirror events verify" says whether it is there.',
  commands: [],
};

function tellingOfMoves(mirror: AixMirror): AixMirror {
  return {
    ...mirror,
    plan(picture, request) {
      const planned = mirror.plan(picture, request);
      if ('problems' in planned) return planned;
      const { takeover = [] } = planned.plan;
      return { plan: { ...planned.plan, takeover: [...takeover, plannedMove] } };
    },
  };
}

/** The AIX family: HACMP / PowerHA as the cluster, LVM as the mirror, installed filesets as the levels. */
export function aixFamily(
  options: AixOptions,
): Pick<BackupContext, 'cluster' | 'mirror' | 'hosts' | 'audit' | 'systemLevel'> {
  const { hosts, now, stabilityMs, policy, mirror: settings } = options;
  const cluster: ClusterPort = haCluster({ hosts, now, stability: { pauseMs: stabilityMs }, policy });
  const mirror: MirrorPort = tellingOfMoves(aixMirror({ hosts, ...settings }));
  return {
    hosts,
    cluster,
    mirror,
    async systemLevel(node, { signal }) {
      const step = { id: 'level', run: reads('oslevel', '-r'), timeoutSeconds: 60 };
      const [answer] = (await hosts.get(node)?.run({ steps: [step] }, { signal }))?.steps ?? [];
      const level = answer?.kind === 'ended' ? answer.stdout.trim() : '';
      return /^\d{4}-\d\d$/.test(level) ? level : '';
    },
    async audit({ signal }): Promise<LevelsGate> {
      const snapshot = await unlessAborted(signal, () => collectLevels({ hosts, signal, probes: gateProbes }));
      const verdict = gate(auditLevels(snapshot).map(softened));
      const findings = verdict.kind === 'pass' ? [] : verdict.findings;
      return {
        kind: verdict.kind,
        findings: findings.map(({ rule, severity, nodes, message, remedy }) => ({
          rule,
          severity,
          nodes,
          message,
          remedy,
        })),
      };
    },
  };
}
