/** What the software database says about a fileset. `unknown`: a word that is none of AIX's English ones. */
export type FilesetState =
  /** Update in place, old files saved; it can still be rejected. */
  | 'applied'
  | 'applying'
  | 'broken'
  | 'committed'
  | 'committing'
  | 'rejecting'
  /** Good, but frozen by the interim-fix manager: updates of it will be refused. */
  | 'efix-locked'
  /** Left from an older release; some of its files now belong to a renamed fileset. */
  | 'obsolete'
  /** `lppchk -v` has to tell what is wrong. */
  | 'inconsistent'
  | 'unknown';

const codes = new Map<string, FilesetState>([
  ['A', 'applied'],
  ['B', 'broken'],
  ['C', 'committed'],
  ['E', 'efix-locked'],
  ['O', 'obsolete'],
  ['?', 'inconsistent'],
]);

/** The state behind the letter in field 6 of `lslpp -Lc`. */
export function stateOfCode(code: string): FilesetState {
  return codes.get(code) ?? 'unknown';
}

const words = new Map<string, FilesetState>([
  ['APPLIED', 'applied'],
  ['APPLYING', 'applying'],
  ['BROKEN', 'broken'],
  ['COMMITTED', 'committed'],
  ['COMMITTING', 'committing'],
  ['REJECTING', 'rejecting'],
  ['EFIX LOCKED', 'efix-locked'],
  ['EFIXLOCKED', 'efix-locked'],
  ['OBSOLETE', 'obsolete'],
]);

/** The state behind a word of `lslpp -l`. Words are translated outside the C locale and then unknown. */
export function stateOfWord(word: string): FilesetState {
  return words.get(word) ?? 'unknown';
}

/** The parts of a cluster's software that are judged differently. */
export type Family =
  /** What makes takeover work: cluster server, C-SPOC, GLVM. */
  | 'ha-server'
  /** The rest of `cluster.*`: client parts, development, Smart Assists. */
  | 'ha-client'
  /** Licence and edition markers. */
  | 'ha-edition'
  | 'rsct'
  | 'caa'
  | 'device'
  /** Messages, locales, manuals, help. */
  | 'language'
  | 'rpm'
  | 'other';

// The first pattern that fits counts. Only how grave a difference is hangs on it, never whether it is found.
const families: readonly (readonly [Family, RegExp])[] = [
  ['language', /(?:^|\.)(?:msg|loc|iconv|help|man|html|doc|nls)(?:\.|$)/],
  ['ha-edition', /^cluster\.(?:license|xd)(?:\.|$)/],
  ['ha-client', /^cluster\.(?:es\.(?:client|assist)|adt|doc)(?:\.|$)/],
  ['ha-server', /^(?:cluster|glvm)\./],
  ['rsct', /^rsct\.(?:core\.(?:rmc|utils)|basic\.(?:rte|hacmp))$/],
  ['caa', /^(?:bos\.cluster\.rte|bos\.ahafs|bos\.clvm\.enh|clic\.rte(?:\..+)?|devices\.common\.IBM\.storfwork\.rte)$/],
  ['device', /^devices\./],
];

/** The family of a fileset by its name. Names are case sensitive. */
export function familyOf(fileset: string): Family {
  return families.find(([, pattern]) => pattern.test(fileset))?.[0] ?? 'other';
}

/** Whether a fileset belongs to the cluster software at all. */
export function isOfCluster(fileset: string): boolean {
  return fileset.startsWith('cluster.') || fileset.startsWith('glvm.');
}
