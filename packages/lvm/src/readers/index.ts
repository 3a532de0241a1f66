// Everything that reads what a command of LVM prints. A door of its own: a bundler that takes one reader takes nothing else.
export { type ControlBlock, parseControlBlock } from './control-blocks.ts';
export { type DescriptorArea, parseDescriptorArea } from './descriptor-areas.ts';
export {
  type Disk,
  type DiskRange,
  type DiskRow,
  type DiskVolume,
  parseDisk,
  parseDiskRanges,
  parseDisks,
  parseDiskVolumes,
} from './disks.ts';
export {
  type FileSystem,
  type FileSystemDetails,
  listFileSystems,
  parseFileSystems,
  parseFileSystemTable,
} from './file-systems.ts';
export { type FreeSpace, type FreeSpaceTable, parseFreeSpace } from './free-space.ts';
export { type CheckReport, readCheck } from './fsck.ts';
export type { AixLevel } from './level.ts';
export { type Message, type MessageClass, splitMessages } from './messages.ts';
export {
  type MirrorPool,
  type MirrorPools,
  parseMirrorPools,
  parseVolumePools,
  type VolumePools,
} from './mirror-pools.ts';
export { listMounts, type Mount, parseMounts } from './mounts.ts';
export { type OdmObject, parseOdmObjects } from './odm.ts';
export { type Reader, type ReaderOptions, readerOf } from './readers.ts';
export { parseStanzas, type Stanza } from './stanzas.ts';
export type { TitledTable } from './tables.ts';
export {
  describeGroup,
  type GroupDisk,
  listDisks,
  type MappedPartition,
  mapGroup,
  parseGroupDisks,
  parseGroupNames,
  parsePartitionMap,
  parseVolumeGroup,
  type VolumeGroup,
} from './volume-groups.ts';
export {
  describeVolume,
  type LogicalVolume,
  listVolumes,
  type PhysicalPartition,
  parseLogicalVolume,
  parseLogicalVolumes,
  parseVolumeDisks,
  parseVolumeMap,
  parseVolumes,
  type VolumeMap,
  type VolumeOnDisk,
  type VolumeRow,
} from './volumes.ts';
