import { AIX_PATH } from '@splitmirror/host';

/** Which commands a login may run as root. */
export interface Privileges {
  /** Login name on the node. */
  readonly user: string;
  /**
   * Absolute program and arguments, separated by single blanks, with `<name>`, `<path>` and `<number>` for what varies and
   * `...` behind one that may be repeated: `/usr/sbin/chfs -a freeze=<number> <path>`.
   */
  readonly commands: readonly string[];
  /** Value of PATH as on the host; default `AIX_PATH`. */
  readonly path?: string | undefined;
}

/** What stands for a placeholder. No name begins with `-`, and no path leads back with `..`. */
const patterns: Readonly<Record<string, string>> = {
  name: '[A-Za-z0-9_][A-Za-z0-9_.:-]*',
  number: '[0-9]+',
  path: '(/[A-Za-z0-9_][A-Za-z0-9_.-]*|/\\.splitmirror)+',
};

/**
 * The lines of a sudoers file (`visudo -f /etc/sudoers.d/splitmirror`) that let a login run these commands as root, with
 * arguments of these forms, and nothing else. They take sudo 1.9.10, since wildcards would let more pass than they show.
 *
 * @throws RangeError when a command is not spelled as described.
 * @see https://www.sudo.ws/docs/man/sudoers.man/#Regular_expressions
 */
export function leastPrivilege({ user, commands, path = AIX_PATH }: Privileges): string[] {
  if (!/^[a-z_][\w.-]*$/i.test(user)) throw new RangeError(`${JSON.stringify(user)} is no login name`);
  if (!/^[\w./:-]+$/.test(path)) throw new RangeError(`${JSON.stringify(path)} cannot be a PATH`);
  const rules = [...new Set(commands)].sort().map((command) => {
    const [program = '', ...words] = command.split(' ');
    if (!/^(?:\/\w[\w.-]*)+$/.test(program))
      throw new RangeError(`${JSON.stringify(command)} does not begin with an absolute path`);
    return `${user} ALL=(root) NOPASSWD: ${program} ${words.length === 0 ? '""' : `^${words.map(expression).join(' ')}$`}`;
  });
  return [`Defaults:${user} !requiretty, user_command_timeouts, secure_path="${path}"`, ...rules];
}

function expression(word: string): string {
  const repeated = word.endsWith('...');
  const parts = (repeated ? word.slice(0, -3) : word).split(/(<\w+>)/).map((part) => {
    const [, kind] = /^<(\w+)>$/.exec(part) ?? [];
    if (kind === undefined) return literal(part);
    const pattern = Object.hasOwn(patterns, kind) ? patterns[kind] : undefined;
    if (pattern === undefined) throw new RangeError(`${part} is none of <name>, <number>, <path>`);
    return pattern;
  });
  const one = parts.join('');
  return repeated ? `${one}( ${one})*` : one;
}

/** The text itself in an extended regular expression of a sudoers file, where a `#` would begin a remark. */
function literal(text: string): string {
  if (!/^[\w\-=,:/.+@%#*?[\]{}()|^$<>&~!"\t]*$/.test(text))
    throw new RangeError(`${JSON.stringify(text)} cannot stand in a command`);
  return text.replace(/[.+*?[\](){}|^$#]/g, '\\$&').replaceAll('\t', '[[:blank:]]');
}
