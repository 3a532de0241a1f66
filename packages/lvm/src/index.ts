export { type ControlBlock, parseControlBlock } from './control-blocks.ts';
export type { Resync } from './copies.ts';
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
export { MirrorError, type MirrorFailure } from './errors.ts';
export type { Extent } from './extents.ts';
export {
  type FileSystem,
  type FileSystemDetails,
  listFileSystems,
  parseFileSystems,
  parseFileSystemTable,
} from './file-systems.ts';
export { type FreeSpace, type FreeSpaceTable, parseFreeSpace } from './free-space.ts';
export { type CheckReport, readCheck } from './fsck.ts';
export { judge } from './judge.ts';
export type { AixLevel } from './level.ts';
export { look, lookScript, readLook } from './look.ts';
export { type CopyName, type OurPath, readCopyName, readOurPath } from './marks.ts';
export { type Message, type MessageClass, splitMessages } from './messages.ts';
export { type AixMirror, aixMirror, type MirrorOptions } from './mirror.ts';
export { type MirrorPools, parseMirrorPools, parseVolumePools, type VolumePools } from './mirror-pools.ts';
export { listMounts, type Mount, parseMounts } from './mounts.ts';
export { type OdmObject, parseOdmObjects } from './odm.ts';
export type { ActiveGroup, CopyView, FileSystemView, GroupView, LvmPicture, OurStanza, VolumeView } from './picture.ts';
export { planSplit } from './plan.ts';
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
export { type Reader, readerOf } from './readers.ts';
export { planRecovery } from './recovery.ts';
export { readRedundancy, redundancyScript } from './redundancy.ts';
export { parseStanzas, type Stanza } from './stanzas.ts';
export { type StrategyAdvice, weighStrategies } from './strategies.ts';
export type { Objection, Settings, StrategyName } from './strategy.ts';
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
