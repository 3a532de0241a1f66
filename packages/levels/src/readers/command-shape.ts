/** Flags that change which rows are printed, not how. */
const selecting: Readonly<Record<string, string>> = {
  lslpp: 'abIq',
  instfix: 'Fq',
  oslevel: 'f',
  odmget: 'q',
  emgr: 'L',
};

/** What may stand before a program: a prompt, and what sets it up. */
const prompt = /^[^|>]*?[#$%]\s+/;
const setup = /^(?:(?:\S*\/)?(?:sudo|env|time|timeout|nice|ioscli)|-\S+|\d+|\w+=\S*)$/;

/**
 * What a command line asks for, however a person wrote it down: program, sorted flags, last operand. `lslpp -L -q -c` and
 * `LANG=C /usr/bin/lslpp -Lqc 2>&1 | more` are one command, and so is `# lslpp -Lc (as root)`.
 */
export function shapeOf(command: string): string {
  const words = command
    .replace(/\s*(?:[|(;&]|\d?>).*$/s, '')
    .trim()
    .replace(prompt, '')
    .split(/\s+/);
  const [path = '', ...rest] = words.slice(words.findIndex((word) => !setup.test(word)));
  const program = path.replace(/^.*\//, '');
  const dropped = selecting[program] ?? '';
  const flags = rest
    .flatMap((word) => (word.startsWith('-') ? [...word.slice(1)] : []))
    .filter((letter) => !dropped.includes(letter));
  const operand = rest.findLast((word) => !word.startsWith('-')) ?? '';
  const kept = ['lslpp', 'rpm', 'emgr'].includes(program) ? '' : operand;
  return [program, flags.sort().join(''), kept].filter((word) => word !== '').join(' ');
}
