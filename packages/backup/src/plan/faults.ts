import type { z } from 'zod';

/** One thing that is wrong with a value that came from outside. */
export interface Fault {
  /** Fields that lead to it; empty for the value as a whole. */
  readonly path: readonly PropertyKey[];
  /** Where it is, and what is expected there. */
  readonly text: string;
  /** What is there: numbers as they are, text never, since it may be a secret. */
  readonly seen: string;
}

/** Everything that a schema has found wrong, each once. */
export function faultsOf(error: z.ZodError | undefined, value: unknown): readonly Fault[] {
  const faults = (error?.issues ?? []).map(({ path, message }): Fault => {
    const text = path.length === 0 ? message : `${path.join('.')}: ${message}`;
    return { path, text, seen: kindOf(path.reduce(within, value)) };
  });
  return faults.filter(({ text }, index) => faults.findIndex((other) => other.text === text) === index);
}

function within(value: unknown, key: PropertyKey): unknown {
  return (value as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[key];
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
