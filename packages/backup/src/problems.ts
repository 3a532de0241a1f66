import { SplitmirrorError } from '@splitmirror/host';
import type { Problem } from './ports.ts';

/** Any error as a problem: a typed one keeps its code and remedy. Its message quotes what was seen. */
export function problemOf(error: unknown, node: string | null): Problem {
  if (SplitmirrorError.is(error)) {
    return { code: error.code, node, message: error.message, seen: '', remedy: error.remedy };
  }
  return {
    code: 'UNEXPECTED',
    node,
    message: error instanceof Error ? error.message : String(error),
    seen: '',
    remedy: 'This is a defect of splitmirror: keep the journal of the run and report it.',
  };
}

/** Any error as problems: itself, then every reason that it has. */
export function withReasons(error: unknown, node: string | null): Problem[] {
  const reasons = SplitmirrorError.is(error) && 'problems' in error ? (error.problems as readonly Problem[]) : [];
  return [problemOf(error, node), ...reasons];
}
