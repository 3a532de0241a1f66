import type { DataVolume, Picture, Problem } from '../ports.ts';
import type { GroupPolicy } from './run-plan.ts';

/** A volume of the group that no archive of a run holds, because somebody has decided so. */
export interface LeftOut {
  readonly volume: string;
  /** Mount point of its file system; `null` for a raw volume, and for a file system that has none. */
  readonly mountPoint: string | null;
}

/** What a backup of a group holds and what it does not, before anything is planned. */
export interface Coverage {
  /** Mount points that are backed up. */
  readonly fileSystems: readonly string[];
  /** Sorted by volume. */
  readonly leftOut: readonly LeftOut[];
  /** A volume about which nothing is decided, or a decision that fits no volume. */
  readonly problems: readonly Problem[];
}

/**
 * Holds what shall be backed up against all volumes that may hold data. A volume is saved, or left out by name: what
 * nobody has thought of would be missed first when it has to be restored. Pure.
 *
 * @param mountPoints File systems of the group, as the cluster has them.
 */
export function coverageOf(
  { node, dataVolumes }: Pick<Picture, 'node' | 'dataVolumes'>,
  group: string,
  mountPoints: readonly string[],
  { rawVolumes, leaveOut = [] }: Pick<GroupPolicy, 'rawVolumes' | 'leaveOut'>,
): Coverage {
  const saved = new Set(rawVolumes.map(({ volume }) => volume));
  const left = new Set(leaveOut);
  const known = new Set(dataVolumes.map(({ volume }) => volume));
  // Where no volume is seen at all, the family says why.
  const unknown = known.size === 0 ? [] : leaveOut.filter((volume) => !known.has(volume));
  const out = dataVolumes.filter(({ volume }) => left.has(volume));
  const undecided = dataVolumes.filter(
    ({ volume, mountPoint }) =>
      !left.has(volume) && !saved.has(volume) && (mountPoint === null || !mountPoints.includes(mountPoint)),
  );
  const problem = (code: string, message: string, seen: string, remedy: string): Problem[] =>
    seen === '' ? [] : [{ code, node, message, seen, remedy }];
  return {
    fileSystems: mountPoints.filter((each) => !out.some(({ mountPoint }) => mountPoint === each)),
    leftOut: out.map(({ volume, mountPoint }) => ({ volume, mountPoint })),
    problems: [
      ...problem(
        'VOLUME_UNDECIDED',
        `${group} has raw volumes that a backup would not hold, and nobody has decided so`,
        namesOf(undecided.filter(({ holds }) => holds === 'raw')),
        `Name each in the settings of ${group}: under rawVolumes to save it, or under leaveOut to leave it out on purpose.`,
      ),
      ...problem(
        'FILE_SYSTEM_UNDECIDED',
        `the volume groups of ${group} have file systems that the resource group does not have: a backup would not hold them`,
        namesOf(undecided.filter(({ holds }) => holds === 'file-system')),
        `Add each to the file systems of the resource group, or name its volume in the settings of ${group} under leaveOut to leave it out on purpose.`,
      ),
      ...problem(
        'LEAVE_OUT_UNKNOWN',
        `leaveOut of ${group} names what is no volume of data of its volume groups`,
        unknown.join(', '),
        `Take it out of leaveOut; these are its volumes: ${[...known].join(', ')}.`,
      ),
      ...problem(
        'DECIDED_TWICE',
        `rawVolumes and leaveOut of ${group} name the same volumes`,
        [...left].filter((volume) => saved.has(volume)).join(', '),
        'Name each in one of the two.',
      ),
    ],
  };
}

/** `ledgerlv (/ledger)` */
export function leftOutText({ volume, mountPoint }: LeftOut): string {
  return mountPoint === null ? volume : `${volume} (${mountPoint})`;
}

function namesOf(volumes: readonly DataVolume[]): string {
  return volumes.map(leftOutText).join(', ');
}
