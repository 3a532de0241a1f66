import { join } from 'node:path';
import {
  deviceCommand,
  leftOutText,
  listBackups,
  type NodePlace,
  previewRestore,
  type RestorePreview,
  restoreBackup,
  restoreIntoGroup,
  restoreToNode,
  type SelectedVolume,
  type StoredBackup,
} from '@splitmirror/backup';
import type { Host } from '@splitmirror/host';
import { identitiesOf } from '../config/identities.ts';
import { settingsOf } from '../config/policy.ts';
import { ConfigError } from '../config/read.ts';
import { feedOf } from '../connect.ts';
import { EndedError } from '../ended-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { bytesText } from '../units.ts';

/** What a restore is told. */
export interface RestoreFlags {
  /** Run whose backup it is; the newest without it. */
  readonly run?: string;
  /** Paths and patterns; all of the backup without them. */
  readonly path: readonly string[];
  /** Show what would come, and do nothing. */
  readonly dryRun?: boolean;
  /** Cluster node to restore to, in place of this machine. */
  readonly node?: string;
  /** Mount point of the file system that holds the directory on the node. */
  readonly mountPoint?: string;
  /** Back into the group, where it is now. */
  readonly intoGroup?: boolean;
  /** Owners and groups by number, as root. */
  readonly owners?: boolean;
}

/** Restores a backup or a part of it: to a directory here, to a directory of a node, or back into its group. */
export async function restore(
  session: Session,
  group: string,
  into: string | undefined,
  flags: RestoreFlags,
): Promise<number> {
  const { config, context, reporter, signal, mayLeave } = session;
  const place = placeOf(into, flags, context.hosts);
  const backup = await context.store.find(group, flags.run);
  const select = flags.path.length === 0 ? undefined : flags.path;
  const preview = await previewRestore(backup, { select, mostPaths: 20 });
  for (const line of previewText(backup, preview, place)) reporter.line(line);
  for (const line of await warningsOf(session, backup)) reporter.alert(line);
  if (place.kind === 'group') for (const line of atRestText(group, preview)) reporter.alert(line);
  if (flags.dryRun === true) {
    reporter.result({ run: backup.manifest.run, preview });
    return exitCodes[preview.unmatched.length === 0 ? 'OK' : 'RESTORE_UNKNOWN_PATH'].code;
  }
  const identities = await identitiesOf(config);
  switch (place.kind) {
    case 'group':
      return intoGroup(session, backup, group, { select, identities });
    case 'node':
      return toNode(session, backup, { ...place, select, identities });
    case 'here': {
      const owners = flags.owners === true ? ('numeric' as const) : ('mine' as const);
      mayLeave(
        new EndedError('INTERRUPTED', `${place.into} may hold a part of the backup`, {
          remedy: 'Take the directory away, then restore again.',
        }),
      );
      const { volumes } = await restoreBackup(backup, place.into, { select, identities, owners, signal });
      if (!volumes.every(({ onDisk }) => onDisk)) {
        reporter.warn(
          'what was restored may still be in memory alone: this machine has no "sync -f" to bring it to the disk',
        );
      }
      tell(session, backup, volumes);
      return exitCodes.OK.code;
    }
    case 'nowhere':
      throw misled('no place is named', 'Name a directory, or say --into-group.');
  }
}

/** What is known against a backup: it may still be the one that is wanted, and nobody should find out afterwards. */
async function warningsOf({ context }: Session, { manifest }: StoredBackup): Promise<string[]> {
  const listed = await listBackups(context.store, manifest.group, context.surroundings.now());
  const own = listed.find(({ run }) => run === manifest.run);
  if (own === undefined || own.health === 'good') return [];
  return [`run ${own.run} is ${own.health}`, ...own.reasons.map((reason) => `  ${reason}`)];
}

type Hosts = Session['context']['hosts'];

type Place =
  | { readonly kind: 'here'; readonly into: string }
  | { readonly kind: 'node'; readonly host: Host; readonly into: string; readonly mountPoint: string }
  | { readonly kind: 'group' | 'nowhere' };

