export {
  type ArchiveFormat,
  type ArchiveSummary,
  type CatalogueEntry,
  CatalogueError,
  type CatalogueItem,
  type CatalogueOpening,
  type DigestKind,
  readCatalogue,
} from './catalogue/catalogue.ts';
export { type CatalogueDifference, diffCatalogues } from './catalogue/diff.ts';
export { createNameCheck, type NameCheck, type NameFindings } from './catalogue/name-check.ts';
export { verifyArchive } from './catalogue/verify.ts';
export type { Entry, EntryType } from './entry.ts';
export { ArchiveError, type ArchiveFault } from './errors.ts';
export { ExtractError, type ExtractFault } from './extract/errors.ts';
export { type Extraction, type ExtractOptions, extract } from './extract/extract.ts';
export { extractEntry, readEntry } from './extract/extract-entry.ts';
export { displayName, nameBytes, nameOf } from './names.ts';
export { detectFormat } from './readers/detect.ts';
export {
  bestCompression,
  type Compression,
  compress,
  compressionExtension,
  decompress,
  type StoredDigest,
  StoredError,
} from './stored.ts';
export { backup, backupByInode, type InodeSource } from './tools/backup.ts';
export { cpio, type ListedSource } from './tools/cpio.ts';
export { type DeviceSource, dd } from './tools/dd.ts';
export { compareNames, listNames, type NameComparison, readNames } from './tools/name-list.ts';
export { type PreflightCheck, type PreflightProblem, preflightProblems } from './tools/preflight.ts';
export { type DirectorySource, type TarSource, tar } from './tools/tar.ts';
export type { ArchiveTool, ToolLimits } from './tools/tool.ts';
export type { AcceptableCode, Evidence, LineClass, Verdict, VerdictReason } from './tools/verdict.ts';
export { type ArchiveWatch, type WatchOptions, watchArchive } from './watch.ts';
