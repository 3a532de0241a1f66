import type { Answer } from '../command.ts';
import { mapPath } from './paths.ts';

/** What becomes of a command line: an argument list for the program of this machine, or AIX's refusal. */
export type Translation = { readonly args: readonly string[] } | { readonly refusal: Answer };

/** Options of AIX's tar without a value; those that GNU tar does not know are handled or say nothing to it. */
const tarFlags = new Map<string, readonly string[]>([
  ['B', []], // -B: GNU tar always reads whole records from a pipe
  ['d', []],
  ['D', ['--no-recursion']],
  ['E', []],
  ['F', []],
  ['h', ['-h']],
  ['i', []],
  ['l', []],
  ['m', ['-m']],
  ['o', ['--no-same-owner']],
  ['p', ['-p']],
  ['R', []],
  ['s', []],
  ['U', []],
  ['v', ['-v']],
  ['w', ['-w']],
  ['Z', []],
]);
const tarModes = 'crtux';
const tarValues = 'fbCLXNS';

const tarUsage = `Usage: tar -{c|r|t|u|x} [ -BdDEFhilmopRUvwZ ] [ -Number ] [ -f TarFile ]
           [ -b Blocks ] [ -S [ Feet | Feet@Density | Blocksb ] ]
           [ -L InputList ] [ -X ExcludeFile ] [ -N Blocks ] [ -C Directory ] File ...
`;

/** Holds a tar command line to what AIX's tar knows (facts archive.md 2.2), and writes plain ustar. */
export function translateTar(root: string, args: readonly string[]): Translation {
  const refuse = (reason: string): Translation => ({
    refusal: { kind: 'exit', code: 1, stderr: `tar: ${reason}\n${tarUsage}` },
  });
  const options: string[] = [];
  const operands: string[] = [];
  let mode = '';
  let at = 0;
  const cluster = (letters: string): Translation | undefined => {
    for (const letter of letters) {
      const plain = tarFlags.get(letter);
      if (tarModes.includes(letter)) {
        if (mode !== '') return refuse('Only one of the -c, -r, -t, -u and -x flags may be given.');
        mode = letter;
        options.unshift(`-${letter}`);
      } else if (plain !== undefined) {
        options.push(...plain);
      } else if (tarValues.includes(letter)) {
        const value = args[++at];
        if (value === undefined) return refuse(`0511-171 The -${letter} flag needs a value.`);
        if (letter === 'f') options.push('-f', value === '-' ? value : mapPath(root, value));
        else if (letter === 'b') options.push('-b', value);
        else if (letter === 'L') operands.push('-T', mapPath(root, value));
        else if (letter === 'X') options.push('-X', mapPath(root, value));
        else if (letter === 'C') operands.push('-C', mapPath(root, value));
      } else {
        return refuse(`0511-169 The ${letter} flag is not valid.`);
      }
    }
    return undefined;
  };
  for (; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word.startsWith('--') && word !== '--') return refuse('0511-169 The - flag is not valid.');
    const letters = word.startsWith('-') && word !== '-' ? word.slice(1) : at === 0 ? word : undefined;
    if (letters === undefined) {
      operands.push(mapPath(root, word));
    } else {
      const refused = cluster(letters);
      if (refused !== undefined) return refused;
    }
  }
  if (mode === '') return refuse('0511-171 One of the -c, -r, -t, -u and -x flags is needed.');
  const absolute = operands.some((word, i) => word.startsWith(root) && !['-C', '-T'].includes(operands[i - 1] ?? ''));
  return {
    args: [
      // What backslashes and dashes in names mean to it is GNU tar's own: an operand of a command is a path.
      '--no-unquote',
      '--verbatim-files-from',
      ...options,
      ...('cru'.includes(mode) ? ['--format=ustar'] : []),
      // AIX's tar keeps a leading slash, and knows nothing of where the lab keeps the file.
      ...(absolute ? ['-P', `--transform=flags=rSh;s|^${root}||`] : []),
      ...operands,
    ],
  };
}

const cpioFlags = 'oipaAbBcdfkLlmMrRsStuUv6Zg';
const cpioUsage = `Usage: cpio -o[acvBUZ] [-C Number] <name-list >collection
       cpio -i[bcdmrsStuvfBUZ6] [-C Number] [pattern ...] <collection
       cpio -p[adlmuvUZ] directory <name-list
`;

/** Holds a cpio command line to AIX's letters; `-c` is the portable octal header there, which GNU cpio calls `odc`. */
export function translateCpio(root: string, args: readonly string[]): Translation {
  const refusal: Translation = { refusal: { kind: 'exit', code: 2, stderr: cpioUsage } };
  const translated: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (!word.startsWith('-') || word === '-') {
      translated.push(mapPath(root, word));
      continue;
    }
    for (const letter of word.slice(1)) {
      if (letter === 'C') translated.push('-C', args[++at] ?? '');
      else if (letter === 'c') translated.push('-H', 'odc');
      else if (!cpioFlags.includes(letter)) return refusal;
      else if (!'UZg6'.includes(letter)) translated.push(`-${letter}`);
    }
  }
  const mode = translated.some((word) => /^-[oip]$/.test(word));
  if (!mode) return refusal;
  // Without -c AIX writes the binary format, which is GNU cpio's default, too.
  return { args: ['--quiet', ...translated] };
}

const ddOperands = new Set([
  'bs',
  'cbs',
  'conv',
  'count',
  'files',
  'fskip',
  'ibs',
  'if',
  'obs',
  'of',
  'seek',
  'skip',
  'span',
]);
const ddConversions = new Set([
  'ascii',
  'ebcdic',
  'ibm',
  'block',
  'unblock',
  'lcase',
  'ucase',
  'swab',
  'noerror',
  'notrunc',
  'sync',
  'iblock',
  'oblock',
]);

/** Holds a dd command line to AIX's operands; `device` finds what stands behind a path of a device. */
export function translateDd(
  root: string,
  args: readonly string[],
  device: (path: string) => string | undefined,
): Translation {
  const translated: string[] = [];
  for (const word of args) {
    const [, name = '', value = ''] = /^([^=]*)=([\s\S]*)$/.exec(word) ?? [];
    if (!ddOperands.has(name)) {
      return { refusal: { kind: 'exit', code: 2, stderr: `dd: 0511-045 The ${word} parameter is not valid.\n` } };
    }
    if (name === 'conv' && !value.split(',').every((conversion) => ddConversions.has(conversion))) {
      return { refusal: { kind: 'exit', code: 2, stderr: `dd: 0511-046 The ${value} conversion is not valid.\n` } };
    }
    if (name === 'if' || name === 'of') translated.push(`${name}=${device(value) ?? mapPath(root, value)}`);
    else translated.push(word);
    // A device keeps its size when it is written.
    if (name === 'of' && device(value) !== undefined) translated.push('conv=notrunc');
  }
  // The third line of GNU dd (bytes copied) is not AIX's.
  return { args: [...translated, 'status=noxfer'] };
}
