export { type AuditPolicy, auditLevels, type Waiver } from './audit.ts';
export { type CollectOptions, collectLevels, collectTranscripts, gateProbes, levelsScript } from './collect.ts';
export type { Division } from './division.ts';
export type { Finding, FindingWaiver, Observation, Severity, Subject } from './finding.ts';
export { type GateVerdict, gate } from './gate.ts';
export { type MinimumLevel, minimumLevels } from './minimum-levels.ts';
export * from './readers/index.ts';
export { planRemedy, type RemedyPhase, type RemedyStep, renderRemedy } from './remedy.ts';
export { renderCsv } from './reports/csv.ts';
export { renderHtml } from './reports/html.ts';
export { renderJson } from './reports/json.ts';
export { renderJUnit } from './reports/junit.ts';
export { renderMarkdown } from './reports/markdown.ts';
export type { MatrixRows } from './reports/matrix.ts';
export { renderPrometheus } from './reports/prometheus.ts';
export { renderSarif } from './reports/sarif.ts';
export { renderTable } from './reports/table.ts';
export { type RuleId, rules } from './rules.ts';
export {
  type Answer,
  listingTranscript,
  type NodeLevels,
  type NodeTranscript,
  type ProbeName,
  type Reading,
  type Readings,
  readTranscripts,
  type Snapshot,
} from './snapshot.ts';
