import { checkScript } from '@splitmirror/host';
import { type LvmPicture, snapshotsOf, volumesOf } from '../picture/picture.ts';
import type { MirrorPlan, PlannedVolume, Problem, SplitRequest } from '../port.ts';
import { knowsRate } from '../readers/level.ts';
import { chooseVolumes } from './choice.ts';
import { exposePhase, mergePhase, splitPhase, withdrawPhase } from './phases.ts';
import { groupObjections, refuseLeftovers, refuseRequest, refuseSlots, refuseView } from './preflight.ts';
import { priceOf } from './price.ts';
import { chooseStrategy, objections, strategies, strategyNamed, weighAll } from './strategies.ts';
import { type Refuse, requireSettings, type Settings, type Split, type Strategy, type Subject } from './strategy.ts';
import { takeoverNotes } from './takeover.ts';

/** A copy's index has two digits. */
const mostVolumes = 99;

/**
 * Plans the split of one copy off each volume of a request, and the merge. Pure: the same picture and request always
 * give the same plan.
 *
 * @returns The plan, or every reason why there is none.
 * @throws RangeError for settings that say nothing, as a pace of resyncs that syncvg does not know.
 */
export function planSplit(
  picture: LvmPicture,
  request: SplitRequest,
  settings: Settings = {},
): { readonly plan: MirrorPlan } | { readonly problems: readonly Problem[] } {
  requireSettings(settings);
  const problems: Problem[] = [];
  const refuse: Refuse = (code, message, seen, remedy) => {
    const told = problems.some((other) => other.code === code && other.message === message);
    if (!told) problems.push({ code, node: picture.node, message, seen, remedy });
  };
  for (const view of picture.groups) refuseView(view, refuse);
  refuseRequest(request, refuse);
  const asked = askedStrategy(request, refuse);
  refuseLeftovers(picture, refuse);
  const volumes = chooseVolumes(picture, request, refuse);
  const subjects = volumes.map(
    (chosen): Subject => ({
      ...chosen,
      asked: volumes.map(({ volume }) => volume.name),
      snapshots: snapshotsOf(chosen.volume, picture),
      level: picture.level,
      suspended: request.suspend.length > 0,
      allowLastCopy: request.allowLastCopy,
      settings,
    }),
  );
  if (subjects.length > mostVolumes) {
    const message = `more than ${mostVolumes} volumes in one run`;
    refuse('TOO_MANY_VOLUMES', message, String(subjects.length), 'Split the request.');
  }
  const chosen = subjects.map((subject) => ({ subject, strategy: asked ?? chooseStrategy(subject) }));
  refuseGroups(chosen, refuse);
  for (const { subject, strategy } of chosen) refuseVolume(strategy, subject, refuse);
  if (settings.resync?.rate !== undefined && !knowsRate(picture.level)) {
    const message = 'that syncvg of this level can bound its pace is not known';
    refuse('RATE_UNKNOWN', message, `-T ${settings.resync.rate}`, 'Leave the rate out before AIX 7.2.');
  }
  if (problems.length > 0) return { problems };

  const splits = chosen.map(({ subject, strategy }, position) => decide(strategy, subject, request, position + 1));
  const taken = new Set(volumesOf(picture.groups).map(({ name }) => name));
  for (const { copy } of splits) {
    if (taken.has(copy)) refuse('NAME_TAKEN', `a volume ${copy} exists already`, copy, 'Use another run id.');
  }
  if (problems.length > 0) return { problems };

  const { node } = picture;
  const { resync = {} } = settings;
  const plan: MirrorPlan = {
    run: request.run,
    node,
    volumes: splits.map((split) => plannedVolume(split, picture)),
    split: splitPhase(node, splits, request, resync),
    expose: exposePhase(node, splits),
    withdraw: withdrawPhase(node, splits),
    merge: mergePhase(node, splits, resync),
    price: priceOf(splits, picture, settings),
    takeover: takeoverNotes(splits, picture),
    frozenSecondsAtMost: splits.some(({ fileSystem }) => fileSystem?.frozen) ? request.freezeSeconds : 0,
  };
  try {
    checkScript(plan.split.script);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = 'the steps that suspend and resume the application cannot be run';
    refuse('BAD_STEPS', message, error.message, 'Correct the steps.');
    return { problems };
  }
  return { plan };
}

/** The strategy that the request names; `undefined` where it names none. */
function askedStrategy({ strategy }: SplitRequest, refuse: Refuse): Strategy | undefined {
  if (strategy === undefined) return undefined;
  const asked = strategyNamed(strategy);
  if (asked === undefined) {
    const names = strategies.map(({ name }) => name).join(', ');
    refuse('UNKNOWN_STRATEGY', `there is no strategy ${strategy}`, strategy, `Name one of ${names}, or none.`);
  }
  return asked;
}

interface Chosen {
  readonly subject: Subject;
  readonly strategy: Strategy;
}

function refuseGroups(chosen: readonly Chosen[], refuse: Refuse): void {
  for (const group of new Set(chosen.map(({ subject }) => subject.group))) {
    for (const { code, message, seen, remedy } of groupObjections(group)) refuse(code, message, seen, remedy);
    const mine = chosen.filter(({ subject }) => subject.group === group);
    refuseSlots(
      group,
      mine.reduce((sum, { strategy }) => sum + strategy.slots, 0),
      refuse,
    );
  }
}

/** Every objection, with what would fit instead. */
function refuseVolume(strategy: Strategy, subject: Subject, refuse: Refuse): void {
  const found = objections(strategy, subject);
  if (found.length === 0) return;
  const others = weighAll(subject).filter(({ strategy: name, against }) => name !== strategy.name && !against.length);
  const fits = others.length > 0 ? ` Strategy ${others.map((other) => other.strategy).join(' or ')} would fit.` : '';
  for (const { code, message, seen, remedy } of found) refuse(code, message, seen, `${remedy}${fits}`);
}

function decide(strategy: Strategy, subject: Subject, { run }: SplitRequest, index: number): Split {
  const { volume, group } = subject;
  const { fileSystem } = volume;
  return {
    ...strategy.decide(subject, { run, index }),
    strategy: strategy.name,
    run,
    index,
    volume: volume.name,
    group: group.name,
    type: volume.type,
    logicalPartitions: volume.logicalPartitions,
    encrypted: volume.encrypted,
    copies: volume.copies,
    lazilyUpdated: group.group.concurrent === null,
    fileSystem:
      fileSystem === null
        ? null
        : {
            mountPoint: fileSystem.mountPoint,
            vfs: fileSystem.vfs,
            frozen: strategy.freezes && fileSystem.vfs === 'jfs2' && fileSystem.mounted,
            checked: fileSystem.vfs === 'jfs2' && fileSystem.log === 'inline',
          },
  };
}

function plannedVolume(split: Split, picture: LvmPicture): PlannedVolume {
  const group = picture.groups.find(({ name }) => name === split.group);
  const megabytes = group?.kind === 'active' ? group.group.partitionMegabytes : 0;
  return {
    volume: split.volume,
    strategy: split.strategy,
    copy: split.copy,
    source:
      split.fileSystem === null
        ? { kind: 'device', path: split.path }
        : { kind: 'directory', mountPoint: split.fileSystem.mountPoint, path: split.path },
    bytes: split.logicalPartitions * megabytes * 2 ** 20,
    copies: split.copies,
    copiesLeft: split.copiesLeft,
    partitionsToResync: split.partitionsToResync,
  };
}
