import { setTimeout as delay } from 'node:timers/promises';
import type { Member } from './cluster.ts';
import type { ResourceGroup } from './topology.ts';

/** What a command left behind when the cluster manager ran it on a node. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the event scripts need of the nodes. */
export interface NodeSupport {
  /** Runs a command on a node. */
  run(node: string, argv: readonly [string, ...string[]]): Promise<Ran>;
  /** Mount points of all file systems of a volume group, as the node's stanzas have them. */
  fileSystemsOf(node: string, volumeGroup: string): Promise<readonly string[]>;
  /** How long one phase of an event takes, in milliseconds. */
  phaseMs(): number;
}

type Argv = readonly [string, ...string[]];

/** Takes the volume groups over, mounts, brings the address up, and starts the application; false when an event script failed. */
export async function acquire(support: NodeSupport, member: Member, group: ResourceGroup): Promise<boolean> {
  const { name } = member;
  const active = group.volumeGroups.map((volumeGroup): Argv => ['varyonvg', '-n', '-c', '-A', volumeGroup]);
  if (!(await perform(support, member, active))) return false;
  const mounted = new Set((await support.run(name, ['mount'])).stdout.split(/\s+/));
  for (const mountPoint of await mountPoints(support, member, group)) {
    if (mounted.has(mountPoint)) continue;
    // The group's "Filesystems Consistency Check" is fsck: what a crash left is replayed before the mount.
    await support.run(name, ['fsck', '-p', mountPoint]);
    if (!(await perform(support, member, [['mount', mountPoint]]))) return false;
  }
  if (group.serviceLabel !== undefined) member.labels.add(group.serviceLabel);
  return perform(support, member, group.application === undefined ? [] : [group.application.start]);
}

/** Stops the application, takes the address down, unmounts, and leaves the volume groups in passive mode; false when an event script failed. */
export async function release(support: NodeSupport, member: Member, group: ResourceGroup): Promise<boolean> {
  const stop: Argv[] = group.application === undefined ? [] : [group.application.stop];
  if (!(await perform(support, member, stop))) return false;
  if (group.serviceLabel !== undefined) member.labels.delete(group.serviceLabel);
  const deepestFirst = [...(await mountPoints(support, member, group))].reverse();
  return perform(support, member, [
    ...deepestFirst.map((mountPoint): Argv => ['umount', mountPoint]),
    ...standby(group),
  ]);
}

/** A node that stands by has the volume groups varied on without writing to them. */
export async function standBy(support: NodeSupport, member: Member, group: ResourceGroup): Promise<void> {
  for (const argv of standby(group)) await support.run(member.name, argv);
}

function standby(group: ResourceGroup): Argv[] {
  return group.volumeGroups.map((volumeGroup): Argv => ['varyonvg', '-n', '-c', '-P', volumeGroup]);
}

/** The first failure stops the event: the manager waits for repair. */
async function perform(support: NodeSupport, member: Member, commands: readonly Argv[]): Promise<boolean> {
  for (const argv of commands) {
    if (!member.powered) return false;
    const { code } = await support.run(member.name, argv);
    if (support.phaseMs() > 0) await delay(support.phaseMs() / 4);
    if (code !== 0) {
      if (member.powered) member.manager = 'ST_RP_FAILED';
      return false;
    }
  }
  return member.powered;
}

async function mountPoints(support: NodeSupport, member: Member, group: ResourceGroup): Promise<readonly string[]> {
  if (group.fileSystems !== 'ALL') return [...group.fileSystems].sort();
  const lists = await Promise.all(group.volumeGroups.map((name) => support.fileSystemsOf(member.name, name)));
  return lists.flat().sort();
}
