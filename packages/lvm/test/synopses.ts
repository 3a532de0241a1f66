/** AIX levels for which a synopsis is given, oldest first. */
export const levels = ['4.3.3', '5.3', '6.1', '7.1', '7.2', '7.3'] as const;
export type Level = (typeof levels)[number];

/** What a command takes. A flag is there from its level on. */
export interface Synopsis {
  /** Flags without a value. */
  readonly flags: Readonly<Record<string, Level>>;
  /** Flags with a value. */
  readonly valued: Readonly<Record<string, Level>>;
  /** Fewest and most operands. */
  readonly operands: readonly [least: number, most: number];
  /** For `-a name=value`: the names, with the level from which they are understood. */
  readonly attributes?: Readonly<Record<string, Level>>;
}

const any = Number.POSITIVE_INFINITY;

function since(level: Level, letters: string): Record<string, Level> {
  return Object.fromEntries(Array.from(letters, (letter) => [`-${letter}`, level]));
}

/**
 * Synopses of every command that the package may send, after the fact sheet's sections 3, 4, 6 and 7 and the manual
 * pages named there. What a level does not know must not be sent to it.
 */
export const synopses: Readonly<Record<string, Synopsis>> = {
  // 3.2: [-f] [-y NewLV] [-Y Prefix] LV Copies [PV ...]; -k and -p from 7.3
  splitlvcopy: {
    flags: { ...since('4.3.3', 'f'), ...since('7.3', 'k') },
    valued: { ...since('4.3.3', 'yY'), ...since('7.3', 'p') },
    operands: [2, any],
  },
  // 4: [-a pos] [-e range] [-k] [-m map] [-s strict] [-u ub] [-p copyn=pool] LV copies [PV...]; pools from 6.1
  mklvcopy: {
    flags: since('4.3.3', 'k'),
    valued: { ...since('4.3.3', 'aemsu'), ...since('6.1', 'p') },
    operands: [2, any],
  },
  // 4: [-p pool] LV Copies [PV...]; pools from 6.1
  rmlvcopy: { flags: {}, valued: since('6.1', 'p'), operands: [2, any] },
  // 4: mklv [-m mapfile] [-y name] [-t type] [-L label] [-x most] ... VG n [PV...]
  mklv: { flags: {}, valued: since('4.3.3', 'abcdeiLmorstuvwxyS'), operands: [2, any] },
  // 3.4: [-f] -b [-c copy] [-P] [-l newlv] [-w] LV | [-f] -B [-s] LV; from 4.3.2
  chlvcopy: { flags: since('4.3.3', 'fbPwBs'), valued: since('4.3.3', 'cl'), operands: [1, 1] },
  // 4: [-r] [-i] FS
  rmfs: { flags: since('4.3.3', 'ri'), valued: {}, operands: [1, 1] },
  // 4: [-B] [-f] [-p PV] LV...; -w from 7.3
  rmlv: { flags: { ...since('4.3.3', 'Bf'), ...since('7.3', 'w') }, valued: since('4.3.3', 'p'), operands: [1, any] },
  // 4: [-f] [-i] [-H] [-P n] {-l|-p|-v} Name...; -T from 7.2
  syncvg: {
    flags: since('4.3.3', 'fiHlpv'),
    valued: { ...since('4.3.3', 'P'), ...since('7.2', 'T') },
    operands: [1, any],
  },
  chlv: { flags: {}, valued: since('4.3.3', 'aebdLmnoprstuvwx'), operands: [1, 1] },
  // 3.7: freeze of JFS2 from 5.3 (5.2 is not sure)
  chfs: {
    flags: {},
    valued: since('4.3.3', 'aAdmnptu'),
    operands: [1, 1],
    attributes: { freeze: '5.3', refreeze: '5.3', splitcopy: '4.3.3', copy: '4.3.3' },
  },
  // 3.6: snapshot -o snapfrom=FS [-n name | LV], -d [-s] LV | -d -n name FS, -q [-c] FS; internal ones from 6.1
  snapshot: {
    flags: since('5.3', 'dqs'),
    valued: { ...since('5.3', 'oc'), ...since('6.1', 'n') },
    operands: [0, 1],
  },
  // 3.5: splitvg [-y SnapVG] [-c Copy] [-f] [-i] VG; -k and -p from 7.3. joinvg [-f] VG
  splitvg: {
    flags: { ...since('5.3', 'fi'), ...since('7.3', 'k') },
    valued: { ...since('5.3', 'yc'), ...since('7.3', 'p') },
    operands: [1, 1],
  },
  joinvg: { flags: since('5.3', 'f'), valued: {}, operands: [1, 1] },
  varyonvg: { flags: since('4.3.3', 'bcfnprstu'), valued: since('6.1', 'M'), operands: [1, 1] },
  exportvg: { flags: {}, valued: {}, operands: [1, 1] },
  // 6: -p, -n, -y exclude a question; -V names the type
  fsck: { flags: since('4.3.3', 'npyf'), valued: since('4.3.3', 'V'), operands: [1, 1] },
  mount: { flags: since('4.3.3', 'afpr'), valued: since('4.3.3', 'notvV'), operands: [0, 2] },
  umount: { flags: since('4.3.3', 'afs'), valued: since('4.3.3', 'nt'), operands: [1, 1] },
  // 7
  lslv: { flags: since('4.3.3', 'Llmp'), valued: since('4.3.3', 'n'), operands: [1, 1] },
  lsvg: { flags: { ...since('4.3.3', 'LoilpM'), ...since('6.1', 'm') }, valued: since('4.3.3', 'n'), operands: [0, 1] },
  lsfs: { flags: since('4.3.3', 'alqc'), valued: since('4.3.3', 'vu'), operands: [0, any] },
  oslevel: { flags: since('5.3', 'rsl'), valued: {}, operands: [0, 1] },
  // POSIX
  cat: { flags: {}, valued: {}, operands: [0, any] },
  cp: { flags: since('4.3.3', 'fp'), valued: {}, operands: [2, 2] },
  mv: { flags: since('4.3.3', 'f'), valued: {}, operands: [2, 2] },
  rm: { flags: since('4.3.3', 'f'), valued: {}, operands: [1, any] },
  tee: { flags: since('4.3.3', 'a'), valued: {}, operands: [1, 1] },
  mkdir: { flags: since('4.3.3', 'p'), valued: since('4.3.3', 'm'), operands: [1, any] },
  rmdir: { flags: since('4.3.3', 'p'), valued: {}, operands: [1, any] },
  test: { flags: {}, valued: since('4.3.3', 'd'), operands: [0, 0] },
  xargs: { flags: {}, valued: since('4.3.3', 'n'), operands: [1, any] },
  awk: { flags: {}, valued: since('4.3.3', 'Fv'), operands: [1, any] },
};

