import { dd } from '@splitmirror/archive';
import { longestTimerMs, longestTimerSeconds, requireWhole, unlessAborted } from '@splitmirror/host';
import type { BackupContext } from '../context.ts';
import { BackupError } from '../errors.ts';
import { refuseLeftovers } from '../plan/plan.ts';
import type { Confirmation, Picture, Problem, Proof } from '../ports.ts';
import { problemOf, withReasons } from '../problems.ts';
import { noteEnd } from '../run/ended-holders.ts';
import { givingUpScript, type Holder, newHolder } from '../run/lock.ts';
import { performOnNode } from '../run/perform.ts';
import { surveyGroup } from '../run/survey.ts';
import type { StoredBackup } from '../store/store.ts';
import { pause } from '../surroundings.ts';
import type { Feedable } from './feed.ts';
import { checkPlaces, type NodePlace } from './place.ts';
import { interruptedAt, isUnsettled, RestoreError, withBefore } from './restore-error.ts';
import { type NodeRestored, type NodeRestoreOptions, restorePlace } from './restore-node.ts';
import { requireSelection, type Selection } from './selection.ts';

/** What is restored into a group, and how. */
export interface GroupRestoreOptions extends NodeRestoreOptions {
  /** How each node's commands are given bytes to read, by cluster node name. */
  readonly feeds: ReadonlyMap<string, Feedable>;
  /** Where raw volumes go; those without an entry are refused when they are selected. */
  readonly devices?: readonly Extract<NodePlace, { readonly device: string }>[] | undefined;
  /** Milliseconds between two proofs of ownership while bytes flow; default a minute. */
  readonly proofMs?: number | undefined;
}

/** What came back into a group, and the proofs that its node held it before and after each volume. */
export interface GroupRestoreReport {
  readonly node: string;
  readonly volumes: readonly NodeRestored[];
  readonly proofs: readonly Proof[];
}

/**
 * Restores into the file systems of a group, on the node that provably holds it: under the group's lock, with the proof of
 * ownership taken again before and after each volume and while its bytes flow. Files that have the name of a restored one
 * are replaced; the application should be at rest, which is the caller's to see to.
 *
 * @throws BackupError when nobody provably holds the group, when it is locked, or a place is not what it should be;
 * RestoreError `RESTORE_OWNERSHIP` when the node lost the group: what it was writing then is not to be used;
 * `RESTORE_UNSETTLED` when the node may still write, or the lock could not be given back: the lock stays until `recoverGroup`.
 * After an abort `INTERRUPTED`, or the signal's reason where nothing was written. RangeError for times that no timer keeps.
 */
export async function restoreIntoGroup(
  context: BackupContext,
  backup: StoredBackup,
  group: string,
  options: GroupRestoreOptions,
): Promise<GroupRestoreReport> {
  requireWhole('timeoutSeconds', options.timeoutSeconds, 1, longestTimerSeconds);
  requireWhole('proofMs', options.proofMs, 1, longestTimerMs);
  const { surroundings } = context;
  const holder = newHolder(surroundings, { run: surroundings.newRunId(), group, intended: [] });
  return restoreAs({ ...holder, writes: true }, context, backup, options).finally(() => noteEnd(holder));
}

