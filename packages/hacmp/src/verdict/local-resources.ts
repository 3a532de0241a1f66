import type { GroupContents } from '../readers/group-resources.ts';
import type { Mount } from '../readers/mounts.ts';
import type { LogicalVolume } from '../readers/volume-groups.ts';
import { type AnsweredReport, type Evidence, type Finding, undecidable, unusable, value } from './finding.ts';

/** Mount points below it are splitmirror's own copies, which are no part of the group. */
const ownMounts = '/splitmirror/';

/** Where splitmirror mounts the copy that a run made of a volume. */
const ownMount = /^\/splitmirror\/[a-z][a-z0-9]{5}\/[^/:]+$/;

interface Storage {
  readonly group: string;
  readonly contents: GroupContents;
  readonly answered: readonly AnsweredReport[];
  /** Nodes where clRGinfo has the group online. */
  readonly online: readonly string[];
  /** The node that shall hold the group, when there is one and it answered. */
  readonly holding: AnsweredReport | undefined;
}

/**
 * Holds the cluster's word against the disks: volume groups read/write and all file systems mounted on the holder, and
 * nothing of it on any other node. A mount counts only when its device is a volume of the group.
 */
export function judgeStorage({ group, contents, answered, online, holding }: Storage): {
  findings: Finding[];
  evidence: Evidence[];
  mountPoints: readonly string[];
} {
  const { volumeGroups } = contents;
  const asked = answered.filter((report) => volumeGroups.every((name) => report.storage[name] !== undefined));
  if (volumeGroups.length === 0 || asked.length < answered.length) {
    const findings = undecidable(
      'NO_LOCAL_EVIDENCE',
      null,
      'no volume group of the group was asked about on every node',
      {
        seen: volumeGroups.join(' ') || 'the configuration names no volume group',
        remedy:
          'Name the volume groups in the configuration of the resource group: without them nothing proves possession.',
      },
    );
    return { findings, evidence: [], mountPoints: [] };
  }
  const volumes = holding
    ? volumesAt(holding, volumeGroups)
    : answered.flatMap((report) => volumesAt(report, volumeGroups));
  const mountPoints =
    contents.fileSystems === 'ALL'
      ? [...new Set(volumes.filter(isFileSystem).map((volume) => volume.mountPoint))].sort()
      : contents.fileSystems;
  const devices = devicesOf(volumes);
  const own = devicesOf(volumes.filter((volume) => !volume.splitCopy));
  return {
    findings: [
      ...answered.flatMap((report) => unanswered(report, volumeGroups)),
      ...(holding ? missing(holding, volumeGroups, mountPoints, own) : []),
      ...answered
        .filter((report) => report !== holding && !online.includes(report.node))
        .flatMap((report) => strayed(group, report, volumeGroups, mountPoints, devices, holding !== undefined)),
    ],
    evidence: holding ? evidenceOf(holding, volumeGroups, mountPoints) : [],
    mountPoints,
  };
}

function isFileSystem(volume: LogicalVolume): volume is LogicalVolume & { readonly mountPoint: string } {
  return volume.mountPoint !== null && !volume.splitCopy && !volume.mountPoint.startsWith(ownMounts);
}

function devicesOf(volumes: readonly LogicalVolume[]): Set<string> {
  return new Set(volumes.map((volume) => `/dev/${volume.name}`));
}

function volumesAt(report: AnsweredReport, volumeGroups: readonly string[]): LogicalVolume[] {
  return volumeGroups.flatMap((name) => {
    const storage = report.storage[name];
    return storage ? [...(value(storage.volumes) ?? [])] : [];
  });
}

function unanswered(report: AnsweredReport, volumeGroups: readonly string[]): Finding[] {
  const storage = volumeGroups.flatMap((name) => {
    const { detail, volumes } = report.storage[name] ?? {};
    const broken = detail ? unusable(report, detail, 'VOLUME_GROUP_UNREADABLE') : [];
    // The list of volumes is needed only where the volume group is in use.
    return detail && volumes && isReadWrite(value(detail))
      ? [...broken, ...unusable(report, volumes, 'VOLUME_GROUP_UNREADABLE')]
      : broken;
  });
  return [...storage, ...unusable(report, report.mounts, 'MOUNTS_UNREADABLE')];
}

function isReadWrite(detail: unknown): boolean {
  return stateOf(detail) === 'active read/write';
}

