export type { BackupContext, Surroundings } from './context.ts';
export { BackupError, type BackupErrorCode } from './errors.ts';
export type { BackupEvent } from './events.ts';
export type { Holder, LockReading } from './lock.ts';
export { type ArchiveRecord, type Manifest, manifestSchema } from './manifest.ts';
export { planBackup } from './plan.ts';
export type {
  ClusterPort,
  Confirmation,
  Evidence,
  GroupContents,
  IntendedCopies,
  Leftover,
  MirrorPlan,
  MirrorPort,
  Phase,
  PhaseOutcome,
  Picture,
  PlannedVolume,
  Problem,
  Proof,
  RecoveryPlan,
  Redundancy,
  SplitRequest,
  Standing,
} from './ports.ts';
export type { QuiesceHooks } from './quiesce.ts';
export { inspectGroup, type RecoverOptions, recoverGroup } from './recover.ts';
export type { RecoveryVerdict } from './recovery.ts';
export type { RunVerdict } from './reducer.ts';
export { type RestoreReport, restoreBackup, verifyBackup } from './restore.ts';
export { type RunOptions, type RunReport, runBackup } from './run.ts';
export { digestOf, type GroupPolicy, type LevelsGate, type PlannedArchive, type RunPlan } from './run-plan.ts';
export { openStore, type Store, type StoredBackup } from './store.ts';
export { systemSurroundings } from './surroundings.ts';
export { type GroupSurvey, standingCodes, surveyGroup } from './survey.ts';
