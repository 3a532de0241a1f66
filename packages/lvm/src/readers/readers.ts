import { parseControlBlock } from './control-blocks.ts';
import { parseDescriptorArea } from './descriptor-areas.ts';
import { parseDisk, parseDiskRanges, parseDisks, parseDiskVolumes } from './disks.ts';
import { parseFileSystems, parseFileSystemTable } from './file-systems.ts';
import { parseFreeSpace } from './free-space.ts';
import { readCheck } from './fsck.ts';
import { splitMessages } from './messages.ts';
import { parseMirrorPools, parseVolumePools } from './mirror-pools.ts';
import { parseMounts } from './mounts.ts';
import { parseOdmObjects } from './odm.ts';
import { parseSnapshots } from './snapshots.ts';
import { parseStanzas } from './stanzas.ts';
import { parseGroupDisks, parseGroupNames, parsePartitionMap, parseVolumeGroup } from './volume-groups.ts';
import { parseLogicalVolume, parseVolumeDisks, parseVolumeMap, parseVolumes } from './volumes.ts';

/** Reads the output of a command; throws `ParseError` and nothing else. */
export type Reader = (text: string) => unknown;

/**
 * Finds the reader for a command by its name and options, as typed: `lsvg -l datavg`, `/usr/sbin/lslv -m datalv`,
 * `cat /etc/filesystems`. A query of LVM that printed nothing but messages is read as `{ messages }`.
 *
 * @returns `undefined` for a command, or a form of one, whose output nobody has documented well enough.
 */
export function readerOf(command: string): Reader | undefined {
  return readers.find(({ shape }) => shape.test(normal(command)))?.read;
}

/** The command without its directory, and with single blanks. */
function normal(command: string): string {
  return command
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/^\S*\//, '');
}

/** LVM prints messages before its table, or in place of it; the status of the command is not known here. */
function query(read: Reader): Reader {
  return (text) => {
    const { messages, rest } = splitMessages(text);
    return messages.length > 0 && rest.trim() === '' ? { messages } : read(rest);
  };
}

/** The first that fits is taken, so the narrower form comes before the wider. `-L` asks without waiting for a lock. */
const readers: readonly { readonly shape: RegExp; readonly read: Reader }[] = [
  { shape: /^lslv (-L )?-m (-L )?\S+$/, read: query(parseVolumeMap) },
  { shape: /^lslv (-L )?-l (-L )?\S+$/, read: query(parseVolumeDisks) },
  { shape: /^lslv (-L )?[^-]\S*$/, read: query(parseLogicalVolume) },
  { shape: /^lsvg (-L )?-l (-L )?\S+$/, read: query(parseVolumes) },
  { shape: /^lsvg (-L )?-p (-L )?\S+$/, read: query(parseGroupDisks) },
  { shape: /^(lsvg|lspv) (-L )?-M (-L )?\S+$/, read: query(parsePartitionMap) },
  { shape: /^lsvg (-L )?-m (-L )?\S+$/, read: query(parseVolumePools) },
  { shape: /^lsvg( -o)?$/, read: query(parseGroupNames) },
  { shape: /^lsvg (-L )?[^-]\S*$/, read: query(parseVolumeGroup) },
  { shape: /^lspv (-L )?-l (-L )?\S+$/, read: query(parseDiskVolumes) },
  { shape: /^lspv (-L )?-p (-L )?\S+$/, read: query(parseDiskRanges) },
  { shape: /^lspv( \(.*)?$/, read: query(parseDisks) },
  { shape: /^lspv (-L )?[^-]\S*$/, read: query(parseDisk) },
  { shape: /^lsmp (-\S+ )*\S+$/, read: query(parseMirrorPools) },
  { shape: /^lsfs (-\w*c\w*)\b/, read: parseFileSystems },
  { shape: /^lsfs\b/, read: parseFileSystemTable },
  { shape: /^mount( \(.*)?$/, read: parseMounts },
  // The file itself has lost its directory.
  { shape: /^(cat \/etc\/)?filesystems\b/, read: parseStanzas },
  { shape: /^df\b/, read: parseFreeSpace },
  { shape: /^getlvcb -(AT|TA) \S+$/, read: parseControlBlock },
  { shape: /^lqueryvg -Atp \S+$/, read: parseDescriptorArea },
  { shape: /^odmget\b/, read: parseOdmObjects },
  { shape: /^fsck\b/, read: readCheck },
  { shape: /^snapshot -q\b/, read: parseSnapshots },
];
