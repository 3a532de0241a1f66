export { type AuditPolicy, auditLevels, type Waiver } from './audit.ts';
export { type CollectOptions, collectLevels, collectTranscripts, gateProbes, levelsScript } from './collect.ts';
export type { Division } from './division.ts';
export type { Finding, FindingWaiver, Observation, Severity, Subject } from './finding.ts';
export { type GateVerdict, gate } from './gate.ts';
export { type MinimumLevel, minimumLevels } from './minimum-levels.ts';
export {
  type ClusterManagerLevels,
  parseClusterManagerLevels,
  parseClusterVersion,
  parseNodeVersions,
} from './readers/cluster-versions.ts';
export { type Consistency, parseConsistency } from './readers/consistency.ts';
export type { FilesetState } from './readers/fileset-state.ts';
export {
  type MachineLevels,
  type Microcode,
  parseIosLevel,
  parseMachineLevels,
  parseMicrocode,
  parseSystemFirmware,
} from './readers/firmware.ts';
export { type FixReport, type FixRow, parseFixReport, parseFixRows } from './readers/fixes.ts';
export { compareHaLevels, type HaLevel, parseHaLevel } from './readers/ha-level.ts';
export { type HistoryEvent, parseHistory } from './readers/history.ts';
export { type InterimFix, parseInterimFixes } from './readers/interim-fixes.ts';
export { type OffLevelFileset, parseKnownLevels, parseOffLevelFilesets } from './readers/known-levels.ts';
export { type ListedFileset, parseListing, type RowTable } from './readers/listing.ts';
export { compareOsLevels, type OsLevel, osLevelOf, parseOsLevel, parseOsVersion } from './readers/os-level.ts';
export { type FilesetPart, type PartTable, parseParts } from './readers/parts.ts';
export { type Reader, readerOf } from './readers/readers.ts';
export { compareRpmVersions, parseRpmPackages, type RpmPackage } from './readers/rpm.ts';
export { type PeerDomain, type PeerNode, parsePeerDomains, parsePeerNodes } from './readers/rsct.ts';
export { parseSoftwareTable, type TableRow } from './readers/software-table.ts';
export { compareVrmf, parseVrmf, type Vrmf } from './readers/vrmf.ts';
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
