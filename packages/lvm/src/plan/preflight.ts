import { isRun, readCopyName } from '../picture/marks.ts';
import type { ActiveGroup, GroupView, LvmPicture } from '../picture/picture.ts';
import type { SplitRequest } from '../port.ts';
import type { Objection, Refuse } from './strategy.ts';

/** What cannot be asked for. */
export function refuseRequest(request: SplitRequest, refuse: Refuse): void {
  if (!isRun(request.run)) {
    refuse(
      'BAD_RUN_ID',
      'a run id is six characters a-z0-9, the first a letter',
      request.run,
      'Make a run id of that form.',
    );
  }
  if (!Number.isInteger(request.freezeSeconds) || request.freezeSeconds < 2) {
    const seen = String(request.freezeSeconds);
    refuse('BAD_FREEZE_TIME', 'the freeze lasts a whole number of seconds from 2', seen, 'Give a longer freeze.');
  }
  const names = [...request.fileSystems, ...request.rawVolumes];
  if (names.length === 0) {
    refuse('NOTHING_TO_SPLIT', 'no file system and no volume is named', '', 'Name what shall be backed up.');
  }
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
    refuse('NAMED_TWICE', `${name} is named twice`, name, 'Name it once.');
  }
}

/** A group that is not this node's to change. */
export function refuseView(view: GroupView, refuse: Refuse): void {
  if (view.kind === 'active') return;
  const remedy =
    view.kind === 'locked'
      ? `Wait for the lock; if nothing holds it, "chvg -u ${view.name}".`
      : 'Ask the node that holds the resource group.';
  refuse('GROUP_NOT_ACTIVE', `volume group ${view.name} cannot be changed here`, describeView(view), remedy);
}

/** What an earlier run left must go first: it may lack copies. */
export function refuseLeftovers(picture: LvmPicture, refuse: Refuse): void {
  const runs = [...new Set(picture.leftovers.map(({ run }) => run))].sort();
  for (const run of runs) {
    const seen = picture.leftovers.filter((left) => left.run === run).map(({ what, name }) => `${what} ${name}`);
    refuse('LEFTOVERS', `run ${run} has left something behind`, seen.join(', '), 'Recover first.');
  }
}

/** What speaks against any split in a group. */
export function groupObjections({ name, group, disks, volumes }: ActiveGroup): Objection[] {
  const bad = disks.filter(({ state }) => state !== 'active').map((disk) => `${disk.name} ${disk.state}`);
  const found: Objection[] = [];
  if (bad.length > 0 || group.activeDisks !== group.totalDisks) {
    found.push({
      code: 'DISK_NOT_ACTIVE',
      message: `volume group ${name} misses a disk`,
      seen: bad.join(', ') || `${group.activeDisks} of ${group.totalDisks} active`,
      remedy: 'Bring the disk back and synchronise first.',
    });
  }
  if (group.stalePartitions > 0 || group.staleDisks > 0) {
    found.push({
      code: 'GROUP_STALE',
      message: `volume group ${name} has stale partitions`,
      seen: `STALE PPs ${group.stalePartitions}, STALE PVs ${group.staleDisks}`,
      remedy: `Run "syncvg -v ${name}" first, unless a copy is split there: that would be overwritten.`,
    });
  }
  if (group.snapshotRelation !== null) {
    found.push({
      code: 'SNAPSHOT_RELATION',
      message: `volume group ${name} is in a snapshot relation: LVM refuses any other split in it`,
      seen: group.snapshotRelation,
      remedy: 'Join the snapshot volume group first.',
    });
  }
  // What we split is told as a leftover; to take back what others have split would be ours to answer for.
  const children = volumes.filter((volume) => volume.child && readCopyName(volume.name) === null);
  if (children.length > 0) {
    found.push({
      code: 'SPLIT_PRESENT',
      message: `a copy is split off in volume group ${name} already, and only one at a time can be`,
      seen: children.map((child) => child.name).join(', '),
      remedy: 'Let whoever split it take it back first.',
    });
  }
  return found;
}

/** A group in which no more volumes can be made. */
export function refuseSlots({ name, group }: ActiveGroup, needed: number, refuse: Refuse): void {
  if (group.volumes + needed <= group.maxVolumes) return;
  const seen = `LVs ${group.volumes}, MAX LVs ${group.maxVolumes}`;
  const message = `volume group ${name} has no room for ${needed} more volumes`;
  refuse('NO_VOLUME_SLOT', message, seen, 'Raise MAX LVs with chvg -v.');
}

/** All groups in a few words, for a person who does not find what is looked for. */
export function describeGroups(picture: LvmPicture): string {
  return picture.groups.map((view) => `${view.name}: ${describeView(view)}`).join('; ');
}

function describeView(view: GroupView): string {
  switch (view.kind) {
    case 'active':
      return 'active';
    case 'passive':
      return `${view.group.state}, ${view.group.permission}`;
    case 'varied-off':
    case 'locked':
    case 'not-found':
    case 'unreadable':
      return `${view.kind}: ${view.seen}`;
  }
}
