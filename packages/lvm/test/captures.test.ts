import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ParseError } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import * as lvm from '../src/index.ts';
import { readCells } from '../src/readers/cells.ts';
import { queryOf } from '../src/readers/readers.ts';

const captures = join(
  process.env.SPLITMIRROR_CAPTURES ?? join(import.meta.dirname, '../../../../shared/captures'),
  'lvm',
);

/** Hands out what a reader of ours found in the words of the captures' expectations. */
type Translation<T = never> = (found: T) => unknown;

const stateOf = (open: boolean | null, stale: boolean | null, word = 'open') => {
  if (open === null) return null;
  return stale === null ? (open ? word : 'closed') : `${open ? word : 'closed'}/${stale ? 'stale' : 'syncd'}`;
};

const queryWords: Readonly<Record<string, string>> = {
  'lv size': 'lvSizeBlocks512',
  'fs size': 'fsSizeBlocks512',
  'block size': 'blockSize',
  'sparse files': 'sparseFiles',
  'inline log': 'inlineLog',
  'inline log size': 'inlineLogSize',
  EAformat: 'eaFormat',
  Quota: 'quota',
  DMAPI: 'dmapi',
  VIX: 'vix',
  EFS: 'efs',
  ISNAPSHOT: 'isnapshot',
  MAXEXT: 'maxext',
  MountGuard: 'mountGuard',
  LFF: 'lff',
  'frag size': 'fragSize',
};

function typed(word: string): unknown {
  if (word === 'yes' || word === 'no') return word === 'yes';
  return /^\d+$/.test(word) ? Number(word) : word;
}

function fileSystem(row: lvm.FileSystem) {
  const query = Object.entries(row.details ?? {}).map(([key, value]) => [queryWords[key] ?? key, typed(value)]);
  return {
    ...row,
    name: row.device,
    sizeBlocks512: row.blocks512,
    auto: row.autoMount,
    ...(row.details === null ? {} : { query: Object.fromEntries(query) }),
  };
}

function messages(text: string) {
  return lvm.splitMessages(text).messages.map((message) => ({
    ...message,
    severity:
      { information: 'info', locked: 'warning', warning: 'warning', question: 'question' }[message.class as string] ??
      'fatal',
  }));
}

/** The message that the expectation is about: warnings may come before the one that tells the failure. */
function decisive(text: string, expected: unknown) {
  const all = messages(text);
  const { error } = expected as { error?: string };
  const found = all.find(({ number }) => number === error) ?? all[0];
  return { ...found, error: found?.number };
}

const volumeGroup: Translation<lvm.VolumeGroup> = (group) => {
  return {
    vg: group.name,
    vgid: group.identifier,
    vgState: group.state,
    permission: group.permission,
    activeHere: group.state === 'active' && group.permission === 'read/write',
    ppSize: group.partitionMegabytes,
    totalPPs: group.totalPartitions,
    freePPs: group.freePartitions,
    usedPPs: group.usedPartitions,
    maxLVs: group.maxVolumes,
    lvs: group.volumes,
    openLVs: group.openVolumes,
    quorum: group.quorum,
    quorumEnabled: group.quorumEnabled,
    totalPVs: group.totalDisks,
    activePVs: group.activeDisks,
    stalePVs: group.staleDisks,
    stalePPs: group.stalePartitions,
    vgDescriptors: group.descriptors,
    autoOn: group.autoOn,
    autoSync: group.autoSync,
    concurrent: group.concurrent,
    autoConcurrent: group.autoConcurrent,
    vgMode: group.mode,
    nodeId: group.nodeId,
    activeNodes: group.activeNodes,
    maxPPsPerVG: group.maxPartitions,
    maxPPsPerPV: group.maxPartitionsPerDisk,
    maxPVs: group.maxDisks,
    vgType: group.type,
    mirrorPoolStrict: group.mirrorPoolStrict,
    hotSpare: group.hotSpare,
    bbPolicy: group.badBlockPolicy,
    pvRestriction: group.diskRestriction,
    infiniteRetry: group.infiniteRetry,
    diskBlockSize: group.diskBlockBytes,
    criticalVG: group.critical,
    criticalPVs: group.criticalDisks,
    fsSyncOption: group.fsSyncOption,
    encryption: group.encryption,
  };
};

