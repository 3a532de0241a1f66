/**
 * Names that splitmirror gives to what it makes on a node. They are the record: from them alone a leftover is recognised,
 * and nothing that does not bear one is ever touched.
 *
 * | what                            | name                                           | tells                                        |
 * |---------------------------------|------------------------------------------------|----------------------------------------------|
 * | split copy                      | `sm` run copies index letter (`smk3f9q2201d`)  | run, copies the volume shall have, strategy  |
 * | its label, stanza, mount point  | `/splitmirror/<run>/<volume>`                  | run, volume it was taken from                |
 * | volume group made by `splitvg`  | `sm` run `e` index (`smk3f9q2e01`)             | run                                          |
 * | mark of an open split           | `/splitmirror/<run>/<volume>:<copies><letter>` | all of it, while no copy exists              |
 */

/** How a name tells the strategy: `a` map-split, none splitlvcopy, `c` splitcopy, `d` chlvcopy, `e` splitvg, `f` snapshot. */
export type StrategyLetter = '' | 'a' | 'c' | 'd' | 'e' | 'f';

/** Directory under which copies are mounted. */
export const markRoot = '/splitmirror';

const runPattern = /^[a-z][a-z0-9]{5}$/;

/** A run id: six characters `a-z0-9`, the first a letter. */
export function isRun(text: string): boolean {
  return runPattern.test(text);
}

/** What the name of a split copy tells. */
export interface CopyName {
  readonly run: string;
  /** Copies that the original volume had, and shall have again. */
  readonly copies: number;
  /** Position of the volume in its plan, from 1. */
  readonly index: number;
  readonly letter: StrategyLetter;
}

/** Name of a split copy: at most 12 of the 15 characters that LVM allows. */
export function copyName({ run, copies, index, letter }: CopyName): string {
  return `sm${run}${copies}${String(index).padStart(2, '0')}${letter}`;
}

/** What a volume's name tells, or `null` when the volume is not ours. */
export function readCopyName(name: string): CopyName | null {
  const [, run, copies, index, letter] = /^sm([a-z][a-z0-9]{5})([123])(\d\d)([acdef]?)$/.exec(name) ?? [];
  return run === undefined ? null : { run, copies: Number(copies), index: Number(index), letter: letterOf(letter) };
}

/** Name of the volume group that `splitvg` makes. */
export function snapshotGroupName(run: string, index: number): string {
  return `sm${run}e${String(index).padStart(2, '0')}`;
}

/** The run that a volume group of ours bears in its name; `null` when it is not ours. */
export function readSnapshotGroupName(name: string): string | null {
  return /^sm([a-z][a-z0-9]{5})e\d\d$/.exec(name)?.[1] ?? null;
}

/** Label of a split copy, and where it is mounted when it holds a file system. */
export function copyPath(run: string, volume: string): string {
  return `${markRoot}/${run}/${volume}`;
}

/** What says that a volume is being split: by which run and how, and how many copies it shall have again. */
export interface SplitMark {
  readonly run: string;
  readonly volume: string;
  readonly copies: number;
  readonly letter: StrategyLetter;
}

/** Directory that is the mark of a split on this node. */
export function splitMark({ run, volume, copies, letter }: SplitMark): string {
  // A colon cannot be part of a volume's name: LVM's own maps use it as separator.
  return `${copyPath(run, volume)}:${copies}${letter}`;
}

/** What a path of ours tells. */
export type OurPath =
  | { readonly kind: 'run'; readonly run: string }
  | { readonly kind: 'copy'; readonly run: string; readonly volume: string }
  | ({ readonly kind: 'mark' } & SplitMark);

/** Reads a label, mount point or directory; `null` when it is not ours. */
export function readOurPath(path: string): OurPath | null {
  const [, run, volume, copies, letter] =
    /^\/splitmirror\/([a-z][a-z0-9]{5})(?:\/([^/:]+)(?::([123])([acdef]?))?)?$/.exec(path) ?? [];
  if (run === undefined) return null;
  if (volume === undefined) return { kind: 'run', run };
  if (copies === undefined) return { kind: 'copy', run, volume };
  return { kind: 'mark', run, volume, copies: Number(copies), letter: letterOf(letter) };
}

function letterOf(text: string | undefined): StrategyLetter {
  return text === 'a' || text === 'c' || text === 'd' || text === 'e' || text === 'f' ? text : '';
}