async function restoreAs(
  self: Holder,
  context: BackupContext,
  backup: StoredBackup,
  options: GroupRestoreOptions,
): Promise<GroupRestoreReport> {
  const { group } = self;
  if (backup.manifest.group !== group) {
    throw new BackupError(
      'RESTORE_TARGET',
      `backup ${backup.manifest.run} is of ${backup.manifest.group}, not of ${group}`,
      {
        remedy: 'Name a backup of the group; to restore it elsewhere, restore to a directory or a node.',
      },
    );
  }
  const selections = await requireSelection(backup, options.select);
  const survey = await surveyGroup(context, group, options.signal);
  refuseLeftovers(survey, group);
  const { standing, picture, notes } = survey;
  const { node } = standing;
  const [host, feed] = [context.hosts.get(node), options.feeds.get(node)];
  if (host === undefined || feed === undefined) throw new RangeError(`no way to feed node ${node} is configured`);
  const target = { ...feed, host };
  const placeOf = (selection: Selection) => {
    const place = placeIn(selection, picture.fileSystems, node, options);
    if ('device' in place) requireDevice(place, selection, picture);
    return place;
  };
  await unlessAborted(options.signal, () => checkPlaces(backup, host, selections, placeOf, options));
  const work = selections.map((selection) => ({ selection, place: placeOf(selection) }));

  const subject = { group, quiesce: null, self };
  const proofs: Proof[] = [standing.proof];
  const prove = async (when: string, signal: AbortSignal | undefined) => {
    const confirmation = await context.cluster.confirm(proofs.at(-1) ?? standing.proof, { signal });
    if (confirmation.kind !== 'holds') throw lost(group, node, when, confirmation);
    proofs.push(confirmation.proof);
  };

  await prove('before the lock was taken', options.signal);
  const locked = await performOnNode(
    context,
    subject,
    { kind: 'lock', node, notes, holder: self, over: [] },
    options.signal,
  );
  // The lock lies in the group's own file system: wherever the group provably is now, there it is given back.
  const giveBack = async (): Promise<Problem | null> => {
    try {
      const now = await context.cluster.locate(group);
      if (now.kind !== 'held') return now.reasons[0] ?? unlocatable(group, now.kind);
      proofs.push(now.proof);
      const unlock = { kind: 'unlock', node: now.node, notes, holder: self, others: [] } as const;
      const unlocked = await performOnNode(context, subject, unlock, undefined);
      return unlocked.of === 'unlock' && unlocked.result.kind === 'failed' ? unlocked.result.problem : null;
    } catch (error) {
      return problemOf(error, node);
    }
  };
  // Whoever looks at it later must not have to wait for the end of this process, nor take its end for that of what it began.
  const giveUp = async (how: NonNullable<Holder['givenUp']>): Promise<void> => {
    const now = await context.cluster.locate(group).catch(() => undefined);
    if (now?.kind !== 'held') return;
    await context.hosts
      .get(now.node)
      ?.run(givingUpScript(notes, self, how))
      .catch(() => undefined);
  };
  if (locked.of !== 'lock' || locked.result.kind !== 'mine') {
    const failure = locked.of === 'lock' && locked.result.kind === 'failed' ? locked.result.problem : null;
    const refusal = new BackupError('GROUP_LOCKED', `the lock of ${group} could not be taken on ${node}`, {
      remedy: `Wait for the run that holds it; when its process is gone, run: splitmirror recover ${group}`,
      problems: failure === null ? [] : [failure],
    });
    // Whether its file was written is not known after every failure.
    const left = failure === null ? null : await giveBack();
    if (left !== null) {
      await giveUp('settled');
      throw unsettled(group, node, [], endedBy(refusal, null, [], options.signal), left);
    }
    options.signal?.throwIfAborted();
    throw refusal;
  }
  const volumes: NodeRestored[] = [];
  let underWay: string | null = null;
  const restoreVolume = async ({ place, selection }: (typeof work)[number]) => {
    await prove(`before ${place.volume}`, options.signal);
    underWay = place.volume;
    const watch = watchOwnership(context, options, prove, place.volume);
    const restoring = restorePlace(backup, target, place, selection, { ...options, signal: watch.signal });
    const ended = await restoring.catch((error: unknown) => ({ error }));
    const fault = await watch.end();
    // That it may still write counts for more than why it was to end.
    if ('error' in ended && isUnsettled(ended.error)) throw ended.error;
    if (fault !== undefined) throw fault;
    if ('error' in ended) throw ended.error;
    await prove(`after ${place.volume}`, options.signal);
    volumes.push(ended);
    underWay = null;
  };
  const restored = () => volumes.map(({ volume }) => volume);
  try {
    for (const each of work) await restoreVolume(each);
  } catch (error) {
    if (isUnsettled(error)) {
      await giveUp('unsettled');
      throw unsettled(group, node, restored(), error, null);
    }
    const left = await giveBack();
    const ended = endedBy(error, underWay, restored(), options.signal);
    if (left !== null) {
      await giveUp('settled');
      throw unsettled(group, node, restored(), ended, left);
    }
    if (underWay === null && volumes.length === 0) options.signal?.throwIfAborted();
    throw ended;
  }
  const left = await giveBack();
  if (left !== null) {
    await giveUp('settled');
    throw unsettled(group, node, restored(), null, left);
  }
  return { node, volumes, proofs };
}

/**
 * A device of a group is one of its own volumes, which nobody uses, and which is large enough.
 *
 * @throws BackupError `RESTORE_TARGET`
 */
function requireDevice(
  { volume, device, lvcb }: Extract<NodePlace, { readonly device: string }>,
  { record }: Selection,
  { node, rawDevices = [] }: Picture,
): void {
  const refuse = (message: string, remedy: string) =>
    new BackupError('RESTORE_TARGET', `${node}: ${message}`, { remedy });
  const found = rawDevices.find((each) => each.device === device);
  if (found === undefined) {
    throw refuse(
      `${device} is no raw volume of the group: ${rawDevices.map((each) => each.device).join(', ') || 'it has none'}`,
      `Name one of these for ${volume}; to restore it to another device, restore to the node.`,
    );
  }
  if (found.open) {
    throw refuse(`${device} is open: a program uses it`, 'Stop the application that uses the volume, then restore it.');
  }
  const room = dd.archiveBytes(found.bytes, lvcb);
  if (room < record.bytes) {
    throw refuse(
      `${device} takes ${room} bytes, and the archive of ${volume} has ${record.bytes}`,
      'Extend the volume to the size that it had (extendlv), or name a larger one.',
    );
  }
}

