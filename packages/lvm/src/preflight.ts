import { isRun } from './marks.ts';
import type { ActiveGroup, GroupView, LvmPicture, VolumeView } from './picture.ts';
import type { SplitRequest } from './port.ts';

/** First release whose chfs surely knows `freeze`: 5.3. */
const firstFreeze = 503;

/** Notes one reason why there is no plan. */
export type Refuse = (code: string, message: string, seen: string, remedy: string) => void;

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

/** Older levels take the freeze for an attribute of the stanza, store it, and end with 0. */
export function refuseLevel({ level }: LvmPicture, refuse: Refuse): void {
  if (level !== null && level.release >= firstFreeze) return;
  const seen =
    level === null ? 'oslevel -r gave no level' : `AIX ${Math.floor(level.release / 100)}.${level.release % 100}`;
  refuse('LEVEL_TOO_OLD', 'that this level can freeze a JFS2 file system is not known', seen, 'Use AIX 5.3 or newer.');
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

/** A group in which no volume can be split. */
export function refuseGroup({ name, group, disks }: ActiveGroup, chosen: readonly VolumeView[], refuse: Refuse): void {
  const bad = disks.filter(({ state }) => state !== 'active').map((disk) => `${disk.name} ${disk.state}`);
  if (bad.length > 0 || group.activeDisks !== group.totalDisks) {
    const seen = bad.join(', ') || `${group.activeDisks} of ${group.totalDisks} active`;
    refuse('DISK_NOT_ACTIVE', `volume group ${name} misses a disk`, seen, 'Bring the disk back and synchronise first.');
  }
  if (group.stalePartitions > 0 || group.staleDisks > 0) {
    const seen = `STALE PPs ${group.stalePartitions}, STALE PVs ${group.staleDisks}`;
    refuse('GROUP_STALE', `volume group ${name} has stale partitions`, seen, `Run "syncvg -v ${name}" first.`);
  }
  if (group.snapshotRelation !== null) {
    refuse(
      'SNAPSHOT_RELATION',
      `volume group ${name} is in a snapshot relation: splitlvcopy refuses it`,
      group.snapshotRelation,
      'Join the snapshot volume group first.',
    );
  }
  const needed = chosen.filter((volume) => volume.group === name).length;
  if (group.volumes + needed > group.maxVolumes) {
    const seen = `LVs ${group.volumes}, MAX LVs ${group.maxVolumes}`;
    refuse(
      'NO_VOLUME_SLOT',
      `volume group ${name} has no room for ${needed} more volumes`,
      seen,
      'Raise MAX LVs with chvg -v.',
    );
  }
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