const logicalVolume: Translation<lvm.LogicalVolume> = (volume) => {
  return {
    lv: volume.name,
    vg: volume.group,
    lvid: volume.identifier,
    permission: volume.permission,
    vgState: volume.groupState,
    lvState: stateOf(volume.open, volume.stale, 'opened'),
    open: volume.open,
    stale: volume.stale,
    type: volume.type,
    writeVerify: volume.writeVerify,
    maxLPs: volume.maxLogicalPartitions,
    ppSize: volume.partitionMegabytes,
    copies: volume.copies,
    schedPolicy: volume.schedulePolicy,
    lps: volume.logicalPartitions,
    pps: volume.physicalPartitions,
    stalePPs: volume.stalePartitions,
    bbPolicy: volume.badBlockPolicy,
    interPolicy: volume.interPolicy,
    intraPolicy: volume.intraPolicy,
    relocatable: volume.relocatable,
    upperBound: volume.upperBound,
    mountPoint: volume.mountPoint,
    label: volume.label,
    mwc: volume.mirrorWriteConsistency,
    separatePV: volume.separateDisks,
    serializeIO: volume.serializeIo,
    infiniteRetry: volume.infiniteRetry,
    preferredRead: volume.preferredRead,
    deviceSubtype: volume.deviceSubtype,
    deviceUid: volume.deviceUid,
    deviceGid: volume.deviceGid,
    devicePermissions: volume.devicePermissions,
    mirrorPools: volume.mirrorPools,
    stripeWidth: volume.stripeWidth,
    stripeSize: volume.stripeSize,
    encryption: volume.encryption,
  };
};

const disk: Translation<lvm.Disk> = (found) => {
  return {
    pv: found.name,
    vg: found.group,
    pvid: found.identifier,
    vgid: found.groupIdentifier,
    pvState: found.state,
    stalePartitions: found.stalePartitions,
    allocatable: found.allocatable,
    ppSize: found.partitionMegabytes,
    logicalVolumes: found.volumes,
    totalPPs: found.totalPartitions,
    freePPs: found.freePartitions,
    usedPPs: found.usedPartitions,
    vgDescriptors: found.descriptors,
    hotSpare: found.hotSpare,
    maxRequest: found.maxRequest,
    freeDistribution: found.freeDistribution,
    usedDistribution: found.usedDistribution,
    mirrorPool: found.mirrorPool,
  };
};

const partitionMap: Translation<readonly lvm.MappedPartition[]> = (found) =>
  found.map((row) =>
    row.kind === 'free'
      ? { pv: row.disk, free: true, ppFirst: row.first, ppLast: row.last, pp: row.first }
      : {
          pv: row.disk,
          free: false,
          pp: row.physical,
          lv: row.volume,
          lp: row.logical,
          copy: row.copy,
          mirrored: row.mirrored,
          stale: row.stale,
        },
  );

const controlBlock: Translation<lvm.ControlBlock> = ({ tag, rows, stanza }) => {
  const words: Readonly<Record<string, string>> = {
    'machine id': 'machineId',
    'number lps': 'numberLps',
    'stripe width': 'stripeWidth',
    'stripe size in exponent': 'stripeSizeExponent',
    'time created': 'created',
    'time modified': 'modified',
  };
  const read = Object.entries(rows).map(([key, value]) => [
    words[key] ?? key,
    /^\d+$/.test(value) ? Number(value) : value,
  ]);
  return { ...Object.fromEntries(read), relocatable: rows.relocatable === 'y', tag, fs: stanza };
};

const mirrorPools: Translation<lvm.MirrorPools> = ({ group, superStrict, pools }) => ({
  vg: group,
  superStrict,
  pools,
});

