import { createHash } from 'node:crypto';
import { releaseScript } from './copy-release.ts';
import { type CrontabScriptOptions, crontabScript, type GroupEntries } from './crontab-switch.ts';
import { eventScript } from './event-marker.ts';
import { type GuardOptions, guardScript } from './guard.ts';
import { type DebtScriptOptions, debtScript } from './quiesce-debt.ts';
import { checkPath } from './shell-deadline.ts';

/** What has to be where, so that nodes guard themselves and follow events. Plain JSON: it can be kept and compared. */
export interface Installation {
  /** Cluster node names, sorted. */
  readonly nodes: readonly string[];
  /** The same on every node. */
  readonly files: readonly ScriptFile[];
  /** Entered once, on one node, and then synchronised: no command is known that would be safe to run for it. */
  readonly registrations: readonly Registration[];
  /** What only a person can do, in order. */
  readonly instructions: readonly string[];
  /** Run on each node when its files are there, and before they are removed. */
  readonly start: readonly Argv[];
  readonly stop: readonly Argv[];
}

type Argv = readonly [string, ...string[]];

/** A script on a node. Every one of ours tells in its second line that it was made here. */
export interface ScriptFile {
  readonly path: string;
  /** As `chmod` takes it. The owner is root, the group system. */
  readonly mode: '755';
  /** Lower-case hex SHA-256 of the text. */
  readonly sha256: string;
  readonly text: string;
}

/** A script that the cluster manager runs before or after one of its events. */
export interface Registration {
  /** Name of the event, as `HACMPevent` has it. */
  readonly event: string;
  readonly place: 'pre' | 'post';
  /** Name of the custom event, the same on all nodes; it stands for the script. */
  readonly name: string;
  readonly path: string;
  /** What to enter in SMIT. */
  readonly smit: readonly string[];
  /** The same by `clmgr` or `claddcustom`: nobody has published their syntax, so there is no command to run. */
  readonly command: { readonly kind: 'unknown'; readonly evidence: string };
}

/** Events after which groups may be elsewhere, on every generation; a level that does not have one is told so. */
export const followedEvents = [
  'node_down_remote',
  'node_down_remote_complete',
  'node_up_remote',
  'node_up_remote_complete',
  'node_up_local_complete',
  'rg_move_complete',
] as const;

const scriptDirectory = '/usr/local/bin';

/** Where {@link planEvents} puts the script that lets split copies go before their group is released, unless told otherwise. */
export const releasePath = `${scriptDirectory}/splitmirror-release`;

/** A resource group whose backup the nodes start themselves. */
export interface GroupInstallation extends GroupEntries {
  /** Its volume groups: their split copies are let go before the group is. */
  readonly volumeGroups: readonly string[];
  /** What a debt of its application is paid with; left out for an application that is never suspended. */
  readonly debt?: Omit<DebtScriptOptions, 'path' | 'commands'> | undefined;
}

/** What the event scripts need to know. */
export interface EventsOptions extends Pick<CrontabScriptOptions, 'guard' | 'section' | 'commands'> {
  /** Cluster node names. */
  readonly nodes: readonly string[];
  readonly groups: readonly GroupInstallation[];
  /** Directory of the scripts; default `/usr/local/bin`. */
  readonly directory?: string | undefined;
  /** Directory for markers and locks; default `/var/splitmirror`. */
  readonly state?: string | undefined;
  /** Default {@link followedEvents}. */
  readonly events?: readonly string[] | undefined;
}

/**
 * The guard on every node.
 *
 * @throws RangeError as {@link guardScript} does, and without nodes.
 */
export function planGuard({ nodes, ...options }: GuardOptions & { readonly nodes: readonly string[] }): Installation {
  return {
    nodes: checkedNodes(nodes),
    files: [fileOf(options.path, guardScript(options))],
    registrations: [],
    instructions: [`Put ${options.path} GROUP before the commands in root's crontab, on every node.`],
    start: [],
    stop: [],
  };
}

/**
 * The event scripts on every node: markers, the crontab switch, the release of split copies, and a debt script for each
 * group that has one; with what a person has to enter.
 *
 * @throws RangeError for names, paths and lines that a shell, a crontab or the ODM would take apart.
 */
export function planEvents({
  nodes,
  groups,
  guard,
  section,
  commands,
  directory = scriptDirectory,
  state = '/var/splitmirror',
  events = followedEvents,
}: EventsOptions): Installation {
  checkPath(directory);
  checkPath(state);
  for (const event of events) {
    if (!/^[a-z]\w*$/.test(event)) throw new RangeError(`not an event: ${event}`);
  }
  for (const name of groups.flatMap(({ volumeGroups }) => volumeGroups)) {
    if (!/^[A-Za-z_][\w.-]*$/.test(name)) throw new RangeError(`not a volume group: ${name}`);
  }
  const spool = `${state}/events`;
  const [event, crontab, release] = ['event', 'crontab', 'release'].map(
    (name) => `${directory}/splitmirror-${name}`,
  ) as [string, string, string];
  const debts = groups.flatMap(({ group, debt }) => {
    if (!debt) return [];
    const path = `${directory}/splitmirror-debt-${group}`;
    return [{ group, file: fileOf(path, debtScript({ path, commands, ...debt })) }];
  });
  return {
    nodes: checkedNodes(nodes),
    files: [
      fileOf(event, eventScript({ path: event, spool, commands })),
      fileOf(crontab, crontabScript({ path: crontab, guard, state, spool, groups, section, commands })),
      fileOf(release, releaseScript({ path: release, commands })),
      ...debts.map(({ file }) => file),
    ],
    registrations: events.map((name) => registrationOf(name, event)),
    instructions: [
      'Install the files on every node before anything is registered: an event must not meet a script that is not there.',
      `Add the custom event "splitmirror_event" and enter it at ${events.length} events; then verify and synchronise the cluster.`,
      ...groups.map(
        ({ group, volumeGroups }) =>
          `Last line of the stop script of the application of ${group}, on every node: ${[release, ...volumeGroups].join(' ')}`,
      ),
      ...debts.map(
        ({ group, file }) =>
          `In the start script of the application of ${group}, on every node, where its resume works: ${file.path} (status 1: it may still be suspended)`,
      ),
    ],
    start: [
      [crontab, 'refresh'],
      [event, 'installed'],
    ],
    stop: [[crontab, 'remove']],
  };
}

function checkedNodes(nodes: readonly string[]): string[] {
  if (nodes.length === 0) throw new RangeError('no node to install on');
  return [...new Set(nodes)].sort();
}

function fileOf(path: string, text: string): ScriptFile {
  return { path, mode: '755', sha256: digestOf(text), text };
}

/** Lower-case hex SHA-256. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function registrationOf(event: string, path: string): Registration {
  const name = 'splitmirror_event';
  return {
    event,
    place: 'post',
    name,
    path,
    smit: [
      'smit hacmp, Cluster Events, Change/Show Cluster Events',
      `Event Name: ${event}`,
      `Post-event Command: ${name} (beside those that are there)`,
    ],
    command: {
      kind: 'unknown',
      evidence: `The usage text of claddcustom, or of "clmgr modify event", from a node of this level of HACMP; and "odmget -q name=${event} HACMPevent" before and after SMIT has done it.`,
    },
  };
}
