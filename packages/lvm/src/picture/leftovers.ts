import type { Refuse } from '../plan/strategy.ts';
import { isOurMount, type LvmPicture } from './picture.ts';

/** Whether someone else has mounted a copy of ours. */
export function isUsedElsewhere(copy: string, picture: LvmPicture, refuse: Refuse): boolean {
  const elsewhere = picture.mounts.find((mount) => mount.device === `/dev/${copy}` && !isOurMount(mount, picture));
  if (elsewhere === undefined) return false;
  const message = `${copy} is mounted where splitmirror does not mount`;
  refuse('COPY_IN_USE', message, elsewhere.mountPoint, 'Unmount it, then recover.');
  return true;
}
