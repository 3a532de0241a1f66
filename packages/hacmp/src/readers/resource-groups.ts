import { linesOf, nowhere, ParseError } from '@splitmirror/host';

/** A resource group as it stands on one node. */
export interface GroupInstance {
  readonly group: string;
  /** Cluster node name. */
  readonly node: string;
  /** `null` without sites. */
  readonly site: string | null;
  /** The state in HACMP's own words, whole: `ONLINE SECONDARY` is not `ONLINE`. */
  readonly state: string;
  /** `secondary`: the copy at the other site, which never holds the group. */
  readonly role: 'primary' | 'secondary';
}

/** A line of the colon form, which also carries the group's policies. */
export interface GroupRow extends GroupInstance {
  /** `non-concurrent` or `concurrent`; empty when the line is too short to tell. */
  readonly type: string;
  /** `OHN`, `OFAN`, `OAAN` (online on all available nodes: concurrent) or `OUDP`. */
  readonly startup: string;
  /** `FNPN`, `FUDNP` or `BO`. */
  readonly fallover: string;
  /** `NFB` or `FBHPN`. */
  readonly fallback: string;
  /** `ignore` without sites. */
  readonly sitePolicy: string;
}

/** What a state means for a backup. `unknown` is never rounded to something near. */
export type StateMeaning = 'online' | 'offline' | 'secondary' | 'moving' | 'error' | 'unmanaged' | 'unknown';

const meanings: Readonly<Record<string, StateMeaning>> = {
  ONLINE: 'online',
  OFFLINE: 'offline',
  ACQUIRING: 'moving',
  RELEASING: 'moving',
  'TEMPORARY ERROR': 'moving',
  'TEMP ERROR': 'moving',
  ERROR: 'error',
  UNMANAGED: 'unmanaged',
  'ONLINE SECONDARY': 'secondary',
  'OFFLINE SECONDARY': 'secondary',
  'ACQUIRING SECONDARY': 'moving',
  'RELEASING SECONDARY': 'moving',
  'TEMP ERROR SECONDARY': 'moving',
  'ERROR SECONDARY': 'error',
  'UNMANAGED SECONDARY': 'unmanaged',
};

/** Every state text that is documented; of the OFFLINE family there are more. */
export function knownStates(): string[] {
  const reasons = ['parent offline', 'fallover', 'lack of node', 'lack of a node'];
  return [...Object.keys(meanings), ...reasons.map((reason) => `OFFLINE due to ${reason}`)];
}

/** Compares the whole text, in HACMP's own case. Texts that begin with `OFFLINE due to` are of the OFFLINE family. */
export function meaningOf(state: string): StateMeaning {
  if (Object.hasOwn(meanings, state)) return meanings[state] ?? 'unknown';
  return /^OFFLINE [Dd]ue [Tt]o [A-Za-z ]+$/.test(state) ? 'offline' : 'unknown';
}

/** The role that a state text implies. */
export function roleOf(state: string): GroupInstance['role'] {
  return state.endsWith(' SECONDARY') ? 'secondary' : 'primary';
}

/** `node`, or `node@site` with sites; `null` for anything else. */
export function placeOf(word: string): { readonly node: string; readonly site: string | null } | null {
  const [node = '', site = null, ...more] = word.split('@');
  return isName(node) && (site === null || isName(site)) && more.length === 0 ? { node, site } : null;
}

/** Of each line: what is longer is two that a lost line feed has joined. */
const mostFields = 15;

/**
 * Reads the colon form of `clRGinfo -s` and `-c` (5.x to 7.x): a line for each group and node, 15 fields as seen on 7.1.
 *
 * @returns The lines in printed order, which is no priority order.
 * @throws {@link ParseError} at a message line, at a line of more than 15 fields, at a line that has another number of fields than the first or ends before
 *   the site, and at an empty answer: half an answer is none. Nothing but a line feed tells that a last field
 *   which is read is whole; the empty ones behind the site tell it, too.
 */
export function parseGroupRows(text: string): GroupRow[] {
  const source = 'clRGinfo -s';
  const lines = linesOf(text);
  const width = lines[0]?.text.split(':').length ?? 0;
  if (width > mostFields)
    throw new ParseError(source, `${width} fields, where no level prints more than ${mostFields}`, lines[0] ?? nowhere);
  if (lines.length === 0) throw new ParseError(source, 'no line', nowhere);
  const rows = lines.map((line) => {
    const fields = line.text.split(':');
    const [group = '', state = '', node = '', type = '', startup = '', fallover = '', fallback = '', sitePolicy = ''] =
      fields;
    if (fields.length < 3 || !isName(group) || !isName(node) || !/^\S+( \S+)*$/.test(state)) {
      throw new ParseError(source, 'not a line of group, state and node', line);
    }
    if (fields.length !== width) {
      throw new ParseError(source, `${fields.length} fields where the first line has ${width}`, line);
    }
    const site = fields[8]?.trim() || null;
    return { group, node, site, state, role: roleOf(state), type, startup, fallover, fallback, sitePolicy };
  });
  const ended = text.slice(text.trimEnd().length).includes('\n');
  if ((width > 3 && width < 9) || (width < 10 && !ended)) {
    throw new ParseError(source, 'a line that is cut', lines.at(-1) ?? nowhere);
  }
  return rows;
}

function isName(word: string): boolean {
  return /^[\w.-]+$/.test(word);
}
