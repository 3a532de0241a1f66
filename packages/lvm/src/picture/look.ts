import {
  type Host,
  ParseError,
  reads,
  type Script,
  type ScriptOutcome,
  type Step,
  type StepResult,
} from '@splitmirror/host';
import { MirrorError } from '../errors.ts';
import type { GroupContents } from '../port.ts';
import { listFileSystems, parseFileSystems } from '../readers/file-systems.ts';
import { type AixLevel, askLevel, readLevel } from '../readers/level.ts';
import { isFailure, splitMessages } from '../readers/messages.ts';
import { listMounts, parseMounts } from '../readers/mounts.ts';
import { parseSnapshots, type SnapshotList } from '../readers/snapshots.ts';
import {
  describeGroup,
  listDisks,
  mapGroup,
  parseGroupDisks,
  parsePartitionMap,
  parseVolumeGroup,
} from '../readers/volume-groups.ts';
import { listVolumes, parseLogicalVolumes, parseVolumes } from '../readers/volumes.ts';
import { assemblePicture, ContradictionError, type GroupSighting } from './assemble.ts';
import { markRoot } from './marks.ts';
import type { LvmPicture } from './picture.ts';

/** A locked volume group makes queries wait for ever. */
const querySeconds = 60;

/** Picks the mount points of open JFS2 volumes from `lsvg -l`. */
const mountedJfs2 = 'NR > 2 && $2 == "jfs2" && $6 ~ /^open/ { print $7 }';

