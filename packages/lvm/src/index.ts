export { MirrorError, type MirrorFailure } from './errors.ts';
export { judge } from './judge.ts';
export { type AixMirror, aixMirror, type MirrorOptions } from './mirror.ts';
export type { Extent } from './picture/extents.ts';
export { look, lookScript, readLook } from './picture/look.ts';
export {
  type CopyName,
  type OurPath,
  readCopyName,
  readOurPath,
  type SplitMark,
  type StrategyLetter,
} from './picture/marks.ts';
export type {
  ActiveGroup,
  CopyView,
  DataVolume,
  FileSystemView,
  GroupView,
  LvmPicture,
  OurStanza,
  RawDevice,
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
export * from './readers/index.ts';
export type { SnapshotList } from './readers/snapshots.ts';
export { planRecovery } from './recovery.ts';
export { readRedundancy, redundancyScript } from './redundancy.ts';
