import { ParseError } from '@splitmirror/host';

/** An object of the ODM, as `odmget CLASS` prints it. */
export interface OdmObject {
  readonly className: string;
  /** Strings without their quotes, numbers as numbers. */
  readonly attributes: Readonly<Record<string, string | number>>;
}

const pair = /^\s*(\w+) = (?:"(.*)"|(-?\d+))\s*$/;

/**
 * Reads what `odmget` prints: for each object its class, then its attributes.
 *
 * @throws {@link ParseError} at a line that is neither, and at an attribute that comes twice in one object.
 */
export function parseOdmObjects(text: string): OdmObject[] {
  const objects: { className: string; attributes: Map<string, string | number> }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const className = /^(\w+):\s*$/.exec(line)?.[1];
    const [, name, string, number] = pair.exec(line) ?? [];
    const attributes = objects.at(-1)?.attributes;
    if (className) {
      objects.push({ className, attributes: new Map() });
    } else if (name && attributes && !attributes.has(name)) {
      attributes.set(name, string?.replace(/\\(["\\])/g, '$1') ?? Number(number));
    } else {
      throw new ParseError('odmget', 'not a class or an attribute', { line: index + 1, text: line });
    }
  }
  return objects.map((object) => ({ ...object, attributes: Object.fromEntries(object.attributes) }));
}

/**
 * Reads the levels that `odmget HACMPnode | grep version` (or `HACMPcluster`) lists: a number for each stanza, several of
 * which belong to one node. More than one distinct number means that the nodes are not at the same level.
 *
 * @throws {@link ParseError} at a line of another shape.
 */
export function parseOdmVersions(text: string): number[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    // What stands behind the number is a remark of whoever wrote it down.
    const number = /^\s*(?:cluster_)?version = (-?\d+)(?:\s.*)?$/.exec(line)?.[1];
    if (number !== undefined) return [Number(number)];
    throw new ParseError('odmget HACMPnode', 'not a version', { line: index + 1, text: line });
  });
}
