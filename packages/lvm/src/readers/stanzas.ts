import { linesOf, ParseError } from '@splitmirror/host';

/** A stanza of /etc/filesystems. */
export interface Stanza {
  /** Mount point, or `default`. */
  readonly name: string;
  /** Attributes as they stand there, without quotation marks around the value. */
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * Reads /etc/filesystems: a name with a colon at the start of a line, attributes below it, comments from `*`.
 *
 * @throws ParseError at a line that is neither, and at an attribute that is there twice.
 * @see https://www.ibm.com/docs/en/aix/7.2?topic=files-filesystems-file
 */
export function parseStanzas(text: string): Stanza[] {
  const stanzas: { name: string; attributes: Map<string, string> }[] = [];
  for (const at of linesOf(text)) {
    if (/^\s*\*/.test(at.text)) continue;
    const [, name] = /^(\S+):$/.exec(at.text) ?? [];
    if (name !== undefined) {
      stanzas.push({ name, attributes: new Map() });
      continue;
    }
    const [, key, value = ''] = /^\s*([^\s=]+)\s*=(.*)$/.exec(at.text) ?? [];
    const open = stanzas.at(-1);
    if (key === undefined || open === undefined)
      throw new ParseError('/etc/filesystems', 'neither a stanza nor an attribute', at);
    if (open.attributes.has(key)) throw new ParseError('/etc/filesystems', `${key} a second time`, at);
    open.attributes.set(key, value.trim().replace(/^"(.*)"$/, '$1'));
  }
  return stanzas.map(({ name, attributes }) => ({ name, attributes: Object.fromEntries(attributes) }));
}