/** By query; what is not here is compared as it is. */
const translations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  [
    'lslv -m NAME',
    ({ name, mountPoint, partitions }: ReturnType<typeof lvm.parseVolumeMap>) => {
      const map = partitions.map((row, index) => ({
        lp: index + 1,
        pps: row.map(({ disk: pv, number: pp }) => ({ pv, pp })),
      }));
      return { lv: name, mountPoint, map, copies: Math.max(...partitions.map((row) => row.length)) };
    },
  ],
  [
    'lslv -l NAME',
    ({ mountPoint, disks }: ReturnType<typeof lvm.parseVolumeDisks>) => {
      return {
        mountPoint,
        pvs: disks.map(({ disk: pv, inBandPercent, ...row }) => ({ ...row, pv, inBandPct: inBandPercent })),
      };
    },
  ],
  ['lslv NAME', logicalVolume],
  [
    'lsvg -l NAME',
    ({ group, volumes }: ReturnType<typeof lvm.parseVolumes>) => {
      const lvs = volumes.map((row) => ({
        ...row,
        lv: row.name,
        lps: row.logicalPartitions,
        pps: row.physicalPartitions,
        pvs: row.disks,
        state: stateOf(row.open, row.stale),
      }));
      return { vg: group, lvs };
    },
  ],
  [
    'lsvg -p NAME',
    ({ group, disks }: ReturnType<typeof lvm.parseGroupDisks>) => {
      const pvs = disks.map((row) => ({
        pv: row.name,
        state: row.state,
        pvState: row.state,
        totalPPs: row.totalPartitions,
        freePPs: row.freePartitions,
        freeDistribution: row.freeDistribution,
      }));
      return { vg: group, pvs };
    },
  ],
  ['lsvg -M NAME', partitionMap],
  ['lspv -M NAME', partitionMap],
  [
    'lsvg -m NAME',
    (found: ReturnType<typeof lvm.parseVolumePools>) => found.map(({ volume, pools }) => ({ lv: volume, pools })),
  ],
  ['lsvg NAME', volumeGroup],
  [
    'lspv -l NAME',
    ({ title, rows }: ReturnType<typeof lvm.parseDiskVolumes>) => {
      return {
        pv: title,
        lvs: rows.map((row) => ({ ...row, lv: row.name, lps: row.logicalPartitions, pps: row.physicalPartitions })),
      };
    },
  ],
  [
    'lspv -p NAME',
    ({ title, rows }: ReturnType<typeof lvm.parseDiskRanges>) => {
      const ranges = rows.map(({ volume, ...row }) => ({
        ...row,
        lv: volume?.name ?? null,
        type: volume?.type ?? null,
        mountPoint: volume?.mountPoint ?? null,
      }));
      return { pv: title, ranges };
    },
  ],
  [
    'lspv',
    (found: ReturnType<typeof lvm.parseDisks>) =>
      found.map((row) => ({ pv: row.name, pvid: row.identifier, vg: row.group, state: row.state })),
  ],
  ['lspv NAME', disk],
  ['lsmp NAME', mirrorPools],
  ['lsmp -A NAME', mirrorPools],
  ['lsfs -c', (found: ReturnType<typeof lvm.parseFileSystems>) => found.map(fileSystem)],
  ['lsfs', (found: ReturnType<typeof lvm.parseFileSystemTable>) => found.map(fileSystem)],
  [
    'filesystems',
    (found: ReturnType<typeof lvm.parseStanzas>) =>
      found.map(({ name, attributes }) => ({ mountPoint: name, attrs: attributes })),
  ],
  [
    'df',
    ({ unit, rows }: ReturnType<typeof lvm.parseFreeSpace>) => {
      const words = rows.map((row) => ({
        ...row,
        filesystem: row.fileSystem,
        available: row.free,
        capacityPct: row.usedPercent,
        ifree: row.inodesFree,
        usedPct: row.usedPercent,
        iused: row.inodesUsed,
        iusedPct: row.inodesUsedPercent,
      }));
      return { unit, rows: words };
    },
  ],
  ['getlvcb -AT NAME', controlBlock],
  [
    'fsck',
    ({ logRedo, ...report }: lvm.CheckReport) =>
      logRedo === null ? report : { ...report, logRedo: { ran: true, ...logRedo } },
  ],
  [
    'odmget',
    (found: ReturnType<typeof lvm.parseOdmObjects>) =>
      found.map((object) => ({ cls: object.class, ...object.attributes })),
  ],
]);

/** Captures of the folder that no reader of this package reads, and why. */
const others: readonly (readonly [command: RegExp, why: string])[] = [
  [/^errpt/, 'the error log is not asked'],
  [/^mount -a$/, 'we never mount all; its texts are quoted to the user as they are'],
];

