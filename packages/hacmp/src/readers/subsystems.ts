import { ParseError } from '@splitmirror/host';

/** A daemon under the System Resource Controller. `active` says nothing about the cluster: `clstrmgrES` always runs. */
export interface Subsystem {
  readonly name: string;
  /** `null` where the row names none: `gsclvmd` has a process and no group. */
  readonly group: string | null;
  readonly pid: number | null;
  /** `active`, `inoperative`; other words as printed. */
  readonly status: string;
}

const heading = /^\s*Subsystem\s+Group\s+PID\s+Status\s*$/;

/**
 * Reads the rows of `lssrc -a`, `-g` or `-s`, with or without their heading.
 *
 * @throws {@link ParseError} at a line that is no row: a message such as "not on file".
 */
export function parseSubsystems(text: string): Subsystem[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || heading.test(line)) return [];
    return [parseSubsystem(line, 'lssrc', index + 1)];
  });
}

/** One row: group and process are each optional, so three words are ambiguous; a number is the process. */
export function parseSubsystem(line: string, source: string, lineNumber: number): Subsystem {
  const words = line.trim().split(/\s+/);
  const [name = '', ...rest] = words;
  const status = rest.pop() ?? '';
  const pid = /^\d+$/.test(rest.at(-1) ?? '') ? Number(rest.pop()) : null;
  const [group = null, ...more] = rest;
  const whole = words.length === 4 ? /^[a-z]+$/.test(status) && pid !== null : /^(active|inoperative)$/.test(status);
  if (!/^[\w.-]+$/.test(name) || !whole || more.length > 0) {
    throw new ParseError(source, 'not a subsystem with its status', { line: lineNumber, text: line });
  }
  return { name, group, pid, status };
}

/** Whether this is the heading above the rows. */
export function isSubsystemHeading(line: string): boolean {
  return heading.test(line);
}
