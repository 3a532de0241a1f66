import { type LeftOut, leftOutText } from '@splitmirror/backup';
import { Document, isMap, type Scalar, type YAMLMap } from 'yaml';

/** What a cluster told about itself. */
export interface FoundCluster {
  readonly nodes: readonly FoundNode[];
  readonly groups: readonly FoundGroup[];
  readonly ssh: {
    readonly user: string;
    readonly identities: readonly string[];
    readonly knownHosts: readonly string[];
  };
  readonly store: string;
}

export interface FoundNode {
  /** Cluster node name, in the node's own words. */
  readonly name: string;
  readonly address: string;
  readonly port: number | null;
  readonly path: string | null;
}

export interface FoundGroup {
  readonly name: string;
  /** Volumes without a file system: each is to be saved, or left out, by name. */
  readonly rawVolumes: readonly string[];
  /** Volumes with a file system that the resource group does not have. */
  readonly strangers: readonly LeftOut[];
  /** Volumes with two copies: a split leaves one. */
  readonly twoCopies: readonly string[];
}

/** A commented configuration for a cluster, ready to be read and changed by a person. Pure. */
export function starterConfig({ nodes, groups, ssh, store }: FoundCluster): string {
  const document = new Document({
    nodes: Object.fromEntries(
      nodes.map(({ name, address, port, path }) => [
        name,
        { address, ...(port === null ? {} : { port }), ...(path === null ? {} : { path }) },
      ]),
    ),
    ssh: {
      user: ssh.user,
      identities: ssh.identities,
      ...(ssh.knownHosts.length === 0 ? {} : { knownHosts: ssh.knownHosts }),
    },
    store,
    groups: Object.fromEntries(groups.map(({ name }) => [name, { allowLastCopy: false }])),
  });
  document.commentBefore =
    ' splitmirror: made by "splitmirror init" from what the cluster told. Read it, then run "splitmirror check".\n "splitmirror schema" prints all settings.';
  const root = document.contents;
  if (!isMap(root)) throw new TypeError('a configuration is a map');
  comment(root, 'nodes', ' Cluster node names, as get_local_nodename prints them: not host names.');
  comment(root, 'ssh', ' How to log in. Host keys must be known already; an unknown one is refused.');
  comment(
    root,
    'store',
    ' Directory of the backups. Where a file system has to be mounted for it, name its mount point: without that file\n system nothing is then read as an empty store, and nothing is written to the disk below.\n storeMountPoint: /mount/point',
  );
  comment(root, 'groups', ' Resource groups that are backed up.');
  for (const { name, rawVolumes, strangers, twoCopies } of groups) {
    const group = root.getIn(['groups', name]);
    if (!isMap(group)) continue;
    comment(group, 'allowLastCopy', lastCopyHint(twoCopies));
    group.comment = [
      ...(rawVolumes.length === 0
        ? []
        : [
            ' Raw volumes: no backup is made until each stands here, or under leaveOut. "keep" or "skip" their first 512',
            " bytes: a control block of LVM, or the application's own.",
            ' rawVolumes:',
            ...rawVolumes.map((volume) => `   ${volume}: keep`),
          ]),
      ...(strangers.length === 0
        ? []
        : [
            ' The resource group does not have these file systems, which lie in its volume groups. Add them there, or leave',
            ` their volumes out: ${strangers.map(leftOutText).join(', ')}.`,
          ]),
      ...(rawVolumes.length + strangers.length === 0
        ? []
        : [
            ' Left out on purpose: every plan, manifest and report says so.',
            ` leaveOut: [${[...rawVolumes, ...strangers.map(({ volume }) => volume)].join(', ')}]`,
          ]),
      ' Without these, file systems are frozen and the application is not told.',
      ' quiesce:',
      '   suspend: [[/path/to/command, suspend]]',
      '   resume: [[/path/to/command, resume]]',
    ].join('\n');
  }
  return document.toString({ lineWidth: 110 });
}

function lastCopyHint(twoCopies: readonly string[]): string {
  return twoCopies.length === 0
    ? ' No volume has fewer than three copies.'
    : ` These have two copies, and would have one while a backup runs: ${twoCopies.join(', ')}.\n Say true to accept that.`;
}

function comment(map: YAMLMap, key: string, text: string): void {
  const pair = map.items.find((item) => (item.key as Scalar).value === key);
  if (pair !== undefined) (pair.key as Scalar).commentBefore = text;
}
