// Everything that reads what a command says of levels. A door of its own: a bundler that takes one reader takes nothing else.
export {
  type ClusterManagerLevels,
  parseClusterManagerLevels,
  parseClusterVersion,
  parseNodeVersions,
} from './cluster-versions.ts';
export { type Consistency, parseConsistency } from './consistency.ts';
export type { FilesetState } from './fileset-state.ts';
export {
  type MachineLevels,
  type Microcode,
  parseIosLevel,
  parseMachineLevels,
  parseMicrocode,
  parseSystemFirmware,
} from './firmware.ts';
export { type FixReport, type FixRow, parseFixReport, parseFixRows } from './fixes.ts';
export { compareHaLevels, type HaLevel, parseHaLevel } from './ha-level.ts';
export { type HistoryEvent, parseHistory } from './history.ts';
export { type InterimFix, parseInterimFixes } from './interim-fixes.ts';
export { type OffLevelFileset, parseKnownLevels, parseOffLevelFilesets } from './known-levels.ts';
export { type ListedFileset, parseListing, type RowTable } from './listing.ts';
export { compareOsLevels, type OsLevel, osLevelOf, parseOsLevel, parseOsVersion } from './os-level.ts';
export { type FilesetPart, type PartTable, parseParts } from './parts.ts';
export { type Reader, readerOf } from './readers.ts';
export { compareRpmVersions, parseRpmPackages, type RpmPackage } from './rpm.ts';
export { type PeerDomain, type PeerNode, parsePeerDomains, parsePeerNodes } from './rsct.ts';
export { parseSoftwareTable, type TableRow } from './software-table.ts';
export { compareVrmf, parseVrmf, type Vrmf } from './vrmf.ts';
