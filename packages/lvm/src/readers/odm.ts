import { linesOf, ParseError } from '@splitmirror/host';

/** An object of the ODM. */
export interface OdmObject {
  readonly class: string;
  /** Numbers stand bare in the output, strings between quotation marks. */
  readonly attributes: Readonly<Record<string, string | number>>;
}

/**
 * Reads what `odmget` prints.
 *
 * @throws ParseError at the first line of another shape, and at an attribute that comes twice in an object.
 */
export function parseOdmObjects(text: string): OdmObject[] {
  const objects: { class: string; attributes: Map<string, string | number> }[] = [];
  for (const at of linesOf(text)) {
    const [, name] = /^(\w+):$/.exec(at.text) ?? [];
    if (name !== undefined) {
      objects.push({ class: name, attributes: new Map() });
      continue;
    }
    const [, key, string, number] = /^\s*(\w+) = (?:"(.*)"|(-?\d+))$/.exec(at.text) ?? [];
    const open = objects.at(-1);
    if (key === undefined || open === undefined) throw new ParseError('odmget', 'neither a class nor an attribute', at);
    if (open.attributes.has(key)) throw new ParseError('odmget', `${key} a second time`, at);
    open.attributes.set(key, string?.replaceAll(/\\(["\\])/g, '$1') ?? Number(number));
  }
  return objects.map((object) => ({ ...object, attributes: Object.fromEntries(object.attributes) }));
}
