// Texts of AIX. Seen in captures: 0516-010, 0516-404, 0516-949, 0516-1201, 0516-1396, the mount and fsck texts of a dirty
// JFS2, `mount: ... Device busy`, `rmlv: Logical volume X is removed.` The others are remembered or ours: callers judge by
// status, never by these.

/** A continuation line of an LVM message. */
const wrap = '\n        ';

export const variedOff = '0516-010 : Volume group must be varied on; use varyonvg command.\n';

export function groupLocked(program: string, group: string): string {
  return `0516-1201 ${program}: Warning: Volume group ${group} is locked. This command${wrap}will continue retries until lock is free.  If lock is inadvertent${wrap}and needs to be removed, execute 'chvg -u ${group}'.\n`;
}

export function notInOdm(program: string, what: string): string {
  return `0516-306 ${program}: Unable to find ${what} in the Device${wrap}Configuration Database.\n`;
}

export function noGroup(program: string, group: string): string {
  return notInOdm(program, `volume group ${group}`);
}

export function noDisk(disk: string): string {
  return `0516-1396 : The physical volume ${disk}, was not found in the\nsystem database.\n`;
}

export function diskInNoGroup(program: string, disk: string): string {
  return `0516-320 ${program}: Physical volume ${disk} is not assigned to${wrap}a volume group.\n`;
}

export const cannotAllocate = `0516-404 allocp: This system cannot fulfill the allocation request.${wrap}There are not enough free partitions or not enough physical volumes${wrap}to keep strictness and satisfy allocation requests.  The command${wrap}should be retried with different allocation characteristics.\n`;

export const nameTaken = `0516-360 getlvname: The device name is already used; choose a${wrap}different name.\n`;

export function unable(number: string, program: string, text: string): string {
  return `${number} ${program}: ${text}\n`;
}

export function mustBeClosed(program: string, volume: string): string {
  return `0516-1008 ${program}: Logical volume ${volume} must be closed.  If the logical${wrap}volume contains a filesystem, the umount command will close${wrap}the LV device.\n`;
}

export const openVolumesInGroup = `0516-012 lvaryoffvg: Logical volume must be closed.  If the logical${wrap}volume contains a filesystem, the umount command will close${wrap}the LV device.\n`;

export const noQuorum = `0516-052 varyonvg: Volume group cannot be varied on without a${wrap}quorum. More physical volumes in the group must be active.${wrap}Run diagnostics on inactive PVs.\n`;

export const notConcurrentCapable = '0516-949 varyonvg: This volume group not created concurrent capable.\n';

export function usage(program: string, fault?: string): string {
  const reason = fault === undefined ? '' : `${program}: Not a recognized flag: ${fault}\n`;
  return `${reason}Usage: ${program} ...\n`;
}

export function deviceBusy(device: string, mountPoint: string): string {
  return `mount: ${device} on ${mountPoint}: Device busy\n`;
}

export function incompatibleMedia(device: string, mountPoint: string): string {
  return `mount: ${device} on ${mountPoint}: Unformatted or incompatible media\n`;
}

export function dirtySuperblock(device: string): string {
  return `The superblock on ${device} is dirty.  Run a full fsck to fix.\n`;
}