/**
 * Expectations that contradict the capture's own text. The capture ends its lines with CR LF, and its expectation takes
 * the last word `yes` with the CR for a no; what is printed is yes.
 */
const disputed: Readonly<Record<string, (path: string, actual: unknown) => boolean>> = {
  'lsfs-c-aix61.txt': (path, actual) => path.endsWith('.accounting') && actual === true,
};

/** Every key that both sides have must agree; arrays must have the same length. */
function agree(actual: unknown, expected: unknown, path: string, isDisputed = (_: string, __: unknown) => false): void {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) throw new TypeError(`${path} is no array`);
    expect(actual.length, `${path}.length`).toBe(expected.length);
    expected.forEach((item, index) => {
      agree(actual[index], item, `${path}[${index}]`, isDisputed);
    });
  } else if (typeof expected === 'object' && expected !== null && typeof actual === 'object' && actual !== null) {
    for (const [key, value] of Object.entries(expected)) {
      if (key in actual) agree((actual as Record<string, unknown>)[key], value, `${path}.${key}`, isDisputed);
    }
  } else if (!isDisputed(path, actual)) {
    expect(actual, path).toEqual(expected);
  }
}

describe('captures of real systems', () => {
  if (!existsSync(captures)) {
    it.skip(`are not here: ${captures} does not exist`, () => {});
    return;
  }
  const names = readdirSync(captures).filter((name) => name.endsWith('.txt'));
  for (const name of names) {
    const [, commandLine = '', ...lines] = readFileSync(join(captures, name), 'utf8').split('\n');
    const [, command = '', remark = ''] = /^# command: (.*?)\s*(\(.*\))?$/.exec(commandLine) ?? [];
    const text = lines.join('\n').replaceAll(/<--.*$/gm, '');
    const { expected, grade } = JSON.parse(
      readFileSync(join(captures, name.replace(/\.txt$/, '.expected.json')), 'utf8'),
    ) as { expected: unknown; grade?: string };
    const read = lvm.readerOf(command);
    const words = translations.get(queryOf(command) ?? '') as Translation<unknown> | undefined;
    const { messages: said, rest } = lvm.splitMessages(text);

    if (said.length > 0 && rest.trim() === '') {
      it(`${name}: the message of ${command}`, () => {
        agree(decisive(text, expected), expected, command);
        agree({ messages: messages(text) }, expected, command);
        const [first] = said;
        agree({ variedOn: first?.class !== 'varied-off', retryable: first?.class === 'locked' }, expected, command);
      });
    } else if ((read === undefined || queryOf(command) === 'change') && said.length > 0) {
      it(`${name}: the messages among what ${command} printed`, () => {
        const { error, severity } = decisive(text, expected);
        agree({ messages: messages(text), error, severity }, expected, command);
      });
    } else if (read === undefined) {
      const why = others.find(([pattern]) => pattern.test(command))?.[1] ?? 'no query of this package';
      it.skip(`${name}: ${command}: ${why}`, () => {});
    } else if (/first rows|excerpt/.test(remark) && /^(lsvg|lslv|lspv) NAME$/.test(queryOf(command) ?? '')) {
      it(`${name}: rows of ${command}, which is refused as cut`, () => {
        expect(() => read(text)).toThrow(ParseError);
        const cells = readCells(command, text, ['VOLUME GROUP', 'VG STATE', 'VG PERMISSION']);
        const row = {
          vg: cells.read('VOLUME GROUP'),
          vgState: cells.read('VG STATE'),
          permission: cells.read('VG PERMISSION'),
        };
        agree(row, expected, command);
      });
    } else {
      it(`${name}: ${command}`, () => {
        try {
          const found = read(text);
          agree(words === undefined ? found : words(found), expected, command, disputed[name]);
          if (!Array.isArray(expected)) agree({ messages: said.map(({ number }) => number) }, expected, command);
        } catch (error) {
          // Damaged ones are evidence for words only; a strict reader may refuse their layout.
          if (!(error instanceof ParseError && (grade === 'layout-damaged' || grade === 'tokens-only'))) throw error;
        }
      });
    }
  }
});
