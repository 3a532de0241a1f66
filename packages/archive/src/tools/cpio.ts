import { changes, reads } from '@splitmirror/host';
import { directoryChecks } from './preflight.ts';
import type { DirectorySource } from './tar.ts';
import { type ArchiveTool, absolutePath, selection, type ToolLimits, within } from './tool.ts';
import { judgeArchive, type LineClass } from './verdict.ts';

/** A directory, or what in it changed since a stamp. */
export interface ListedSource extends DirectorySource {
  /**
   * A file of the node, absolute, that was made before the last archive was: only what is newer is archived. What is gone,
   * and what is there without being newer, is told by `compareNames`.
   */
  readonly newerThan?: string | undefined;
}

const limits: ToolLimits = {
  largestFile: [{ through: '9999', bytes: 2 ** 31 - 1 }],
  longestPath: 1023,
  fields: null,
  lineFeedInNames: false,
  incremental: 'newer',
  omits: ['ACLs', 'extended attributes', 'holes of sparse files', 'keys of encrypted files (EFS)'],
};

/** AIX `cpio -oc`, the portable form with octal headers, of the names that `find` prints. */
export const cpio: ArchiveTool<ListedSource, DirectorySource> = {
  name: 'cpio',
  extension: '.cpio',
  format: 'cpio',
  limits,
  preflight: ({ directory }, level) => directoryChecks(directory, level, limits),
  create: (source) => ({ pipe: [findNames(source), within(source.directory, reads('cpio', '-oc'))] }),
  list: () => reads('cpio', '-itc'),
  // -d makes directories, -m keeps times, -u overwrites. Names are patterns to cpio.
  restore: ({ directory }, members) =>
    within(directory, changes('cpio', '-icdmu', ...selection(members).map((name) => name.replace(/[*?[\\]/g, '\\$&')))),
  classify: classifyCpioLine,
  judge: (evidence) => judgeArchive(evidence, classifyCpioLine),
};

/** Names relative to the directory, one in a line. */
export function findNames({ directory, newerThan }: ListedSource) {
  const newer = newerThan === undefined ? [] : ['-newer', absolutePath(newerThan)];
  return within(directory, reads('find', '.', ...newer, '-print'));
}

function classifyCpioLine(line: string): LineClass {
  if (/^\d+ blocks?$/.test(line)) return 'harmless';
  return /\b0[45]\d\d-\d{3}\b|^(?:cpio|find|sh): /.test(line) ? 'fatal' : 'unknown';
}
