import type { TypedCommand } from '@splitmirror/host';

/** Flags that change which rows are printed, not how. */
const selecting: Readonly<Record<string, string>> = {
  lslpp: 'abIq',
  instfix: 'Fq',
  oslevel: 'f',
  odmget: 'q',
  emgr: 'L',
};

/**
 * What a program is asked for, however a person wrote it down: sorted flags, last operand. `lslpp -L -q -c` and `lslpp -Lqc`
 * ask for the same.
 */
export function shapeOf({ program, options, operands }: TypedCommand): string {
  const dropped = selecting[program] ?? '';
  const flags = [...options].filter((letter) => !dropped.includes(letter));
  const kept = ['lslpp', 'rpm', 'emgr'].includes(program) ? '' : (operands.at(-1) ?? '');
  return [flags.sort().join(''), kept].filter((word) => word !== '').join(' ');
}
