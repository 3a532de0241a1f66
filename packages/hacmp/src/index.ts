export { type ReleaseScriptOptions, releaseScript } from './node-scripts/copy-release.ts';
export {
  type CrontabScriptOptions,
  crontabExitCodes,
  crontabScript,
  type GroupEntries,
} from './node-scripts/crontab-switch.ts';
export { type EventScriptOptions, eventScript } from './node-scripts/event-marker.ts';
export { type GuardOptions, guardExitCodes, guardScript } from './node-scripts/guard.ts';
export type { FileFinding, Inspected, NodeInspection, RegistrationFinding } from './node-scripts/inspection.ts';
export { type InstallReport, install, uninstall, verifyInstallation } from './node-scripts/install.ts';
export {
  type EventsOptions,
  followedEvents,
  type GroupInstallation,
  type Installation,
  planEvents,
  planGuard,
  type Registration,
  releasePath,
  type ScriptFile,
} from './node-scripts/installation.ts';
export { type DebtScriptOptions, debtExitCodes, debtScript, type HookCommand } from './node-scripts/quiesce-debt.ts';
export * from './readers/index.ts';
export type { Signalled } from './survey/ask.ts';
export { type ClusterOptions, type Confirmation, type HaCluster, haCluster, type Standing } from './survey/cluster.ts';
export { type Answer, type NodeReport, reportOf, type StorageAnswer, surveyScript } from './survey/report.ts';
export type { Silence } from './survey/silence.ts';
export { survey } from './survey/survey.ts';
export type { Evidence, Problem, Refusal } from './verdict/finding.ts';
export type { Policy } from './verdict/policy.ts';
export { type ChangedFact, compareProofs, isIntact, type Proof, proofOf } from './verdict/proof.ts';
export { contentsOf, decide, type Known, type Verdict } from './verdict/verdict.ts';
