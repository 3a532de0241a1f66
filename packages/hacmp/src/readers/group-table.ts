import { type Line, linesOf, nowhere, ParseError } from '@splitmirror/host';
import { type GroupInstance, knownStates, meaningOf, placeOf, roleOf } from './resource-groups.ts';

const ruler = /^-[\s-]*$/;
const heading = /^(Group Name\s+)((?:Group )?State\s+)Node\s*$/;
const statePattern = /^[A-Z]\w*( \w+)*$/;

/**
 * Reads the table that `clRGinfo` prints without options (and `clfindres` from 5.x on). Four widths of its columns are
 * known, so they are taken from the heading; a row that fits neither them, nor a gap of two blanks, nor a known state is
 * refused. For people: decide with the colon form, because nobody has seen what the table does to long names.
 *
 * @throws {@link ParseError} without the heading between two rulers, without a row, at a row of another shape, and at a
 *   state that has run into the group before it or the node behind it.
 */
export function parseGroupTable(text: string): GroupInstance[] {
  const source = 'clRGinfo';
  const [above = nowhere, title = nowhere, below = nowhere, ...rows] = linesOf(text);
  const columns = heading.exec(title.text);
  if (!columns || !ruler.test(above.text) || !ruler.test(below.text)) {
    throw new ParseError(source, 'no heading between two rulers', above);
  }
  const stateAt = columns[1]?.length ?? 0;
  const nodeAt = stateAt + (columns[2]?.length ?? 0);
  const instances: GroupInstance[] = [];
  const seen = new Set<string>();
  const states = knownStates();
  let group = '';
  for (const row of rows) {
    if (ruler.test(row.text)) continue;
    const fields = byColumn(row.text, stateAt, nodeAt) ?? behindColumns(row.text, title.text, stateAt, nodeAt);
    if (!fields || runsOn(fields, states) || (fields[0] === '' && group === '')) {
      throw new ParseError(source, 'not a row of group, state and node', row);
    }
    group = fields[0] || group;
    const place = placeOf(fields[2]);
    const key = `${group} ${place?.node}`;
    if (!place || seen.has(key)) throw new ParseError(source, 'not a node, or one that comes twice', row);
    seen.add(key);
    instances.push({ group, ...place, state: fields[1], role: roleOf(fields[1]) });
  }
  if (instances.length === 0) throw new ParseError(source, 'no row', below);
  return instances;
}

type Fields = readonly [group: string, state: string, node: string];

function byColumn(line: string, stateAt: number, nodeAt: number): Fields | null {
  if (line[stateAt - 1] !== ' ' || line[nodeAt - 1] !== ' ' || line[stateAt] === ' ' || line[nodeAt] === ' ')
    return null;
  return checked(line.slice(0, stateAt).trim(), line.slice(stateAt, nodeAt).trim(), line.slice(nodeAt).trim());
}

/** Columns are padded: what has left its own can only stand further right, unless tabs or single blanks part them. */
function behindColumns(line: string, title: string, stateAt: number, nodeAt: number): Fields | null {
  const fields = byGap(line) ?? byState(line);
  if (!fields || !title.includes('  ') || line.includes('\t')) return fields;
  const stateStart = /^\S*\s+/.exec(line)?.[0].length ?? 0;
  return stateStart >= stateAt && line.length - fields[2].length >= nodeAt ? fields : null;
}

function byGap(line: string): Fields | null {
  const continued = /^\s/.test(line);
  const fields = line.trim().replaceAll('\t', '  ').split(/ {2,}/);
  const [group, state, node] = continued ? ['', ...fields] : fields;
  if (fields.length !== (continued ? 2 : 3)) return null;
  return checked(group ?? '', state ?? '', node ?? '');
}

/**
 * A name that fills its column leaves one blank. Then only a state that is known tells where it ends, and none where it
 * begins if `TEMP` or `TEMPORARY` may have run into the name.
 */
function byState(line: string): Fields | null {
  const [, group = '', state = '', node = ''] = /^(\S*) +([A-Z][A-Za-z ]*[A-Za-z]) +(\S+)$/.exec(line) ?? [];
  if (/TEMP(ORARY)?$/.test(group) && state.startsWith('ERROR')) return null;
  return meaningOf(state) === 'unknown' ? null : checked(group, state, node);
}

/** A text that fills its column runs into the next: `OFFLINE SECONDARYn1` would pass for OFFLINE on `SECONDARYn1`. */
function runsOn([, state, node]: Fields, states: readonly string[]): boolean {
  const text = `${state} ${node}`.toLowerCase();
  return states.some((known) => known.length > state.length && text.startsWith(known.toLowerCase()));
}

function checked(group: string, state: string, node: string): Fields | null {
  return /^\S*$/.test(group) && statePattern.test(state) && /^\S+$/.test(node) ? [group, state, node] : null;
}

/** A group in the words of HACMP 4.x: one place, not a row for each node. */
export interface FoundGroup {
  readonly name: string;
  /** `cascading`, `rotating` or `concurrent`. */
  readonly type: string;
  /** `UP` is what later levels call `ONLINE`. */
  readonly state: string;
  readonly location: string;
}

/**
 * Reads `clfindres` of HACMP 4.x, with or without `-s`. Later levels answer the same command with the table of `clRGinfo`,
 * {@link parseGroupTable}, or with its colon form. A name may stand on a line of its own, its row on the next.
 *
 * @throws {@link ParseError} with other columns than the four that are known (4.4 and 4.5 may add one), and at a row that
 *   has not one word for each: more locations than one may be a list or a sticky location.
 */
export function parseFoundGroups(text: string): FoundGroup[] {
  const source = 'clfindres';
  const [heading = nowhere, ...rows] = unwrapped(linesOf(text).filter((line) => !ruler.test(line.text)));
  if (wordsOf(heading).join(' ') !== 'GroupName Type State Location' || rows.length === 0) {
    throw new ParseError(source, 'not rows of group, type, state and location', heading);
  }
  const seen = new Set<string>();
  return rows.map((row) => {
    const [label = '', type = '', state = '', location = '', ...more] = wordsOf(row);
    const name = label.replace(/:$/, '');
    if (!/^[a-z]/.test(type) || !/^[A-Z]+$/.test(state) || location === '') {
      throw new ParseError(source, 'not a group, its type, its state and its location', row);
    }
    if (more.length > 0) throw new ParseError(source, 'more than one location under one heading', row);
    // A concurrent group may have a row for each location.
    if (seen.has(`${name} ${location}`)) throw new ParseError(source, 'a group twice at one location', row);
    seen.add(`${name} ${location}`);
    return { name, type, state, location };
  });
}

/** Puts a word that is alone on its line before the line that follows. */
function unwrapped(lines: readonly Line[]): Line[] {
  const rows: Line[] = [];
  let name: Line | undefined;
  for (const line of lines) {
    const whole: Line = name ? { line: name.line, text: `${name.text} ${line.text}` } : line;
    name = wordsOf(whole).length === 1 ? whole : undefined;
    if (!name) rows.push(whole);
  }
  return name ? [...rows, name] : rows;
}

function wordsOf({ text }: Line): string[] {
  return text.trim().split(/\s+/);
}
