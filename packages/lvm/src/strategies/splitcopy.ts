import { changes } from '@splitmirror/host';
import { argvOf, type Court, findOutWhy, isDone, proveJoined, textOf, volumeAt } from '../court.ts';
import { copyPath, readCopyName, readOurPath } from '../picture/marks.ts';
import type { OurStanza } from '../picture/picture.ts';
import { removeChild } from '../plan/copies.ts';
import { mirror, ownData, since, vfsOf } from '../plan/needs.ts';
import {
  copyDirectory,
  type Explained,
  lateNews,
  mountTable,
  query,
  seconds,
  synchronisation,
  withdrawal,
} from '../plan/steps.ts';
import type { Need, Repair, Scene, Strategy } from '../plan/strategy.ts';
import { listFileSystems, parseFileSystems } from '../readers/file-systems.ts';
import { type Mount, parseMounts } from '../readers/mounts.ts';
import { unfinished } from './chlvcopy.ts';

const mountedJfs: Need = ({ volume }) => {
  const { name, fileSystem } = volume;
  if (vfsOf(volume) !== 'jfs') {
    return {
      code: 'NOT_JFS',
      message: `${name} holds no JFS; on JFS2 chfs ends with 0 and splits nothing`,
      seen: vfsOf(volume) ?? volume.type,
      remedy: 'Take splitlvcopy.',
    };
  }
  if (fileSystem?.mounted && !fileSystem.readOnly) return null;
  return {
    code: 'NOT_MOUNTED',
    message: `${fileSystem?.mountPoint ?? name} is not mounted for writing here: only then chfs can split a copy off`,
    seen: fileSystem?.readOnly ? 'mounted read-only' : 'not mounted',
    remedy: 'Take splitlvcopy, which splits an unmounted file system.',
  };
};

/** `jfs_syscall` refuses a log with one copy. */
const mirroredLog: Need = ({ volume: { fileSystem }, group }) => {
  if (fileSystem?.vfs !== 'jfs' || fileSystem.logDevice === null) return null; // told by another need
  const log = group.volumes.find(({ name }) => `/dev/${name}` === fileSystem.logDevice);
  return log?.type === 'jfslog' && log.copies > 1 && log.stalePartitions === 0
    ? null
    : {
        code: 'LOG_NOT_MIRRORED',
        message: `the log of ${fileSystem.mountPoint} is not mirrored in its volume group`,
        seen: log === undefined ? `${fileSystem.logDevice} is not in ${group.name}` : `COPIES: ${log.copies}`,
        remedy: `Mirror the log first, or unmount ${fileSystem.mountPoint} for the split and take splitlvcopy.`,
      };
};

/** chfs keeps the metadata of the copy consistent; what files hold is up to their application. */
const suspended: Need = ({ volume, suspended }) =>
  suspended || !volume.fileSystem?.mounted
    ? null
    : {
        code: 'APPLICATION_ACTIVE',
        message: `nothing brings the application on ${volume.fileSystem.mountPoint} to rest: a JFS cannot be frozen`,
        seen: 'no steps that suspend',
        remedy: 'Give steps that suspend the application.',
      };

/** `chfs -a splitcopy`: for a mounted JFS. AIX makes the device and the stanza, mounts it, and gives it back with rmfs. */
export const splitcopy: Strategy = {
  name: 'splitcopy',
  letter: 'c',
  takeover:
    'the mark of the split travels, mount and stanza do not; the new owner takes the mark back and brings the volume in step',
  freezes: false,
  slots: 1,
  needs: [ownData, mountedJfs, mirroredLog, ...mirror, suspended, since(403, 'AIX 4.3.3')],
  decide({ volume: { name, copies, map, logicalPartitions } }, { run }) {
    return {
      // AIX names the copy's volume; our path is what stays.
      copy: copyPath(run, name),
      taken: map.at(-1) ?? null,
      path: copyPath(run, name),
      copiesLeft: copies - 1,
      partitionsToResync: logicalPartitions,
    };
  },
  prepare: (splits) => splits.map(({ run, volume }) => copyDirectory(run, volume)),
  split: (splits) =>
    splits.map((split): Explained => {
      const { volume, path, taken, copies, fileSystem } = split;
      const attributes = ['-a', `splitcopy=${path}`, '-a', `copy=${taken?.copy ?? copies}`];
      return [
        {
          id: `split:${volume}`,
          run: changes('chfs', ...attributes, fileSystem?.mountPoint ?? ''),
          timeoutSeconds: seconds.split,
        },
        `Split copy ${taken?.copy} off ${volume} and mount it on ${path}; from now on ${volume} counts as stale.${lateNews(split)}`,
      ];
    }),
  secure: (splits) => [...splits.flatMap(({ volume, path }) => checks(volume, path)), mountTable()],
  expose: (splits) => splits.flatMap(({ volume, path }) => checks(volume, path)),
  withdraw: (splits) => splits.flatMap(({ run, volume }) => withdrawal(run, volume)),
  rejoin: (splits) => splits.map(({ volume, path }) => removal(volume, path)),
  settle: (splits, resync) => [
    ...splits.map(({ volume }) => synchronisation(volume, resync)),
    ...splits.map(({ volume }) => query(`check:${volume}`, volume, `See that ${volume} is in step again.`)),
  ],
  takes: isSplit,
  failures: {
    chfs: ['SPLIT_FAILED', '"A parameter that is not valid" is said of a log that is not mirrored.'],
    rmfs: ['MERGE_FAILED', 'See with "fuser -cu" who still reads the copy.'],
  },
  proofs: [prove],
  recover,
};

function isSplit([program, , attribute]: readonly string[]): boolean {
  return program === 'chfs' && attribute?.startsWith('splitcopy=') === true;
}

