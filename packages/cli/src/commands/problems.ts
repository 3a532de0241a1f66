import type { Problem } from '@splitmirror/backup';
import { SplitmirrorError } from '@splitmirror/host';
import type { Directions } from '../command-line.ts';

/** Problems in two lines each: what was seen, what to do. */
export function problemText(problems: readonly Problem[], { remedyText }: Directions): string[] {
  return problems.flatMap((problem) => {
    const { code, node, remedy } = problem;
    return [`  ${code}${node === null ? '' : ` (${node})`}: ${factOf(problem)}`, `    ${remedyText(remedy)}`];
  });
}

/** What is so, with what was seen of it. */
export function factOf({ message, seen }: Pick<Problem, 'message' | 'seen'>): string {
  return seen === '' ? message : `${message}: ${seen}`;
}

/**
 * Everything that a typed error tells, for a command that goes on after it.
 *
 * @throws the error itself when it is a defect.
 */
export function problemsOf(error: unknown, node: string | null): readonly Problem[] {
  if (!SplitmirrorError.is(error)) throw error;
  const inner = 'problems' in error ? (error.problems as readonly Problem[]) : [];
  const { code, message, remedy } = error;
  return inner.length > 0 ? inner : [{ code, node, message, seen: '', remedy }];
}
