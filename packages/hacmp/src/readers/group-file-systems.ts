import { ParseError } from '@splitmirror/host';

/** A configured file system of a group, from `cllsfs`. */
export interface GroupFileSystem {
  readonly group: string;
  /** Mount point, or the word `ALL`. */
  readonly mountPoint: string;
}

/**
 * Reads what `cllsfs` prints: group and mount point on each line.
 *
 * @throws {@link ParseError} at a line of another shape.
 */
export function parseGroupFileSystems(text: string): GroupFileSystem[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const [, group, mountPoint] = /^\s*([\w.-]+)\s+(ALL|\/\S*)\s*$/.exec(line) ?? [];
    if (group && mountPoint) return [{ group, mountPoint }];
    throw new ParseError('cllsfs', 'not a group and a mount point', { line: index + 1, text: line });
  });
}
