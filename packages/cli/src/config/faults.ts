import { isMap, type LineCounter, type Node } from 'yaml';
import type { z } from 'zod';
import { configSchema } from './schema.ts';

/** A fault of a file: where it stands (offset of its first character), and what it is. */
export interface Fault {
  readonly offset: number;
  readonly message: string;
}

/** The part of a parsed YAML document that tells where things stand. */
interface Located {
  getIn(path: readonly unknown[], keepScalar: true): unknown;
}

/** What an issue of the schema means in a document: one fault for each setting that nobody knows, one for anything else. */
export function faultsOf(document: Located, issue: z.core.$ZodIssue): Fault[] {
  const at = issue.path.join('.');
  const node = nodeAt(document, issue.path);
  if (issue.code !== 'unrecognized_keys') {
    return [{ offset: offsetOf(document, issue.path), message: `${at || 'file'}: ${messageOf(issue, document)}` }];
  }
  const known = Object.keys(schemaAt(issue.path)?.def.shape ?? {});
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    return {
      offset: keyOffset(node, key) ?? node?.range?.[0] ?? 0,
      message: `${at === '' ? key : `${at}.${key}`}: no such setting${near === undefined ? '' : ` (did you mean ${near}?)`}`,
    };
  });
}

/** Where a setting stands in a document; where it is not there, that of what would hold it. */
export function offsetOf(document: Located, path: readonly PropertyKey[]): number {
  return nodeAt(document, path)?.range?.[0] ?? 0;
}

function nodeAt(document: Located, path: readonly PropertyKey[]): Node | undefined {
  // What is missing has no place: that of its parent is told.
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as Node | undefined | null;
    if (node !== undefined && node !== null && typeof node === 'object') return node;
  }
  return undefined;
}

function keyOffset(node: Node | undefined, key: string): number | undefined {
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key: name }) => (name as { value?: unknown }).value === key);
  return (pair?.key as Node | undefined)?.range?.[0];
}

/** An issue in words: what is wanted, and where a setting has several forms, what the schema says of it. */
function messageOf(issue: z.core.$ZodIssue, document: Located): string {
  if (issue.code === 'invalid_type') {
    const isThere = issue.path.length > 0 && document.getIn(issue.path, true) !== undefined;
    return `${isThere ? '' : 'missing: '}${forms[issue.expected] ?? issue.expected} is wanted`;
  }
  const meant = schemaAt(issue.path)?.meta?.()?.description;
  if (issue.code === 'too_small' && issue.origin === 'string') {
    return `it is empty${meant === undefined ? '' : `; this is wanted: ${meant}`}`;
  }
  if (issue.code !== 'invalid_union') return issue.message;
  return meant === undefined ? issue.message : `this is wanted: ${meant}`;
}

/** What the schema calls a form, in words of a person who writes YAML. */
const forms: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a block of settings',
  record: 'a block of names',
};

interface Schema {
  readonly def: {
    readonly shape?: Readonly<Record<string, Schema>>;
    readonly innerType?: Schema;
    readonly valueType?: Schema;
  };
  meta?(): { readonly description?: string } | undefined;
}

/** The schema of a place, without what makes it optional. */
function schemaAt(path: readonly PropertyKey[]): Schema | undefined {
  let schema = bare(configSchema as unknown as Schema);
  for (const key of path) {
    const next = schema.def.shape?.[String(key)] ?? schema.def.valueType;
    if (next === undefined) return undefined;
    schema = bare(next);
  }
  return schema;
}

function bare(schema: Schema): Schema {
  return schema.def.innerType === undefined ? schema : bare(schema.def.innerType);
}

/** The known name that a wrong one resembles most, if any does. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const near = known
    .map((other) => ({ other, changes: distance(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ changes }) => changes <= 2)
    .sort((a, b) => a.changes - b.changes);
  return near[0]?.other;
}

/** Changes of single letters between two words, neighbours that changed places counting as two. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** Line and column of a fault, counted from 1. */
export function placeOf(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}
