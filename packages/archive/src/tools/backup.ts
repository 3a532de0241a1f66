import { changes, reads, requireWhole } from '@splitmirror/host';
import { findNames, type ListedSource } from './cpio.ts';
import { directoryChecks, ownerCheck } from './preflight.ts';
import type { DirectorySource } from './tar.ts';
import { type ArchiveTool, absolutePath, operands, selection, type ToolLimits, within } from './tool.ts';
import { judgeArchive, type LineClass } from './verdict.ts';

const limits: ToolLimits = {
  largestFile: [],
  longestPath: 1023,
  fields: null,
  lineFeedInNames: false,
  incremental: 'newer',
  omits: ['ACLs other than AIXC', 'extended attributes', 'keys of encrypted files (EFS)'],
};

/**
 * AIX `backup -i`, by name: the only tool of AIX 4.3 that carries files of more than 2 GB. Without `-p`: a file that
 * changes while it is packed ruins the archive, and the status does not tell.
 */
export const backup: ArchiveTool<ListedSource, DirectorySource> = {
  name: 'backup',
  extension: '.bff',
  format: 'backup',
  limits,
  preflight: ({ directory }, level) => directoryChecks(directory, level, limits),
  // -q asks for no volume; the name of the archive must be given from 7.3 on.
  create: (source) => ({ pipe: [findNames(source), within(source.directory, reads('backup', '-iqf', '-'))] }),
  list: () => reads('restore', '-Tqf', '-'),
  restore: ({ directory }, members) => within(directory, changes('restore', '-xdqf', '-', ...selection(members))),
  classify: classifyBackupLine,
  judge: (evidence) => judgeArchive(evidence, classifyBackupLine),
};

/** A file system for `backup` by inode. */
export interface InodeSource {
  /** Mount point, absolute. It should not be written while it is archived. */
  readonly fileSystem: string;
  /** 0 for everything, above that what changed since the last archive of a lower level. */
  readonly level: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
  /** `record` notes the level in the node's `/etc/dumpdates`, on which later levels rest. */
  readonly dumpdates: 'record' | 'leave';
}

/**
 * AIX `backup` by inode. Its content cannot be seen: `judge` says `OPAQUE`, which a policy has to accept. That it may
 * write to a pipe is not confirmed by any source.
 */
export const backupByInode: ArchiveTool<InodeSource, DirectorySource> = {
  name: 'backup-by-inode',
  extension: '.dump',
  format: 'backup-inode',
  limits: {
    largestFile: [],
    longestPath: null,
    fields: null,
    lineFeedInNames: true,
    incremental: 'levels',
    omits: ['user and group numbers above 65535, which are cut', 'ACLs and extended attributes beyond AIXC'],
  },
  preflight: ({ fileSystem }, level) => [ownerCheck(fileSystem, level)],
  create: ({ fileSystem, level, dumpdates }) =>
    reads(
      'backup',
      `-${inodeLevel(level)}`,
      ...(dumpdates === 'record' ? ['-u'] : []),
      '-f',
      '-',
      absolutePath(fileSystem),
    ),
  // From a pipe restore cannot probe the archive: -B tells it not to try.
  list: () => reads('restore', '-TBqf', '-'),
  restore: ({ directory }, members) =>
    within(
      directory,
      members === undefined
        ? changes('restore', '-rBqf', '-')
        : changes('restore', '-xdBqf', '-', ...operands(members)),
    ),
  classify: classifyBackupLine,
  judge: (evidence) => judgeArchive(evidence, classifyBackupLine),
};

function inodeLevel(level: number): number {
  requireWhole('level', level, 0, 9);
  return level;
}

const harmless = [
  /^Backing up to /,
  /^Cluster \d+ bytes \(\d+ blocks?\)\.$/,
  /^Volume \d+ on /,
  /^total size:? +\d+$/,
  /^Done at .*; \d+ blocks? on \d+ volume/,
  /^a\s+\d+ /,
];

function classifyBackupLine(line: string): LineClass {
  if (harmless.some((pattern) => pattern.test(line))) return 'harmless';
  return /\b0[45]\d\d-\d{3}\b|^(?:backup|restore|find|sh): |[Cc]annot open |[Mm]ount volume/.test(line)
    ? 'fatal'
    : 'unknown';
}
