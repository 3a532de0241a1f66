/** A command line that somebody typed, taken apart as far as a reader of its output depends on it. */
export interface TypedCommand {
  /** Without its directory; empty where nothing is left. */
  readonly program: string;
  /** Everything behind the program, without quotes. */
  readonly words: readonly string[];
  /** Letters of all options, in their order. */
  readonly options: string;
  /** Words that are no options; values of options are among them. */
  readonly operands: readonly string[];
  /** What follows: redirections, filters, other commands, a remark. */
  readonly rest: string;
}

/** What stands before the command on a terminal. */
const prompt = /^[^|;&]*?[#$%>]\s+/;
/** What only sets the stage for the command. */
const setting =
  /^(?:(?:\w+=\S*|(?:\S*\/)?(?:env|time|nohup|ioscli|(?:nice|timeout)(?: -\S+| \d\S*)*|sudo(?: -u \S+| -\S+)*|ssh(?: -\S+)* \S+)) )+/;
/** A quoted text, or the end of the command. */
const quotedOrEnd = /"[^"]*"|'[^']*'|([|;&<>(]| #| \d[<>])/g;

/**
 * Takes a command line apart that somebody kept beside its output: `LANG=C sudo /usr/sbin/lsvg -l datavg | more`. A prompt
 * before it and what only sets the stage are left out.
 *
 * @param isProgram Knows the programs that are meant. A `#` behind one of them begins a remark, and ends a prompt elsewhere.
 */
export function readTypedCommand(line: string, isProgram: (program: string) => boolean): TypedCommand {
  const plain = takeApart(line);
  return isProgram(plain.program) ? plain : takeApart(line.trim().replace(prompt, ''));
}

/**
 * Blanks out what a terminal has added to the output of a command: a first line that repeats it behind a prompt, and a last one
 * with the next prompt. Lines keep their numbers.
 */
export function withoutPrompts(output: string, { program }: TypedCommand): string {
  const lines = output.split('\n');
  const first = lines.findIndex((line) => line.trim() !== '');
  const echo = lines[first]?.trim() ?? '';
  if (!prompt.test(echo) || takeApart(echo.replace(prompt, '')).program !== program) return output;
  const last = lines.findLastIndex((line) => line.trim() !== '');
  const ended = /^\S*(?: \S+)? ?[#$%>]$/.test(lines[last]?.trim() ?? '');
  return lines.map((line, index) => (index === first || (ended && index === last) ? '' : line)).join('\n');
}

function takeApart(line: string): TypedCommand {
  const bare = line.trim().replace(/\s+/g, ' ').replace(setting, '');
  const end = [...bare.matchAll(quotedOrEnd)].find(([, found]) => found !== undefined)?.index ?? bare.length;
  const [path = '', ...words] = Array.from(bare.slice(0, end).matchAll(/(?:"[^"]*"|'[^']*'|[^ "']|["'])+/g), ([word]) =>
    word.replace(/["']/g, ''),
  );
  const options = words.filter((word) => word.startsWith('-')).map((word) => word.slice(1));
  return {
    program: path.replace(/^.*\//, ''),
    words,
    options: options.join(''),
    operands: words.filter((word) => !word.startsWith('-')),
    rest: bare.slice(end),
  };
}
