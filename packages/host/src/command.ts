/** A program and its arguments; not yet a shell line. */
export interface Command {
  readonly argv: readonly [program: string, ...args: string[]];
  /** `reads` may be repeated freely; `changes` is what a dry run prints instead of running. */
  readonly effect: 'reads' | 'changes';
}

/** Commands joined by pipes. The exit status of every member is reported, not only the last one's. */
export interface Pipeline {
  readonly pipe: readonly [Command, Command, ...Command[]];
}

/** A command that may be repeated freely. */
export function reads(program: string, ...args: string[]): Command {
  return { argv: [program, ...args], effect: 'reads' };
}

/** A command that changes the node. */
export function changes(program: string, ...args: string[]): Command {
  return { argv: [program, ...args], effect: 'changes' };
}

/** The members of a command or a pipeline, in order. */
export function members(source: Command | Pipeline): readonly Command[] {
  return 'pipe' in source ? source.pipe : [source];
}

/**
 * Quotes one word for POSIX sh and ksh88. ksh88 knows no `$'…'`, so only `'…'` is used.
 *
 * @throws RangeError when the word holds a NUL byte, which no argument can, or half a character, which would become another.
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('an argument cannot hold a NUL byte');
  if (!word.isWellFormed()) throw new RangeError('an argument cannot hold half of a surrogate pair');
  return /^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The command as a person would type it. This text, and no other, is what the node's shell gets. */
export function renderCommand(source: Command | Pipeline): string {
  return members(source)
    .map((command) => command.argv.map(quote).join(' '))
    .join(' | ');
}
