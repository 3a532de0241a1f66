export { asUser, db2, oracle, postgresql, stopStart } from './applications.ts';
export {
  type Approval,
  approvePlan,
  checkApproval,
  loadApproval,
  loadPlan,
  saveApproval,
  savePlan,
} from './approval.ts';
export type { ConsistencyLevel, VolumeConsistency } from './consistency.ts';
export type { BackupContext, PlanningContext, Surroundings } from './context.ts';
export { type DrillDue, type DrillPolicy, type DrillRequest, drillBackup, drillsDue } from './drill.ts';
export { BackupError, type BackupErrorCode } from './errors.ts';
export type { RunEstimates } from './estimates.ts';
export type { BackupEvent } from './events.ts';
export {
  type Exposure,
  type ExposureLimit,
  exposureByMonth,
  exposuresOf,
  type MonthlyExposure,
  refuseExposure,
} from './exposure.ts';
export type { Feedable } from './feed.ts';
export { backupGroups, type GroupJob, type GroupResult, type GroupsOptions } from './groups.ts';
export { historyThresholds, judgeAgainstHistory, type RunSample } from './history.ts';
export { type IncidentEntry, parseIncidentLog, type RecordedCall, type RecordedError } from './incident-log.ts';
export { type BackupListing, listBackups } from './listing.ts';
export type { Holder, LockReading } from './lock.ts';
export { type ArchiveRecord, type Manifest, manifestSchema, type Suspicion } from './manifest.ts';
export { type GroupMetrics, renderMetrics, writeMetrics } from './metrics.ts';
export { type DeadMansPing, deadMansPing, type NoticeResult, type PingOptions } from './notices.ts';
export { planBackup } from './plan.ts';
export { runPlanJsonSchema, runPlanSchema } from './plan-schema.ts';
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
export { debtGuard, type QuiesceCommand, type QuiesceHooks, quiesceInOrder } from './quiesce.ts';
export { createRecorder, type Recorder, type RecorderOptions } from './recorder.ts';
export type { BackupRecord, DrillRecord } from './records.ts';
export { inspectGroup, type RecoverOptions, recoverGroup } from './recover.ts';
export type { RecoveryVerdict } from './recovery.ts';
export type { RunVerdict } from './reducer.ts';
export { hostsOfLog, type Replay, type ReplayOptions, replay } from './replay.ts';
export { adoptBackups, resticVault } from './restic.ts';
export { ResticError, type ResticErrorCode, type ResticOptions } from './restic-program.ts';
export {
  type RestoredVolume,
  type RestoreOptions,
  type RestoreReport,
  restoreBackup,
  type VerifyReport,
  verifyBackup,
} from './restore.ts';
export { RestoreError, type RestoreErrorCode } from './restore-error.ts';
export { type GroupRestoreOptions, type GroupRestoreReport, restoreIntoGroup } from './restore-group.ts';
export {
  type NodePlace,
  type NodeRestored,
  type NodeRestoreOptions,
  type NodeTarget,
  restoreToNode,
} from './restore-node.ts';
export {
  planRetention,
  type RetainedBackup,
  type RetentionDecision,
  RetentionError,
  type RetentionPlan,
  type RetentionPolicy,
  type RetentionReport,
  retainBackups,
  retainedBackups,
} from './retention.ts';
export { type RunOptions, type RunReport, runBackup } from './run.ts';
export { renderRunBook } from './run-book.ts';
export { digestOf, type GroupPolicy, type LevelsGate, type PlannedArchive, type RunPlan } from './run-plan.ts';
export {
  judgeWindows,
  nextWindow,
  type Schedule,
  type Window,
  type WindowRecord,
  type WindowVerdict,
  windowsDue,
} from './schedule.ts';
export {
  keepSchedule,
  runWindow,
  type ScheduledJob,
  type ScheduleEvent,
  type WindowOptions,
  type WindowOutcome,
} from './scheduled.ts';
export { readSecret, type SecretReference } from './secret.ts';
export { previewRestore, type RestorePreview, type SelectedVolume } from './selection.ts';
export { openStore, type Store, type StoredBackup, type StoreSurvey } from './store.ts';
export type { StoredForm } from './stored-form.ts';
export { systemSurroundings } from './surroundings.ts';
export { type GroupSurvey, standingCodes, surveyGroup } from './survey.ts';
export { type ProofPoint, type RunTimeline, type TimelineSpan, timelineOf } from './timeline.ts';
export type { Vault } from './vault.ts';
export { openWindowLog, type WindowLog } from './window-log.ts';