function stateOf(detail: unknown): string {
  if (typeof detail !== 'object' || detail === null) return String(detail ?? 'no usable answer');
  return 'state' in detail && 'permission' in detail ? `${detail.state} ${detail.permission}` : '';
}

function missing(
  report: AnsweredReport,
  volumeGroups: readonly string[],
  mountPoints: readonly string[],
  devices: ReadonlySet<string>,
): Finding[] {
  const { node } = report;
  const mounts = localMounts(report);
  return [
    ...volumeGroups.flatMap((name) => {
      const detail = report.storage[name] ? value(report.storage[name].detail) : undefined;
      if (detail === undefined || isReadWrite(detail)) return [];
      return undecidable(
        'VOLUME_GROUP_NOT_HERE',
        node,
        `${node} is said to have the group, but not ${name} read/write`,
        {
          seen: stateOf(detail),
          remedy: `Find out who has ${name} varied on read/write, and why the cluster says otherwise.`,
        },
      );
    }),
    ...mountPoints.flatMap((mountPoint) => {
      const here = mounts?.filter((mount) => mount.mountPoint === mountPoint);
      if (!here || (here.length === 1 && here.every((mount) => devices.has(mount.device)))) return [];
      return undecidable(
        'FILE_SYSTEM_NOT_HERE',
        node,
        `${mountPoint} is not mounted on ${node} from a volume of the group`,
        {
          seen: here.map((mount) => mount.device).join(' ') || 'not mounted',
          remedy: `Mount ${mountPoint}, or find out why the cluster left it out.`,
        },
      );
    }),
  ];
}

function strayed(
  group: string,
  report: AnsweredReport,
  volumeGroups: readonly string[],
  mountPoints: readonly string[],
  devices: ReadonlySet<string>,
  heldElsewhere: boolean,
): Finding[] {
  const { node } = report;
  const refusal = heldElsewhere ? 'contested' : 'undecidable';
  const remedy = `Settle by hand who owns the data: the disks on ${node} contradict the cluster.`;
  const active = volumeGroups.filter((name) => report.storage[name] && isReadWrite(value(report.storage[name].detail)));
  const mounted = (localMounts(report) ?? []).filter(
    (mount) => devices.has(mount.device) || mountPoints.includes(mount.mountPoint),
  );
  const problems = [
    ...active.map((name) => ({
      code: 'VOLUME_GROUP_ELSEWHERE',
      message: `${name} is varied on read/write on ${node}, which does not have the group`,
      seen: 'active read/write',
      remedy,
    })),
    ...mounted.map((mount) => ({
      code: 'FILE_SYSTEM_ELSEWHERE',
      message: `${mount.mountPoint} is mounted on ${node}, which does not have the group`,
      seen: `${mount.device} since ${mount.since}`,
      remedy: ownMount.test(mount.mountPoint) ? unmounting(group, node, mount) : remedy,
    })),
  ];
  return problems.map((problem) => ({ refusal, problem: { ...problem, node } }));
}

/** Nobody has to settle whose a copy is. A recovery cannot unmount it here: it goes where somebody provably holds the group. */
function unmounting(group: string, node: string, { mountPoint }: Mount): string {
  return `It is a copy that splitmirror mounted: "umount ${mountPoint}" on ${node} frees it and loses nothing. Once a node holds ${group} provably again, "splitmirror recover ${group}" clears away the rest.`;
}

/** Mounts of other machines' file systems prove nothing: NFS cross mounts are part of many clusters. */
function localMounts(report: AnsweredReport): Mount[] | undefined {
  return value(report.mounts)?.filter((mount) => mount.host === null);
}

function evidenceOf(
  report: AnsweredReport,
  volumeGroups: readonly string[],
  mountPoints: readonly string[],
): Evidence[] {
  const { node } = report;
  const mounts = localMounts(report) ?? [];
  return [
    ...volumeGroups.map((name) => {
      const detail = report.storage[name] ? value(report.storage[name].detail) : undefined;
      return { node, source: `lsvg ${name}`, says: `${name} is ${stateOf(detail)} here` };
    }),
    ...mounts
      .filter((mount) => mountPoints.includes(mount.mountPoint))
      .map((mount) => ({ node, source: 'mount', says: `${mount.device} on ${mount.mountPoint} since ${mount.since}` })),
  ];
}
