/**
 * Names that splitmirror gives to what it makes on a node. They are the record: from them alone a leftover is recognised,
 * and nothing that does not bear one is ever touched.
 *
 * | what                    | name                                   | tells                              |
 * |-------------------------|----------------------------------------|------------------------------------|
 * | split copy              | `sm` run copies index (`smk3f9q2201`)  | run, copies the volume shall have  |
 * | its label, mount point  | `/splitmirror/<run>/<volume>`          | run, volume it was taken from      |
 * | mark of an open split   | `/splitmirror/<run>/<volume>:<copies>` | all three, while no copy exists    |
 */

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
}

/** Name of a split copy: 11 of the 15 characters that LVM allows. */
export function copyName({ run, copies, index }: CopyName): string {
  return `sm${run}${copies}${String(index).padStart(2, '0')}`;
}

/** What a volume's name tells, or `null` when the volume is not ours. */
export function readCopyName(name: string): CopyName | null {
  const [, run, copies, index] = /^sm([a-z][a-z0-9]{5})([123])(\d\d)$/.exec(name) ?? [];
  return run === undefined ? null : { run, copies: Number(copies), index: Number(index) };
}

/** Label of a split copy, and where it is mounted when it holds a file system. */
export function copyPath(run: string, volume: string): string {
  return `${markRoot}/${run}/${volume}`;
}

/** Directory that says, on this node, that a volume is being split, and how many copies it shall have again. */
export function splitMark(run: string, volume: string, copies: number): string {
  // A colon cannot be part of a volume's name: LVM's own maps use it as separator.
  return `${copyPath(run, volume)}:${copies}`;
}

/** What a path of ours tells. */
export type OurPath =
  | { readonly kind: 'run'; readonly run: string }
  | { readonly kind: 'copy'; readonly run: string; readonly volume: string }
  | { readonly kind: 'mark'; readonly run: string; readonly volume: string; readonly copies: number };

/** Reads a label, mount point or directory; `null` when it is not ours. */
export function readOurPath(path: string): OurPath | null {
  const [, run, volume, copies] = /^\/splitmirror\/([a-z][a-z0-9]{5})(?:\/([^/:]+)(?::([123]))?)?$/.exec(path) ?? [];
  if (run === undefined) return null;
  if (volume === undefined) return { kind: 'run', run };
  return copies === undefined ? { kind: 'copy', run, volume } : { kind: 'mark', run, volume, copies: Number(copies) };
}
