import { linesOf, nowhere, ParseError } from '@splitmirror/host';

/** A node as the cluster sees it. This is the one query which shows a node whose services were stopped by force. */
export interface NodeState {
  /** Cluster node name. */
  readonly name: string;
  /** `NORMAL`, `OFFLINE` or `UNMANAGED`; other words are kept as printed. */
  readonly state: string;
  /** `ST_STABLE`, `ST_INIT`, `UNMANAGED` ...; may be empty. */
  readonly rawState: string;
}

/** Answer of `clmgr -cv -a ... query CLASS`. */
export interface ColonTable {
  /** Attribute names in capitals, without the `# ` before them. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Reads clmgr's colon form: a header that begins with `# `, then one line an object.
 *
 * @throws {@link ParseError} without the header, or at a line with another number of fields: a message.
 */
export function parseColonTable(text: string): ColonTable {
  const [header = nowhere, ...lines] = linesOf(text);
  if (!/^# [A-Z][A-Z0-9_]*(:[A-Z][A-Z0-9_]*)*$/.test(header.text)) {
    throw new ParseError('clmgr -cv', 'no header of attribute names', header);
  }
  const columns = header.text.slice(2).split(':');
  const rows = lines.map((line) => {
    const fields = line.text.split(':');
    if (fields.length === columns.length) return fields;
    throw new ParseError('clmgr -cv', `${fields.length} fields for ${columns.length} attributes`, line);
  });
  return { columns, rows };
}

/**
 * Reads `clmgr -cv -a name,state,raw_state query node` (7.1 and later).
 *
 * @throws {@link ParseError} also when an attribute is missing, a node is told twice or none is told.
 */
export function parseNodeStates(text: string): NodeState[] {
  const source = 'clmgr query node';
  const { columns, rows } = parseColonTable(text);
  const [name, state, raw] = ['NAME', 'STATE', 'RAW_STATE'].map((column) => columns.indexOf(column));
  const found = rows.map((row): NodeState => {
    return { name: row[name ?? -1] ?? '', state: row[state ?? -1] ?? '', rawState: row[raw ?? -1] ?? '' };
  });
  const at = { line: 1, text };
  if ([name, state, raw].includes(-1)) throw new ParseError(source, 'NAME, STATE or RAW_STATE is missing', at);
  if (found.length === 0 || found.some((node) => !/^\S+$/.test(node.name))) {
    throw new ParseError(source, 'no node, or one without a name', at);
  }
  if (new Set(found.map((node) => node.name)).size < found.length) {
    throw new ParseError(source, 'a node is told twice', at);
  }
  return found;
}
