import type { Machine, NodeState } from './machine.ts';

/** The first free name such as `vg00`, `lv00`, `fslv00`. */
export function nextName(prefix: string, taken: (name: string) => boolean): string {
  for (let number = 0; ; number++) {
    const name = `${prefix}${String(number).padStart(2, '0')}`;
    if (!taken(name)) return name;
  }
}

/** Whether a volume may have this name. */
export function isVolumeName(name: string): boolean {
  return /^[\w.-]{1,15}$/.test(name);
}

/** Whether a device of that name exists on the node or in a group that it has. */
export function isTaken({ machine, node }: { machine: Machine; node: NodeState }, name: string): boolean {
  if (['hdisk', 'tty'].some((prefix) => name.startsWith(prefix)) || node.odm.has(name)) return true;
  const known = machine.groups.filter((group) => node.odm.get(group.name)?.id === group.id);
  return known.some((group) => group.volumes.some((volume) => volume.name === name));
}