function unlocatable(group: string, kind: string): Problem {
  return {
    code: 'GROUP_UNDECIDABLE',
    node: null,
    message: `nobody provably holds ${group}, so its lock cannot be given back`,
    seen: kind,
    remedy: `When the cluster is stable, run: splitmirror recover ${group}`,
  };
}

/**
 * The lock stays, so that nobody splits or writes meanwhile, and a recovery ends that.
 *
 * @param error What ended the restore; `null` when it came to its end.
 * @param left Why the lock could not be given back; `null` when that was not tried.
 */
function unsettled(
  group: string,
  node: string,
  restored: readonly string[],
  error: unknown,
  left: Problem | null,
): RestoreError {
  const what = error === null ? 'all is restored' : problemOf(error, node).message;
  const recover =
    left === null
      ? `Make sure on ${node} that nothing of this restore writes any more, then run: splitmirror recover ${group} --break-lock.`
      : `Run: splitmirror recover ${group}.`;
  return new RestoreError('RESTORE_UNSETTLED', `${what}; the lock of ${group} stays where it is`, {
    remedy: `${recover} It gives the lock back.${error === null ? '' : ' Then restore again.'}`,
    problems: [...(error === null ? [] : withReasons(error, node)), ...(left === null ? [] : [left])],
    restored,
    cause: error ?? undefined,
  });
}

function placeIn(
  { volume, mountPoint }: Selection,
  fileSystems: readonly string[],
  node: string,
  { devices = [] }: GroupRestoreOptions,
): NodePlace {
  if (mountPoint === null) {
    const device = devices.find((each) => each.volume === volume);
    if (device !== undefined) return device;
    throw new BackupError('RESTORE_TARGET', `nothing says which device raw volume ${volume} goes to`, {
      remedy:
        'Name it under rawVolumes of the group (a program: under devices), or restore it to a file and copy that.',
    });
  }
  if (fileSystems.includes(mountPoint)) return { volume, directory: mountPoint, mountPoint, existing: 'replace' };
  throw new BackupError('RESTORE_TARGET', `${mountPoint} is not mounted on ${node}`, {
    remedy: 'Mount the file system, or select other volumes.',
  });
}

/** Proves ownership from time to time, and ends the restore when it is lost. */
function watchOwnership(
  { surroundings }: BackupContext,
  { signal, proofMs = 60_000 }: GroupRestoreOptions,
  prove: (when: string, signal: AbortSignal) => Promise<void>,
  volume: string,
) {
  const ending = new AbortController();
  const done = new AbortController();
  const until = AbortSignal.any([done.signal, ...(signal === undefined ? [] : [signal])]);
  let fault: unknown;
  const watching = (async () => {
    for (;;) {
      try {
        await pause(surroundings, proofMs, until);
        if (until.aborted) return;
        await prove(`while ${volume} was written`, until);
      } catch (error) {
        if (until.aborted) return;
        fault = error;
        ending.abort();
        return;
      }
    }
  })();
  return {
    signal: AbortSignal.any([ending.signal, ...(signal === undefined ? [] : [signal])]),
    async end(): Promise<unknown> {
      done.abort();
      await watching;
      return fault;
    },
  };
}

function lost(
  group: string,
  node: string,
  when: string,
  confirmation: Exclude<Confirmation, { kind: 'holds' }>,
): RestoreError {
  const seen =
    confirmation.kind === 'lost'
      ? confirmation.changed.map(({ fact, before, after }) => `${fact}: ${before} -> ${after}`).join('; ')
      : confirmation.reason;
  const what =
    confirmation.kind === 'lost' ? `${node} lost ${group}` : `${node} could not prove that it holds ${group}`;
  return new RestoreError('RESTORE_OWNERSHIP', `${what} ${when}: ${seen}`, {
    remedy: `What was being written is not to be used. Run: splitmirror recover ${group}. Then restore where the group is now.`,
  });
}

/** What ended a restore, with what it had restored before: an interrupt, which nothing else is told as, or the error itself. */
function endedBy(
  error: unknown,
  underWay: string | null,
  restored: readonly string[],
  signal: AbortSignal | undefined,
): unknown {
  if (signal?.aborted) return interruptedAt(underWay, restored, [], error);
  return error instanceof RestoreError ? withBefore(error, restored, []) : error;
}
