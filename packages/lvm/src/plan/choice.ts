import { type ActiveGroup, type LvmPicture, type VolumeView, volumesOf } from '../picture/picture.ts';
import type { SplitRequest } from '../port.ts';
import { describeGroups } from './preflight.ts';
import type { Refuse } from './strategy.ts';

/** Names that can stand in a step's id; others are refused before anything is made of them. */
const plainName = /^(?!-)[\w./-]{1,64}$/;

/** The volumes of a request with their groups, file systems first, as far as there are any. */
export function chooseVolumes(
  picture: LvmPicture,
  request: SplitRequest,
  refuse: Refuse,
): { readonly volume: VolumeView; readonly group: ActiveGroup }[] {
  const chosen = [...chooseFileSystems(picture, request, refuse), ...chooseRawVolumes(picture, request, refuse)];
  return chosen.flatMap((volume) => {
    refuseName(volume, refuse);
    const group = picture.groups.find(({ name }) => name === volume.group);
    return group?.kind === 'active' ? [{ volume, group }] : [];
  });
}

function chooseFileSystems(picture: LvmPicture, request: SplitRequest, refuse: Refuse): VolumeView[] {
  return [...new Set(request.fileSystems)].sort().flatMap((mountPoint) => {
    const found = volumesOf(picture.groups).filter(({ fileSystem }) => fileSystem?.mountPoint === mountPoint);
    const [volume] = found;
    if (volume !== undefined && found.length === 1) return [volume];
    const seen = found.length > 1 ? found.map(({ name }) => name).join(', ') : describeGroups(picture);
    const message = found.length > 1 ? `${mountPoint} belongs to several volumes` : `no volume holds ${mountPoint}`;
    refuse('UNKNOWN_FILE_SYSTEM', message, seen, 'Name a mount point of a volume group that is active on this node.');
    return [];
  });
}

function chooseRawVolumes(picture: LvmPicture, request: SplitRequest, refuse: Refuse): VolumeView[] {
  return [...new Set(request.rawVolumes)].sort().flatMap((name) => {
    const volume = volumesOf(picture.groups).find((candidate) => candidate.name === name);
    if (volume === undefined) {
      const remedy = 'Name a volume of a volume group that is active here.';
      refuse('UNKNOWN_VOLUME', `no volume ${name}`, describeGroups(picture), remedy);
      return [];
    }
    if (volume.fileSystem !== null || /^jfs2?$/.test(volume.type)) {
      const seen = volume.fileSystem?.mountPoint ?? volume.type;
      const remedy = 'Name its mount point instead: it must be frozen.';
      refuse('HAS_FILE_SYSTEM', `${name} holds a file system`, seen, remedy);
      return [];
    }
    return [volume];
  });
}

function refuseName({ name, fileSystem }: VolumeView, refuse: Refuse): void {
  if (plainName.test(name) && plainName.test(fileSystem?.mountPoint ?? name)) return;
  const message = `the name of ${name} or of its mount point cannot be handled`;
  refuse('NAME_NOT_PLAIN', message, fileSystem?.mountPoint ?? name, 'Use letters, digits and . _ - / only.');
}