/** Where it goes, as far as words say: live files are never written over by an option too many. */
function placeOf(
  into: string | undefined,
  { intoGroup: live, node, mountPoint, owners, dryRun }: RestoreFlags,
  hosts: Hosts,
): Place {
  if (live === true) {
    if (into !== undefined || node !== undefined || mountPoint !== undefined || owners === true) {
      throw misled('--into-group says where everything goes', 'Leave out directory, --node, --mount-point, --owners.');
    }
    return { kind: 'group' };
  }
  if (node === undefined && mountPoint !== undefined) {
    throw misled('--mount-point is for --node', 'Name a cluster node with --node, too.');
  }
  if (into === undefined) {
    if (dryRun === true && node === undefined) return { kind: 'nowhere' };
    throw misled('no place is named', 'Name a directory, or say --into-group.');
  }
  if (node === undefined) return { kind: 'here', into };
  if (mountPoint === undefined || !into.startsWith('/') || owners === true) {
    throw misled(
      'a node needs an absolute directory and --mount-point',
      'Name with --mount-point the file system that has to hold the directory; the node gives owners by itself.',
    );
  }
  return { kind: 'node', host: hostOf(node, hosts), into, mountPoint };
}

/** @throws ConfigError for a name that no node of the configuration has. */
function hostOf(node: string, hosts: Hosts): Host {
  const host = hosts.get(node);
  if (host !== undefined) return host;
  const known = [...hosts.keys()].sort().join(', ');
  throw misled(`the configuration has no node ${node}`, `Name one of these with --node: ${known}.`);
}

function misled(message: string, remedy: string): ConfigError {
  return new ConfigError(message, { remedy });
}

interface Selected {
  readonly select: readonly string[] | undefined;
  readonly identities: readonly string[] | undefined;
}

async function intoGroup(session: Session, backup: StoredBackup, group: string, options: Selected): Promise<number> {
  const { config, context, reporter, signal, mayLeave, commandLine } = session;
  const settings = settingsOf(config, group);
  const names = Object.keys(config.nodes);
  const feeds = await Promise.all(names.map((name) => feedOf(config, name, reporter)));
  mayLeave(
    new EndedError('RESTORE_UNSETTLED', `a part of ${group} may be written over, and the lock of the restore be left`, {
      remedy: `Make sure on the node that holds the group that nothing of it writes any more, then run: ${commandLine('recover', group, '--break-lock')}`,
    }),
  );
  try {
    const report = await restoreIntoGroup(context, backup, group, {
      ...options,
      feeds: new Map(feeds.map((feed, index) => [names[index] ?? '', feed])),
      devices: Object.entries(settings.rawVolumes).map(([volume, lvcb]) => ({
        volume,
        device: deviceOf(volume),
        lvcb,
      })),
      timeoutSeconds: Math.ceil(settings.archiveHours * 3600),
      signal,
    });
    reporter.line(`on ${report.node}, which held ${group} before and after`);
    tell(session, backup, report.volumes);
    return exitCodes.OK.code;
  } finally {
    await Promise.all(feeds.map(({ transport }) => transport.close()));
  }
}

async function toNode(
  { config, reporter, signal, mayLeave }: Session,
  backup: StoredBackup,
  request: Selected & Extract<Place, { kind: 'node' }>,
): Promise<number> {
  const { host, into, mountPoint, select, identities } = request;
  const node = host.name;
  const { volumes: selected } = await previewRestore(backup, { select });
  const places = selected.map((volume): NodePlace => {
    const path = pathOf(request, volume, selected.length);
    return volume.mountPoint === null
      ? { volume: volume.volume, file: path, mountPoint }
      : { volume: volume.volume, directory: path, mountPoint };
  });
  const feed = await feedOf(config, node, reporter);
  mayLeave(
    new EndedError('INTERRUPTED', `${into} on ${node} may hold a part of the backup, and be written to still`, {
      remedy: `Make sure on ${node} that nothing of it writes any more, take it away, then restore again.`,
    }),
  );
  try {
    const timeoutSeconds = Math.ceil((config.groups[backup.manifest.group]?.archiveHours ?? 24) * 3600);
    const options = { select, identities, timeoutSeconds, signal };
    const { volumes } = await restoreToNode(backup, { ...feed, host }, places, options);
    tell({ reporter }, backup, volumes);
    return exitCodes.OK.code;
  } finally {
    await feed.transport.close();
  }
}

