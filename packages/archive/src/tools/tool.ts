import { type Command, changes, type Pipeline, reads } from '@splitmirror/host';
import type { ArchiveFormat } from '../catalogue/catalogue.ts';
import type { PreflightCheck } from './preflight.ts';
import type { Evidence, LineClass, Verdict } from './verdict.ts';

/** What a tool can and cannot carry, as data for reports and for a choice. */
export interface ToolLimits {
  /**
   * Largest file in bytes, by the level up to which that holds (as `oslevel -s` starts, `7100-02`), lowest first.
   * Above the last of them no limit is documented.
   */
  readonly largestFile: readonly { readonly through: string; readonly bytes: number }[];
  /** Longest path that every level carries, in bytes; `null` where there are no paths. */
  readonly longestPath: number | null;
  /**
   * Bytes of the fields of a header, where a path goes into two of them, cut at a slash, and what a link refers to into
   * one; `null` where they are as long as they have to be.
   */
  readonly fields: { readonly prefix: number; readonly name: number; readonly link: number } | null;
  /** Whether a name may hold a line feed. Names that reach the tool as a list of lines may not. */
  readonly lineFeedInNames: boolean;
  /** How less than everything is archived: what is newer than a stamp, or by levels that the node keeps a record of. */
  readonly incremental: 'newer' | 'levels' | null;
  /** What is on disk and not in the archive. */
  readonly omits: readonly string[];
}

/**
 * An archive tool of the node: the commands that write and read an archive, and the judgement of what came of it.
 *
 * @typeParam Source What an archive is made of: a directory, a device.
 */
export interface ArchiveTool<Source, Target = Source> {
  readonly name: string;
  /** Of the stored file, with its dot. */
  readonly extension: string;
  /** Which reader watches it. */
  readonly format: ArchiveFormat;
  readonly limits: ToolLimits;
  /**
   * What to ask the node before, so that nothing is missed that the tool cannot carry.
   *
   * @param level AIX level, as `oslevel -s` starts: `7200-05`.
   */
  preflight(source: Source, level: string): readonly PreflightCheck[];
  /**
   * The command that writes the archive to its standard output.
   *
   * @throws RangeError when the source is not an absolute path in the plain form.
   */
  create(source: Source): Command | Pipeline;
  /** The command that lists the archive that it reads from its standard input; `null` where there are no names. */
  list(): Command | null;
  /**
   * The command that reads the archive from its standard input and writes it to `target`, over what is there.
   *
   * @param members Names as they stand in the archive; all without them.
   * @throws RangeError for a name that the tool would read as something else, for a selection of none, or where the archive
   * has no names.
   */
  restore(target: Target, members?: readonly string[]): Command | Pipeline;
  /** What one line of its standard error means. */
  classify(line: string): LineClass;
  judge(evidence: Evidence): Verdict;
}

/**
 * Refuses a path that is not absolute, or that could be read as anything but a path.
 *
 * @throws RangeError.
 */
export function absolutePath(path: string): string {
  const plain =
    path.startsWith('/') && !path.includes('\0') && !path.split('/').some((part) => part === '..' || part === '.');
  if (!plain) throw new RangeError(`not an absolute path without "." and "..": ${JSON.stringify(path)}`);
  return path;
}

/**
 * Names as operands of a command.
 *
 * @throws RangeError for one that would be read as a flag, or that no operand can be, and where there is none: a command
 * without names takes them all.
 */
export function operands(names: readonly string[]): readonly string[] {
  if (names.length === 0) throw new RangeError('no names: without any, everything would be meant');
  for (const name of names) {
    const isPlain =
      name !== '' &&
      !name.startsWith('-') &&
      !/[\0\uD800-\uDFFF]/.test(name.replace(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g, ''));
    if (!isPlain) throw new RangeError(`not a name that can be an operand: ${JSON.stringify(name)}`);
  }
  return names;
}

/** The operands that select members; none for all of them. */
export function selection(members: readonly string[] | undefined): readonly string[] {
  return members === undefined ? [] : operands(members);
}

/** A command that runs in a directory: AIX has no flag for that in `find`, `cpio`, `backup` and `restore`. */
export function within(directory: string, { argv, effect }: Command): Command {
  const start = effect === 'reads' ? reads : changes;
  return start('sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', absolutePath(directory), ...argv);
}
