import { linesOf, nowhere, ParseError } from '@splitmirror/host';
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
  let group = '';
  for (const row of rows) {
    if (ruler.test(row.text)) continue;
    const fields = byColumn(row.text, stateAt, nodeAt) ?? behindColumns(row.text, title.text, stateAt, nodeAt);
    if (!fields || runsOn(fields) || (fields[0] === '' && group === '')) {
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
function runsOn([, state, node]: Fields): boolean {
  const text = `${state} ${node}`.toLowerCase();
  return knownStates.some((known) => known.length > state.length && text.startsWith(known.toLowerCase()));
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
 * Reads `clfindres` of HACMP 4.x. Later levels answer the same command with the table of `clRGinfo`:
 * {@link parseGroupTable}.
 *
 * @throws {@link ParseError} with other columns than the four that are known (4.4 and 4.5 may add one), or half a row.
 */
export function parseFoundGroups(text: string): FoundGroup[] {
  const words = text.split(/\s+/).filter((word) => word !== '' && !/^-+$/.test(word));
  const columns = words.splice(0, 4);
  const known = columns.join(' ') === 'GroupName Type State Location';
  if (!known || words.length === 0 || words.length % 4 !== 0) {
    throw new ParseError('clfindres', 'not rows of group, type, state and location', { line: 1, text });
  }
  return Array.from({ length: words.length / 4 }, (_, index) => {
    const [name = '', type = '', state = '', location = ''] = words.slice(index * 4, index * 4 + 4);
    if (!/^[a-z]/.test(type) || !/^[A-Z]+$/.test(state)) {
      throw new ParseError('clfindres', 'not a type and a state', { line: 1, text: `${type} ${state}` });
    }
    return { name: name.replace(/:$/, ''), type, state, location };
  });
}
