export { backup, backupByInode, type InodeSource } from './backup.ts';
export {
  type ArchiveFormat,
  type ArchiveSummary,
  type CatalogueEntry,
  CatalogueError,
  type CatalogueItem,
  type CatalogueOpening,
  type DigestKind,
  readCatalogue,
} from './catalogue.ts';
export { cpio, type ListedSource } from './cpio.ts';
export { type DeviceSource, dd } from './dd.ts';
export { detectFormat } from './detect.ts';
export { type CatalogueDifference, diffCatalogues } from './diff.ts';
export type { Entry, EntryType } from './entry.ts';
export { ArchiveError, type ArchiveFault } from './errors.ts';
export { ExtractError, type ExtractFault, type Extraction, type ExtractOptions, extract } from './extract.ts';
export { extractEntry, readEntry } from './extract-entry.ts';
export { createNameCheck, type NameCheck, type NameFindings } from './name-check.ts';
export { compareNames, listNames, type NameComparison, readNames } from './name-list.ts';
export { displayName, nameBytes, nameOf } from './names.ts';
export { type PreflightCheck, type PreflightProblem, preflightProblems } from './preflight.ts';
export {
  bestCompression,
  type Compression,
  compress,
  compressionExtension,
  decompress,
  type StoredDigest,
  StoredError,
} from './stored.ts';
export { type DirectorySource, tar } from './tar.ts';
export type { ArchiveTool, ToolLimits } from './tool.ts';
export type { AcceptableCode, Evidence, LineClass, Verdict, VerdictReason } from './verdict.ts';
export { verifyArchive } from './verify.ts';
export { type ArchiveWatch, type WatchOptions, watchArchive } from './watch.ts';
