export type { BackupContext, PlanningContext, Surroundings } from './context.ts';
export { BackupError, type BackupErrorCode } from './errors.ts';
export type { BackupEvent } from './events.ts';
export {
  type IncidentEntry,
  parseIncidentLog,
  type RecordedCall,
  type RecordedError,
} from './incident/incident-log.ts';
export { createRecorder, type Recorder, type RecorderOptions } from './incident/recorder.ts';
export { hostsOfLog, type Replay, type ReplayOptions, replay } from './incident/replay.ts';
export { type ProofPoint, type RunTimeline, type TimelineSpan, timelineOf } from './incident/timeline.ts';
export {
  type Approval,
  approvalJsonSchema,
  approvalSchema,
  approvePlan,
  checkApproval,
  loadApproval,
  loadPlan,
  saveApproval,
  savePlan,
} from './plan/approval.ts';
export { type LeftOut, leftOutText } from './plan/coverage.ts';
export type { RunEstimates } from './plan/estimates.ts';
export { deviceCommand } from './plan/guide.ts';
export { lockPhases } from './plan/lock-phases.ts';
export { planBackup } from './plan/plan.ts';
export { runPlanJsonSchema, runPlanSchema } from './plan/plan-schema.ts';
export { policySchema } from './plan/policy-schema.ts';
export { missingPrograms, programSteps, quiescePrograms } from './plan/quiesce-preflight.ts';
export { renderRunBook } from './plan/run-book.ts';
export { digestOf, type GroupPolicy, type LevelsGate, type PlannedArchive, type RunPlan } from './plan/run-plan.ts';
export type {
  ClusterPort,
  Confirmation,
  DataVolume,
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
  RawDevice,
  RecoveryPlan,
  Redundancy,
  Signalled,
  SplitPrice,
  SplitRequest,
  Standing,
  TakeoverNote,
} from './ports.ts';
export {
  type DrillDue,
  type Drilled,
  type DrillPolicy,
  type DrillRequest,
  drillBackup,
  drillsDue,
} from './restore/drill.ts';
export type { Feedable } from './restore/feed.ts';
export type { NodePlace } from './restore/place.ts';
export type { RecordedDrill } from './restore/record-drill.ts';
export {
  type Identified,
  type RestoredVolume,
  type RestoreOptions,
  type RestoreReport,
  restoreBackup,
  type VerifyReport,
  verifyBackup,
} from './restore/restore.ts';
export { RestoreError, type RestoreErrorCode } from './restore/restore-error.ts';
export { type GroupRestoreOptions, type GroupRestoreReport, restoreIntoGroup } from './restore/restore-group.ts';
export {
  type NodeRestored,
  type NodeRestoreOptions,
  type NodeTarget,
  restoreToNode,
} from './restore/restore-node.ts';
export { previewRestore, type RestorePreview, type SelectedVolume } from './restore/selection.ts';
export { type Verification, verifyAndRecord } from './restore/verify.ts';
export { asUser, db2, oracle, type Patience, postgresql, stopStart } from './run/applications.ts';
export type { ConsistencyLevel, VolumeConsistency } from './run/consistency.ts';
export type { ArchivesResult } from './run/effects.ts';
export { backupGroups, type GroupJob, type GroupResult, type GroupsOptions } from './run/groups.ts';
export type { Journal, JournalEntry } from './run/journal.ts';
export type { Holder, Liveness, LockReading, ReadableLock } from './run/lock.ts';
export { type RunProgress, runsWithoutEnd } from './run/progress.ts';
export {
  type QuiesceCommand,
  type QuiesceHooks,
  quiesceInOrder,
  quiesceSeconds,
  type SpelledCommand,
} from './run/quiesce.ts';
export { inspectGroup, isWaitedFor, type RecoverOptions, recoverGroup } from './run/recover.ts';
export type { RecoveryVerdict } from './run/recovery.ts';
export type { RunVerdict } from './run/reducer.ts';
export type { Rehearsal, RehearsedStep } from './run/rehearsal.ts';
export { type RunOptions, type RunReport, runBackup } from './run/run.ts';
export type { Sink } from './run/sink.ts';
export { type GroupStatus, groupStatus, type UnderWay } from './run/status.ts';
export { type GroupSurvey, standingCodes, surveyGroup } from './run/survey.ts';
export { type Trace, tracesText } from './run/traces.ts';
export { type GroupMetrics, measureGroup, renderMetrics, writeMetrics } from './schedule/metrics.ts';
export { type DeadMansPing, deadMansPing, type NoticeOptions, type NoticeResult, webhook } from './schedule/notices.ts';
export { deathsAmong } from './schedule/passed.ts';
export {
  judgeWindows,
  nextWindow,
  type Schedule,
  type Window,
  type WindowRecord,
  type WindowVerdict,
  windowsDue,
} from './schedule/schedule.ts';
export {
  keepSchedule,
  runWindow,
  type ScheduledJob,
  type ScheduleEvent,
  type WindowOptions,
  type WindowOutcome,
} from './schedule/scheduled.ts';
export { openWindowLog, type WindowLog } from './schedule/window-log.ts';
export { readSecret, type SecretOptions, type SecretReference } from './secret.ts';
export type { StoreAccess, StorePlace } from './store/access.ts';
export {
  type Exposure,
  type ExposureLimit,
  exposureByMonth,
  exposuresOf,
  type MonthlyExposure,
  refuseExposure,
} from './store/exposure.ts';
export { type BackupHealth, healthOf } from './store/health.ts';
export { type HistoryThresholds, historyThresholds, judgeAgainstHistory, type RunSample } from './store/history.ts';
export { type BackupListing, listBackups } from './store/listing.ts';
export { type ArchiveRecord, type Manifest, manifestSchema, type Suspicion } from './store/manifest.ts';
export type { BackupRecord, DrillRecord } from './store/records.ts';
export { listRecoveries, type RecoveryRecord, recoveryAfter, type StoredRecovery } from './store/recoveries.ts';
export { type Adoption, adoptBackups, resticVault } from './store/restic.ts';
export { ResticError, type ResticErrorCode, type ResticOptions } from './store/restic-program.ts';
export {
  planRetention,
  type RetainedBackup,
  type RetainedRecovery,
  type RetentionDecision,
  RetentionError,
  type RetentionPlan,
  type RetentionPolicy,
  type RetentionReport,
  retainBackups,
  retainedBackups,
} from './store/retention.ts';
export { openStore, type Store, type StoredBackup, type StoredRun, type StoreSurvey } from './store/store.ts';
export { formProblems, type StoredForm } from './store/stored-form.ts';
export { type RunPlace, type Vault, vaultOnDemand } from './store/vault.ts';
export { systemSurroundings } from './surroundings.ts';