/** Looks at the storage of a resource group on one node, in one round trip. */
export async function look(
  host: Host,
  node: string,
  contents: GroupContents,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<LvmPicture> {
  return readLook(node, contents, await host.run(lookScript(contents), options));
}

/** The queries of a look. None of them changes anything. */
export function lookScript(contents: GroupContents): Script {
  const ask = (id: string, run: Step['run']): Step => ({
    id,
    run,
    timeoutSeconds: querySeconds,
    onFailure: 'continue',
  });
  return {
    steps: [
      ...contents.volumeGroups.flatMap((group) => [
        ask(`group:${group}`, describeGroup(group)),
        ask(`disks:${group}`, listDisks(group)),
        ask(`volumes:${group}`, listVolumes(group)),
        ask(`map:${group}`, mapGroup(group)),
        ask(`details:${group}`, {
          pipe: [listVolumes(group), reads('awk', 'NR > 2 { print $1 }'), reads('xargs', '-n', '1', 'lslv')],
        }),
      ]),
      ...contents.volumeGroups.map((group) =>
        ask(`snapshots:${group}`, {
          pipe: [listVolumes(group), reads('awk', mountedJfs2), reads('xargs', '-n', '1', 'snapshot', '-q')],
        }),
      ),
      ask('all-groups', reads('lsvg')),
      ask('level', askLevel()),
      ask('file-systems', listFileSystems()),
      ask('mounts', listMounts()),
      ask('marked', reads('test', '-d', markRoot)),
      { ...ask('directories', reads('find', markRoot, '-xdev', '-type', 'd', '-print')), needs: ['marked'] },
    ],
  };
}

/**
 * Reads the answers of a look. Pure.
 *
 * @throws MirrorError when they do not make a picture.
 */
export function readLook(node: string, contents: GroupContents, outcome: ScriptOutcome): LvmPicture {
  if (outcome.kind !== 'completed') {
    throw new MirrorError('MIRROR_LOOK_UNFINISHED', `${node}: the look at the storage was ${outcome.kind}`, {
      remedy: 'Look again when the node can be reached; nothing was changed.',
      cause: outcome.kind === 'unknown' ? new Error(outcome.reason) : undefined,
    });
  }
  const results = new Map(outcome.steps.map((step) => [step.id, step]));
  try {
    return assemblePicture({
      node,
      contents,
      level: levelOf(results.get('level')),
      groups: contents.volumeGroups.map((group) => sightGroup(group, results)),
      snapshots: contents.volumeGroups.flatMap((group) => snapshotsOf(results.get(`snapshots:${group}`))),
      allGroups: succeeded(results.get('all-groups')) ? answer(results, 'all-groups', node).split('\n') : [],
      // lsfs also asks for the superblocks of groups that are off, and then ends with a status above 0.
      fileSystems: parseFileSystems(printed(results, 'file-systems', node)),
      mounts: parseMounts(answer(results, 'mounts', node)),
      directories: succeeded(results.get('marked'))
        ? answer(results, 'directories', node).split('\n').filter(Boolean)
        : [],
    });
  } catch (error) {
    if (!(error instanceof ContradictionError) && !(error instanceof ParseError)) throw error;
    throw new MirrorError('MIRROR_LOOK_FAILED', `${node}: ${error.message}`, {
      remedy: 'Look again; if it stays, keep the output of the named command and report it.',
      cause: error,
    });
  }
}

function levelOf(step: StepResult | undefined): AixLevel | null {
  return succeeded(step) ? readLevel(step.stdout) : null;
}

/** Levels without snapshots, and outputs of another layout, tell nothing: no file system has a list then. */
function snapshotsOf(step: StepResult | undefined): readonly SnapshotList[] {
  try {
    return parseSnapshots(step?.kind === 'ended' ? step.stdout : '');
  } catch (error) {
    if (error instanceof ParseError) return [];
    throw error;
  }
}

type Results = ReadonlyMap<string, StepResult>;

function sightGroup(name: string, results: Results): GroupSighting {
  const step = (part: string) => results.get(`${part}:${name}`);
  const described = rowsOf(step('group'));
  if (described === undefined) return unreadable(name, step('group'));
  const group = parseVolumeGroup(described);
  if (group.state !== 'active' || group.permission !== 'read/write') return { kind: 'passive', name, group };
  const disks = rowsOf(step('disks'));
  if (disks === undefined) return unreadable(name, step('disks'));
  const volumes = rowsOf(step('volumes'));
  if (volumes === undefined) return unreadable(name, step('volumes'));
  const map = rowsOf(step('map'));
  if (map === undefined) return unreadable(name, step('map'));
  const { volumes: rows } = parseVolumes(volumes);
  // Without any volume xargs may run lslv without an operand, which fails.
  const details = rows.length > 0 ? rowsOf(step('details')) : null;
  if (details === undefined) {
    const view = unreadable(name, step('details'));
    if (view.kind !== 'not-found') return view;
    throw new ContradictionError(`a volume that lsvg -l ${name} lists is gone: ${view.seen.split('\n', 1)}`);
  }
  return {
    kind: 'active',
    name,
    group,
    disks: parseGroupDisks(disks).disks,
    rows,
    map: parsePartitionMap(map),
    volumes: details === null ? [] : parseLogicalVolumes(details),
  };
}

function unreadable(name: string, step: StepResult | undefined): GroupSighting {
  if (step === undefined || step.kind === 'skipped') return { kind: 'unreadable', name, seen: 'not asked' };
  const said = `${step.stderr}\n${step.stdout}`;
  const classes = new Set(splitMessages(said).messages.map((message) => message.class));
  const kind = classes.has('locked')
    ? 'locked'
    : classes.has('varied-off')
      ? 'varied-off'
      : classes.has('not-found')
        ? 'not-found'
        : 'unreadable';
  const seen = said.trim().slice(0, 400);
  return { kind, name, seen: step.kind === 'ended' ? seen : `${seen} (no end after ${querySeconds} s)`.trim() };
}

function succeeded(step: StepResult | undefined): step is Extract<StepResult, { kind: 'ended' }> {
  return step?.kind === 'ended' && step.exitCode === 0;
}

/** What a query printed but its messages, unless it failed: LVM may tell that beside rows, with a status of 0. */
function rowsOf(step: StepResult | undefined): string | undefined {
  if (!succeeded(step)) return undefined;
  const { messages, rest } = splitMessages(step.stdout);
  const isTold = [...messages, ...splitMessages(step.stderr).messages].some(isFailure);
  return isTold ? undefined : rest;
}

function answer(results: Results, id: string, node: string): string {
  const step = results.get(id);
  if (succeeded(step)) return step.stdout;
  throw failedQuery(id, node, step);
}

function printed(results: Results, id: string, node: string): string {
  const step = results.get(id);
  if (step?.kind === 'ended' && step.stdout !== '') return splitMessages(step.stdout).rest;
  throw failedQuery(id, node, step);
}

function failedQuery(id: string, node: string, step: StepResult | undefined): MirrorError {
  const said = step !== undefined && step.kind !== 'skipped' ? step.stderr.trim().slice(0, 400) : '';
  return new MirrorError('MIRROR_LOOK_FAILED', `${node}: the query "${id}" failed: ${said}`, {
    remedy: 'Run the query on the node by hand as root; every AIX node can answer it.',
  });
}
