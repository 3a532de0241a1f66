import { changes, reads } from '@splitmirror/host';
import { directoryChecks } from './preflight.ts';
import { type ArchiveTool, absolutePath, operands, selection, type ToolLimits, within } from './tool.ts';
import { judgeArchive, type LineClass } from './verdict.ts';

/** A directory on the node, absolute. */
export interface DirectorySource {
  readonly directory: string;
}

/** A directory, or some of what it holds. */
export interface TarSource extends DirectorySource {
  /**
   * Names as they stand in its archive (`./a/b`); everything without them. A directory among them brings all that it holds.
   * They are arguments of one command: a system sets their sum a limit, which older levels of AIX have at 24 KiB.
   */
  readonly members?: readonly string[] | undefined;
}

const limits: ToolLimits = {
  largestFile: [
    { through: '4330', bytes: 2 ** 31 - 1 },
    { through: '7100-02', bytes: 8 * 2 ** 30 - 1 },
  ],
  longestPath: 256,
  fields: { prefix: 155, name: 100, link: 100 },
  lineFeedInNames: true,
  incremental: null,
  omits: ['ACLs', 'extended attributes', 'holes of sparse files', 'keys of encrypted files (EFS)', 'sockets'],
};

/**
 * AIX `tar`. Names in the archive are relative to the directory (`./...`), so that it can be restored anywhere. `-C` is
 * in every level's synopsis; a level-specific flag (`-U` for ACLs, `--format=pax` from 7.3.1) is not used.
 */
export const tar: ArchiveTool<TarSource, DirectorySource> = {
  name: 'tar',
  extension: '.tar',
  format: 'tar',
  limits,
  preflight: ({ directory }, level) => directoryChecks(directory, level, limits),
  // How far -C reaches among several names is not documented for every level: there, the shell changes the directory.
  create: ({ directory, members }) =>
    members === undefined
      ? reads('tar', '-cf', '-', '-C', absolutePath(directory), '.')
      : within(directory, reads('tar', '-cf', '-', ...operands(members))),
  // AIX wants -B for an archive from a pipe. -p keeps the modes as they were archived.
  list: () => reads('tar', '-tBf', '-'),
  restore: ({ directory }, members) =>
    changes('tar', '-xpBf', '-', '-C', absolutePath(directory), ...selection(members)),
  classify: classifyTarLine,
  judge: (evidence) => judgeArchive(evidence, classifyTarLine),
};

const harmless = [/^[ax] \.?\/?.*(?:blocks?|bytes|tape blocks)\.?$/, /^[ax] .+ (?:symbolic link|linked) to /];
/** What tar never carries: the archive is what it says without it. */
const warning = /: socket ignored$/;
/** AIX numbers its messages; none of tar's with a number is mere information. */
const fatal = /\b0[45]\d\d-\d{3}\b|^tar: /;

function classifyTarLine(line: string): LineClass {
  if (warning.test(line)) return 'warning';
  if (fatal.test(line)) return 'fatal';
  return harmless.some((pattern) => pattern.test(line)) ? 'harmless' : 'unknown';
}
