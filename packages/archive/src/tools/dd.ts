import { changes, reads, requireWhole } from '@splitmirror/host';
import { type ArchiveTool, absolutePath } from './tool.ts';
import { judgeArchive, type LineClass } from './verdict.ts';

/** A raw logical volume on the node. */
export interface DeviceSource {
  /** The character device, for instance `/dev/rsmk3f9q2201`. */
  readonly device: string;
  /**
   * The first 512 bytes: some databases use them for their own, others leave the logical volume control block there.
   * Which one it is has to be known: `keep` archives and restores them, `skip` does neither.
   */
  readonly lvcb: 'keep' | 'skip';
}

/** Bytes that the logical volume control block takes. */
const lvcbBytes = 512;

/** `dd` of a raw volume: every byte, allocated or not. No `conv=sync`, which would append bytes. */
export const dd: ArchiveTool<DeviceSource> & {
  /**
   * Bytes that the archive of a volume of so many bytes has.
   *
   * @throws RangeError for what no volume has.
   */
  archiveBytes(volumeBytes: number, lvcb: DeviceSource['lvcb']): number;
} = {
  name: 'dd',
  extension: '.dd',
  format: 'raw',
  limits: {
    largestFile: [],
    longestPath: null,
    fields: null,
    lineFeedInNames: true,
    incremental: null,
    omits: ['size, type and label of the volume'],
  },
  preflight: () => [],
  list: () => null,
  archiveBytes(volumeBytes, lvcb) {
    requireWhole('volumeBytes', volumeBytes, lvcbBytes);
    return stated(lvcb) === 'skip' ? volumeBytes - lvcbBytes : volumeBytes;
  },
  create: ({ device, lvcb }) =>
    stated(lvcb) === 'keep'
      ? reads('dd', `if=${absolutePath(device)}`, 'bs=1024k')
      : reads('dd', `if=${absolutePath(device)}`, `bs=${lvcbBytes}`, 'skip=1'),
  // Input comes from a pipe in pieces of any size: only separate sizes make dd gather whole blocks for the device.
  restore: ({ device, lvcb }, members) => {
    if (members !== undefined) throw new RangeError('a raw volume has no members');
    return stated(lvcb) === 'keep'
      ? changes('dd', `of=${absolutePath(device)}`, 'ibs=64k', 'obs=1024k')
      : changes('dd', `of=${absolutePath(device)}`, 'ibs=64k', `obs=${lvcbBytes}`, 'seek=1');
  },
  classify: classifyDdLine,
  judge: (evidence) => judgeArchive(evidence, classifyDdLine),
};

function stated(lvcb: unknown): DeviceSource['lvcb'] {
  if (lvcb === 'keep' || lvcb === 'skip') return lvcb;
  throw new RangeError(`lvcb must be stated as 'keep' or 'skip': it is ${JSON.stringify(lvcb)}`);
}

const harmless = [/^\d+\+\d+ records (?:in|out)\.?$/, /^\d+ bytes .*copied/];

function classifyDdLine(line: string): LineClass {
  if (harmless.some((pattern) => pattern.test(line))) return 'harmless';
  return /^dd: |\b0511-\d{3}\b/.test(line) ? 'fatal' : 'unknown';
}