/** Why a level does not understand a command line; `null` when it does. */
export function objection(argv: readonly string[], level: Level): string | null {
  const [program = '', ...words] = argv;
  if (program === 'find')
    return words.join(' ').replace(/^\/\S+/, 'DIR') === 'DIR -xdev -type d -print' ? null : 'another find';
  const synopsis = synopses[program];
  if (synopsis === undefined) return `no synopsis of ${program}`;
  const knows = (first: Level | undefined) => first !== undefined && levels.indexOf(first) <= levels.indexOf(level);
  let at = 0;
  for (; /^-./.test(words[at] ?? ''); at++) {
    const cluster = words[at] ?? '';
    for (const letter of cluster.slice(1)) {
      const flag = `-${letter}`;
      if (knows(synopsis.flags[flag])) continue;
      if (!knows(synopsis.valued[flag]) || cluster.length > 2) return `${program} knows no ${flag} at ${level}`;
      const value = words[++at];
      if (value === undefined) return `${program} ${flag} needs a value`;
      const [name = ''] = value.split('=');
      if (flag === '-a' && synopsis.attributes && !knows(synopsis.attributes[name]))
        return `${program} knows no ${name} at ${level}`;
    }
    if (program === 'xargs') return objection(words.slice(at + 1).concat('X'), level);
  }
  const operands = words.length - at;
  const [least, most] = synopsis.operands;
  return operands < least || operands > most ? `${program} takes not ${operands} operands` : null;
}
