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
