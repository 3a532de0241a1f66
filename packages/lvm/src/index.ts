export { MirrorError, type MirrorFailure } from './errors.ts';
export { judge } from './judge.ts';
export { type AixMirror, aixMirror, type MirrorOptions } from './mirror.ts';
export type { Extent } from './picture/extents.ts';
export { look, lookScript, readLook } from './picture/look.ts';
export { type CopyName, type OurPath, readCopyName, readOurPath } from './picture/marks.ts';
export type {
  ActiveGroup,
  CopyView,
  FileSystemView,
  GroupView,
  LvmPicture,
  OurStanza,
  VolumeView,
} from './picture/picture.ts';
export type { Resync } from './plan/copies.ts';
export { planSplit } from './plan/plan.ts';
export { type StrategyAdvice, weighStrategies } from './plan/strategies.ts';
export type { Objection, Settings, StrategyName } from './plan/strategy.ts';
export type {
  GroupContents,
  IntendedCopies,
  Leftover,
  MirrorPlan,
  Phase,
  PhaseOutcome,
  PlannedVolume,
  Problem,
  RecoveryPlan,
  Redundancy,
  SplitPrice,
  SplitRequest,
  TakeoverNote,
} from './port.ts';
export { type ControlBlock, parseControlBlock } from './readers/control-blocks.ts';
export { type DescriptorArea, parseDescriptorArea } from './readers/descriptor-areas.ts';
export {
  type Disk,
  type DiskRange,
  type DiskRow,
  type DiskVolume,
  parseDisk,
  parseDiskRanges,
  parseDisks,
  parseDiskVolumes,
} from './readers/disks.ts';
export {
  type FileSystem,
  type FileSystemDetails,
  listFileSystems,
  parseFileSystems,
  parseFileSystemTable,
} from './readers/file-systems.ts';
export { type FreeSpace, type FreeSpaceTable, parseFreeSpace } from './readers/free-space.ts';
export { type CheckReport, readCheck } from './readers/fsck.ts';
export type { AixLevel } from './readers/level.ts';
export { type Message, type MessageClass, splitMessages } from './readers/messages.ts';
export { type MirrorPools, parseMirrorPools, parseVolumePools, type VolumePools } from './readers/mirror-pools.ts';
export { listMounts, type Mount, parseMounts } from './readers/mounts.ts';
export { type OdmObject, parseOdmObjects } from './readers/odm.ts';
export { type Reader, readerOf } from './readers/readers.ts';
export { parseStanzas, type Stanza } from './readers/stanzas.ts';
export type { TitledTable } from './readers/tables.ts';
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
} from './readers/volume-groups.ts';
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
} from './readers/volumes.ts';
export { planRecovery } from './recovery.ts';
export { readRedundancy, redundancyScript } from './redundancy.ts';