function checks(volume: string, path: string): Explained[] {
  return [
    query(`check:${volume}`, volume, `See that ${volume} still counts all its copies.`),
    [
      // Without the stanza it fails: the proof says what that means.
      { id: `stanza:${volume}`, run: listFileSystems(path), timeoutSeconds: seconds.query, onFailure: 'continue' },
      `See which device chfs made for ${path}.`,
    ],
  ];
}

/** Of a split copy rmfs removes device, stanza and mark, not the data: LVM begins to bring the copies in step. */
function removal(volume: string, path: string): Explained {
  return [
    { id: `remove:${volume}`, run: changes('rmfs', path), timeoutSeconds: seconds.remove },
    `Take back the split of ${volume}: its device and its stanza ${path} go.`,
  ];
}

function prove(court: Court): void {
  for (const step of court.phase.script.steps) {
    const [program, , path] = argvOf(step);
    const mark = readOurPath(path ?? '');
    if (program === 'lsfs' && mark?.kind === 'copy' && step.id.startsWith('stanza:')) {
      proveMounted(court, step.id, mark.volume, path ?? '');
    }
    const joined = readOurPath(argvOf(step)[1] ?? '');
    if (program === 'rmfs' && joined?.kind === 'copy' && step.id === `remove:${joined.volume}`) {
      proveJoined(court, joined.volume);
    }
  }
}

/** chfs may well end with 0 and have split nothing: the mount table tells. */
function proveMounted(court: Court, id: string, volume: string, path: string): void {
  const { results, facts, refuse } = court;
  if (!isDone(results.get(id))) {
    refuse('SPLIT_NOT_PROVED', `chfs made no stanza ${path}: it has split nothing`, 'no stanza', findOutWhy);
    return;
  }
  const [stanza] = parseFileSystems(textOf(results.get(id)));
  const mounts = parseMounts(textOf(results.get('mounts')));
  const there = mounts.filter(({ mountPoint }) => mountPoint === path);
  const [mount] = there;
  const seen = there.map(describeMount).join('; ') || 'nothing mounted';
  if (mount === undefined || there.length > 1 || mount.node !== null || mount.device !== stanza?.device) {
    refuse('SPLIT_NOT_PROVED', `${path} is not the split copy of ${volume}`, seen, findOutWhy);
  } else if (mount.device === `/dev/${volume}` || !mount.readOnly || mount.vfs !== 'jfs') {
    refuse('MOUNT_NOT_PROVED', `what is mounted on ${path} is no read-only copy`, seen, findOutWhy);
  } else {
    facts[`device of ${path}`] = mount.device;
    facts[`identifier of ${volume}`] = volumeAt(court, `check:${volume}`)?.identifier ?? '';
  }
}

function describeMount({ device, vfs, options }: Mount): string {
  return `${device} ${vfs} ${options.join(',')}`;
}

/** With a stanza `rmfs`, with a child only `rmlv -B`, with neither `chlvcopy -B` in case LVM's mark is there. */
function recover(scene: Scene): Repair[] {
  const byStanza = scene.picture.stanzas.flatMap((stanza) => withStanza(stanza, scene));
  const done = new Set(byStanza.flatMap((repair) => (repair.kind === 'possible' ? repair.volumes : [])));
  const kept = new Set(byStanza.flatMap((repair) => (repair.kind === 'refused' ? repair.runs : [])));
  const byLabel = scene.volumes.flatMap((child): Repair[] => {
    const path = readOurPath(child.label ?? '');
    if (!child.child || path?.kind !== 'copy' || readCopyName(child.name) !== null) return [];
    if (done.has(path.volume) || kept.has(path.run)) return [];
    done.add(path.volume);
    const step: Explained = [
      { id: `remove:${child.name}`, run: removeChild(child.name), timeoutSeconds: seconds.remove },
      `Remove ${child.name}, which bears our label, and the mark of its split.`,
    ];
    return [wayBack(path, [], [step], settling(path.volume, scene))];
  });
  const rest = {
    ...scene,
    marks: scene.marks.filter(({ volume, run }) => !done.has(volume) && !kept.has(run)),
    intended: scene.intended.filter(({ volume }) => !done.has(volume)),
  };
  return [...byStanza, ...byLabel, ...unfinished(rest, 'c', 'splitcopy')];
}

function withStanza({ mountPoint, device }: OurStanza, scene: Scene): Repair[] {
  const path = readOurPath(mountPoint);
  if (path?.kind !== 'copy') return [];
  const child = scene.volumes.find(({ name }) => `/dev/${name}` === device);
  // Without the volume only the stanza is left; a copy that bears our name is no child of chfs.
  if (child === undefined || readCopyName(child.name) !== null) return [];
  // What rmfs may be let loose on has no partitions of its own.
  if (child.child && child.name !== path.volume) {
    return [wayBack(path, [mountPoint], [removal(path.volume, mountPoint)], settling(path.volume, scene))];
  }
  const message = `the stanza ${mountPoint} names no split copy, and rmfs would remove the volume that it names`;
  scene.refuse('STANZA_NOT_OURS', message, device, 'Remove the stanza by hand, then recover.');
  return [{ kind: 'refused', runs: [path.run] }];
}

function wayBack(
  { run, volume }: { readonly run: string; readonly volume: string },
  removes: readonly string[],
  rejoins: readonly Explained[],
  settles: readonly Explained[],
): Repair {
  return { kind: 'possible', runs: [run], volumes: [volume], removes, thaws: [], rejoins, settles };
}

function settling(volume: string, { volumes, resync }: Scene): Explained[] {
  return volumes.some(({ name }) => name === volume)
    ? [synchronisation(volume, resync), query(`check:${volume}`, volume, `See that ${volume} is in step again.`)]
    : [];
}