function tell(
  { reporter }: Pick<Session, 'reporter'>,
  backup: StoredBackup,
  volumes: readonly { volume: string; path: string; files: number; bytes: number }[],
): void {
  for (const { volume, path, files, bytes } of volumes)
    reporter.line(`${volume}: ${files} files, ${bytesText(bytes)} in ${path}`);
  reporter.result({ run: backup.manifest.run, volumes });
}

/** What comes, and where to: directories that lack are made, here and on a node. */
function previewText({ manifest }: StoredBackup, { volumes, unmatched }: RestorePreview, place: Place): string[] {
  return [
    `run ${manifest.run} of ${manifest.createdAt}, ${manifest.consistency.level} consistency`,
    ...(manifest.leftOut.length === 0
      ? []
      : [`  not in it, on purpose: ${manifest.leftOut.map(leftOutText).join(', ')}`]),
    ...volumes.flatMap((selected) => {
      const { volume, mountPoint, files, bytes, paths } = selected;
      const path = pathOf(place, selected, volumes.length);
      const on = place.kind === 'node' ? `${place.host.name}:` : '';
      return [
        `  ${volume} (${mountPoint ?? 'raw volume'}): ${files} files, ${bytesText(bytes)}${path === '' ? '' : `, to ${on}${path}`}`,
        ...paths.slice(0, 5).map((each) => `    ${each}`),
        ...(mountPoint === null ? rawText(manifest, volume, place, path) : []),
      ];
    }),
    ...unmatched.map((pattern) => `  nothing is called ${pattern}`),
  ];
}

/** What is written over under a running application is not what came, nor what the application has written. */
function atRestText(group: string, { volumes }: RestorePreview): string[] {
  const mounted = volumes.flatMap(({ mountPoint }) => mountPoint ?? []);
  const devices = volumes.filter(({ mountPoint }) => mountPoint === null).map(({ volume }) => deviceOf(volume));
  const some = (names: readonly string[], line: string) => (names.length === 0 ? [] : [line]);
  return [
    `this writes over ${group} where it is online: its application must be at rest until the restore has ended`,
    '  Stop it on the node that holds the group, as the stop script of its application server does, and let nothing start it meanwhile.',
    ...some(mounted, `  files of the same name give way in ${mounted.join(', ')}, which are mounted`),
    ...some(devices, `  overwritten as a whole: ${devices.join(', ')}; refused only while a program has it open`),
  ];
}

/** Of a raw volume there is a file at first: how it comes into its device. */
function rawText({ archives }: StoredBackup['manifest'], volume: string, place: Place, path: string): string[] {
  const record = archives.find((each) => each.volume === volume);
  if (record === undefined || place.kind === 'group' || path === '') return [];
  const command = deviceCommand(record, path, deviceOf(volume));
  return [`    a file; into the volume, where the group is and the application at rest: ${command}`];
}

/** Where a volume goes; the directory itself where there is but one file system and a node. */
function pathOf(place: Place, { volume, mountPoint }: SelectedVolume, count: number): string {
  switch (place.kind) {
    case 'here':
      return join(place.into, volume);
    case 'node':
      return mountPoint !== null && count === 1 ? place.into : `${place.into.replace(/\/+$/, '')}/${volume}`;
    case 'group':
      return mountPoint ?? deviceOf(volume);
    case 'nowhere':
      return '';
  }
}

/** The character device of a logical volume. */
function deviceOf(volume: string): string {
  return `/dev/r${volume}`;
}
