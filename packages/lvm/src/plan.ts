import { checkScript } from '@splitmirror/host';
import { chooseCopy, chooseFileSystems, chooseRawVolumes } from './choice.ts';
import type { Resync } from './copies.ts';
import { copyName, copyPath } from './marks.ts';
import { exposePhase, mergePhase, type Split, splitPhase, withdrawPhase } from './phases.ts';
import { type ActiveGroup, type LvmPicture, type VolumeView, volumesOf } from './picture.ts';
import type { MirrorPlan, PlannedVolume, Problem, SplitRequest } from './port.ts';
import { type Refuse, refuseGroup, refuseLeftovers, refuseLevel, refuseRequest, refuseView } from './preflight.ts';

/** A copy's index has two digits. */
const mostVolumes = 99;

/**
 * Plans the split of one copy off each volume of a request, and the merge. Pure: the same picture and request always
 * give the same plan.
 *
 * @returns The plan, or every reason why there is none.
 */
export function planSplit(
  picture: LvmPicture,
  request: SplitRequest,
  resync: Resync = {},
): { readonly plan: MirrorPlan } | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const refuse: Refuse = (code, message, seen, remedy) => {
    problems.push({ code, node: picture.node, message, seen, remedy });
  };
  for (const view of picture.groups) refuseView(view, refuse);
  refuseRequest(request, refuse);
  refuseLevel(picture, refuse);
  refuseLeftovers(picture, refuse);
  const chosen = [...chooseFileSystems(picture, request, refuse), ...chooseRawVolumes(picture, request, refuse)];
  const groups = groupsOf(picture, chosen);
  for (const group of groups) refuseGroup(group, chosen, refuse);
  if (chosen.length > mostVolumes) {
    refuse(
      'TOO_MANY_VOLUMES',
      `more than ${mostVolumes} volumes in one run`,
      String(chosen.length),
      'Split the request.',
    );
  }
  const splits = chosen.flatMap((volume, position): Split[] => {
    const copy = chooseCopy(volume, picture, request, refuse);
    if (copy === undefined) return [];
    return [
      {
        volume: volume.name,
        copy: copyName({ run: request.run, copies: volume.copies, index: position + 1 }),
        copies: volume.copies,
        disks: copy.disks,
        pool: copy.pool,
        lazilyUpdated: groups.some(({ name, group }) => name === volume.group && group.concurrent === null),
        mountPoint: request.rawVolumes.includes(volume.name) ? null : (volume.fileSystem?.mountPoint ?? null),
      },
    ];
  });
  const taken = new Set(volumesOf(picture.groups).map(({ name }) => name));
  for (const { copy } of splits) {
    if (taken.has(copy)) refuse('NAME_TAKEN', `a volume ${copy} exists already`, copy, 'Use another run id.');
  }
  if (problems.length > 0) return { problems };

  const { node } = picture;
  const plan: MirrorPlan = {
    run: request.run,
    node,
    volumes: splits.map((split) => plannedVolume(split, chosen, groups, request.run)),
    split: splitPhase(node, splits, request, resync),
    expose: exposePhase(node, request.run, splits),
    withdraw: withdrawPhase(node, request.run, splits),
    merge: mergePhase(node, request.run, splits, resync),
    frozenSecondsAtMost: splits.some(({ mountPoint }) => mountPoint !== null) ? request.freezeSeconds : 0,
  };
  try {
    checkScript(plan.split.script);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    refuse(
      'BAD_STEPS',
      'the steps that suspend and resume the application cannot be run',
      error.message,
      'Correct the steps.',
    );
    return { problems };
  }
  return { plan };
}

function groupsOf(picture: LvmPicture, chosen: readonly VolumeView[]): ActiveGroup[] {
  const names = new Set(chosen.map(({ group }) => group));
  return picture.groups.filter((view): view is ActiveGroup => view.kind === 'active' && names.has(view.name));
}

function plannedVolume(
  split: Split,
  chosen: readonly VolumeView[],
  groups: readonly ActiveGroup[],
  run: string,
): PlannedVolume {
  const volume = chosen.find(({ name }) => name === split.volume);
  const group = groups.find(({ name }) => name === volume?.group);
  const partitions = volume?.logicalPartitions ?? 0;
  return {
    volume: split.volume,
    strategy: 'splitlvcopy',
    copy: split.copy,
    source:
      split.mountPoint === null
        ? { kind: 'device', path: `/dev/r${split.copy}` }
        : { kind: 'directory', mountPoint: split.mountPoint, path: copyPath(run, split.volume) },
    bytes: partitions * (group?.group.partitionMegabytes ?? 0) * 2 ** 20,
    copies: split.copies,
    copiesLeft: split.copies - 1,
    partitionsToResync: partitions,
  };
}
