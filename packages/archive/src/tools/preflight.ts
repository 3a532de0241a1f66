import { type Command, type Pipeline, reads } from '@splitmirror/host';
import { displayName } from '../names.ts';
import { absolutePath, type ToolLimits } from './tool.ts';

/** A question to the node whose every line of output is the name of something that the tool would not carry. */
export interface PreflightCheck {
  /** Unique within a tool, for the step of a script. */
  readonly id: 'large-files' | 'long-names' | 'long-links' | 'long-hard-links' | 'line-feeds' | 'large-owners';
  readonly run: Command | Pipeline;
  readonly message: string;
  readonly remedy: string;
}

/** What a check found. */
export interface PreflightProblem {
  readonly code: 'FILE_TOO_LARGE' | 'NAME_TOO_LONG' | 'LINK_TOO_LONG' | 'NAME_HAS_LINE_FEED' | 'OWNER_TOO_LARGE';
  readonly message: string;
  /** The first names, fit for a terminal. */
  readonly seen: string;
  readonly remedy: string;
}

const codes = {
  'large-files': 'FILE_TOO_LARGE',
  'long-names': 'NAME_TOO_LONG',
  'long-links': 'LINK_TOO_LONG',
  'long-hard-links': 'LINK_TOO_LONG',
  'line-feeds': 'NAME_HAS_LINE_FEED',
  'large-owners': 'OWNER_TOO_LARGE',
} as const;

/** The checks that follow from what a tool cannot carry. */
export function directoryChecks(directory: string, level: string, limits: ToolLimits): PreflightCheck[] {
  const from = absolutePath(directory);
  const checks: PreflightCheck[] = [];
  const largest = limits.largestFile.find(({ through }) => level <= `${through}~`)?.bytes;
  if (largest !== undefined) {
    checks.push({
      id: 'large-files',
      run: reads('find', from, '-type', 'f', '-size', `+${Math.floor(largest / 512)}`, '-print'),
      message: `files of more than ${largest} bytes`,
      remedy: 'Archive this file system with backup by name, which carries them.',
    });
  }
  // Names are counted from the directory, where the archive writes "." in its place.
  const before = from === '/' ? -1 : from.length - 1;
  if (limits.fields !== null) checks.push(...fieldChecks(from, before, limits.fields));
  else if (limits.longestPath !== null) {
    checks.push({
      id: 'long-names',
      run: { pipe: [reads('find', from, '-print'), reads('awk', `length($0) > ${limits.longestPath + before}`)] },
      message: `names of more than ${limits.longestPath} bytes`,
      remedy: 'Shorten them.',
    });
  }
  if (!limits.lineFeedInNames) {
    checks.push({
      id: 'line-feeds',
      run: reads('find', from, '-name', '*\n*', '-print'),
      message: 'names with a line feed',
      remedy: 'Rename them, or archive this file system with tar.',
    });
  }
  return checks;
}

/** The checks of what has to fit into the fields of a header. */
function fieldChecks(
  from: string,
  before: number,
  { prefix, name, link }: NonNullable<ToolLimits['fields']>,
): PreflightCheck[] {
  // Whether the name of a directory ends in a slash there is not known for every tar: it has to fit with one. So directories
  // are printed twice, and a line that repeats the last one is a byte longer.
  const names = reads('find', from, '-type', 'd', '-print', '-print', '-o', '-print');
  // The first slash that leaves no more than a name behind it leaves the shortest prefix.
  const cut = `cut = index(substr($0, bytes - ${name}), "/")`;
  const tooLong = `bytes > ${before + name} && (cut == 0 || bytes + cut > ${before + prefix + name + 2})`;
  return [
    {
      id: 'long-names',
      run: {
        pipe: [names, reads('awk', `{ bytes = length($0) + ($0 == last) } { last = $0 } { ${cut} } ${tooLong}`)],
      },
      message: `names that are too long (${name} bytes, and ${prefix} before a slash)`,
      remedy: 'Shorten them, or archive this file system with backup by name, which carries them.',
    },
    {
      id: 'long-links',
      run: reads('find', from, '-type', 'l', '-size', `+${link}c`, '-print'),
      message: `symbolic links that refer to more than ${link} bytes`,
      remedy: 'Let them refer to shorter paths, or archive this file system with backup by name.',
    },
    {
      // Any of its names may be the one that comes first, to which the others refer.
      id: 'long-hard-links',
      run: {
        pipe: [
          reads('find', from, '!', '-type', 'd', '-links', '+1', '-print'),
          reads('awk', `length($0) > ${link + before}`),
        ],
      },
      message: `files of several names (hard links), one of them of more than ${link} bytes`,
      remedy: 'Shorten these names, or archive this file system with backup by name.',
    },
  ];
}

/** The largest number of a user or group that `backup` by inode does not cut. */
const largestOwner = 65_535;

/** The check of a file system for `backup` by inode, whose headers keep 16 bits of an owner. */
export function ownerCheck(fileSystem: string, level: string): PreflightCheck {
  // Before AIX 5.3 find may not know `+`, which lists many names at once.
  const end = level < '5300' ? ';' : '+';
  const list = reads('find', absolutePath(fileSystem), '-xdev', '-exec', 'ls', '-dn', '{}', end);
  return {
    id: 'large-owners',
    run: { pipe: [list, reads('awk', `$3 > ${largestOwner} || $4 > ${largestOwner}`)] },
    message: `files of users or groups above ${largestOwner}`,
    remedy: 'Archive this file system with backup by name, which carries them.',
  };
}

/** Reads the answers to checks, by their ids: every line speaks against the tool. */
export function preflightProblems(
  checks: readonly PreflightCheck[],
  answers: ReadonlyMap<string, string>,
): PreflightProblem[] {
  return checks.flatMap(({ id, message, remedy }) => {
    const lines = [...new Set(answers.get(id)?.split('\n'))].filter((line) => line !== '');
    if (lines.length === 0) return [];
    const seen = lines.slice(0, 3).map(displayName).join(', ');
    return [
      { code: codes[id], message, seen: lines.length > 3 ? `${seen}, and ${lines.length - 3} more` : seen, remedy },
    ];
  });
}
