import type { ActiveGroup, VolumeView } from '../picture/picture.ts';
import type { Need, Separation } from '../plan/strategy.ts';

/** LVM's limit for names of volumes, and what AIX puts before them. */
const longestName = 15;
export const prefix = 'fs';

function notSeparable(message: string, seen: string, remedy: string) {
  return { code: 'GROUP_NOT_SEPARABLE', message, seen, remedy };
}

/** The group may be separated at all. */
export const separable: Need = ({ group: { name, group, volumes }, level }) => {
  const elsewhere = 'Take splitlvcopy.';
  if (name === 'rootvg') return notSeparable('rootvg is never split', name, elsewhere);
  if (group.mode !== 'Non-Concurrent' && (group.concurrent !== null || group.mode !== null)) {
    const seen = `VG Mode: ${group.mode ?? 'not shown'}`;
    const message = `volume group ${name} is not surely varied on in non-concurrent mode; PowerHA uses the concurrent one`;
    return notSeparable(message, seen, elsewhere);
  }
  // The manual of 5.2 excludes them altogether, later ones only while they are varied on in concurrent mode.
  if (group.concurrent !== null && (level?.release ?? 0) < 503) {
    return notSeparable(`volume group ${name} is concurrent capable`, `Concurrent: ${group.concurrent}`, elsewhere);
  }
  const paging = volumes.find(({ type }) => type === 'paging');
  if (paging !== undefined) return notSeparable(`volume group ${name} holds a paging space`, paging.name, elsewhere);
  const long = volumes.find((volume) => prefix.length + volume.name.length > longestName);
  if (long !== undefined)
    return notSeparable(
      `how AIX names the copy of ${long.name}, whose name is long, is not known`,
      long.name,
      elsewhere,
    );
  const taken = volumes.find((volume) => volumes.some((other) => other.name === separatedName(volume.name)));
  if (taken === undefined) return null;
  const seen = separatedName(taken.name);
  return notSeparable(`the name that AIX gives the copy of ${taken.name} is another volume's`, seen, elsewhere);
};

/** One copy of everything fills disks of its own. */
export const wholeCopy: Need = ({ group }) => {
  if (separationOf(group) !== null) return null;
  const seen = group.volumes.map(({ name, copies, map }) => {
    return `${name}: ${copies} copies on ${[...new Set(map.flatMap(({ disks }) => disks))].join(' ')}`;
  });
  const remedy =
    'Give every volume of the group a copy on the same disks, and nothing else there; or take splitlvcopy.';
  return notSeparable(
    `no copy fills disks of its own over the whole volume group ${group.name}`,
    seen.join('; '),
    remedy,
  );
};

/** All volumes of the group lose the copy, also those that nobody asked for. */
export const spareEverywhere: Need = ({ group, allowLastCopy }) => {
  const bare = allowLastCopy ? [] : group.volumes.filter(({ copies }) => copies === 2);
  if (bare.length === 0) return null;
  return {
    code: 'LAST_COPY',
    message: `all volumes of ${group.name} would run on one copy while the backup lasts`,
    seen: bare.map(({ name }) => name).join(', '),
    remedy: 'Allow it in the policy (allowLastCopy), or give the volumes a third copy.',
  };
};

/** The last copy that all volumes of the group have, on disks that hold nothing else; `null` when there is none. */
export function separationOf({ group, volumes }: ActiveGroup): Separation | null {
  const copy = [3, 2, 1].find((number) => fillsItsDisks(volumes, number));
  if (copy === undefined || volumes.length === 0) return null;
  return {
    copy,
    disks: [...disksOf(volumes, (other) => other === copy)].sort(),
    variesOn: group.concurrent !== null,
    volumes: volumes.map(({ name, fileSystem }) => ({ name, mountPoint: fileSystem?.mountPoint ?? null })),
  };
}

function fillsItsDisks(volumes: readonly VolumeView[], number: number): boolean {
  const others = disksOf(volumes, (copy) => copy !== number);
  return volumes.every(({ map, copies, logicalPartitions }) => {
    const own = map.find(({ copy }) => copy === number);
    return copies > 1 && own?.partitions === logicalPartitions && !own.disks.some((disk) => others.has(disk));
  });
}

function disksOf(volumes: readonly VolumeView[], wanted: (copy: number) => boolean): Set<string> {
  return new Set(volumes.flatMap(({ map }) => map.flatMap(({ copy, disks }) => (wanted(copy) ? disks : []))));
}

/** AIX's own name for the copy of a volume in the new group. */
export function separatedName(volume: string): string {
  return `${prefix}${volume}`;
}
