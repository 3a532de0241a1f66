import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A stanza of `/etc/filesystems`. */
export interface Stanza {
  /** Mount point. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** AIX no longer recognises a stanza that is longer. */
const stanzaBytes = 512;

/** Stanzas of the text, as AIX's commands read them: comments and what belongs to no stanza are passed over. */
function parseStanzas(text: string): Stanza[] {
  return sections(text).flatMap(({ name, lines }) => {
    const own = lines.slice(0, lines.length - trailing(lines).length);
    if (name === undefined || Buffer.byteLength(own.join('')) > stanzaBytes) return [];
    const attributes = new Map<string, string>();
    for (const line of lines.slice(1)) {
      const match = /^\s+([^=\s]+)\s*=\s*(.*?)\s*$/.exec(line);
      if (match?.[1] !== undefined) attributes.set(match[1], (match[2] ?? '').replace(/^"(.*)"$/, '$1'));
    }
    return [{ name, attributes }];
  });
}

/** The text with one stanza replaced or added; everything else stays byte for byte. */
function withStanza(text: string, stanza: Stanza): string {
  const printed = printStanza(stanza);
  let found = false;
  const parts = sections(text).map(({ name, lines }) => {
    if (name !== stanza.name || found) return lines.join('');
    found = true;
    return printed + trailing(lines).join('');
  });
  if (found) return parts.join('');
  const before = parts.join('');
  const gap = before === '' || before.endsWith('\n\n') ? '' : before.endsWith('\n') ? '\n' : '\n\n';
  return `${before}${gap}${printed}`;
}

/** The text without a stanza. */
function withoutStanza(text: string, name: string): string {
  return sections(text)
    .filter((section) => section.name !== name)
    .map(({ lines }) => lines.join(''))
    .join('');
}

function printStanza({ name, attributes }: Stanza): string {
  const lines = [...attributes].map(
    ([key, value]) => `\t${key.padEnd(15)} = ${/\s/.test(value) ? `"${value}"` : value}\n`,
  );
  return `${name}:\n${lines.join('')}`;
}

/** Comments and blank lines after a stanza are not part of it. */
function trailing(lines: readonly string[]): readonly string[] {
  const last = lines.findLastIndex((line) => /^\s+[^\s*]/.test(line));
  return lines.slice(last < 0 ? 1 : last + 1);
}

function sections(text: string): { name: string | undefined; lines: string[] }[] {
  const found: { name: string | undefined; lines: string[] }[] = [{ name: undefined, lines: [] }];
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const match = /^([^\s*:][^\s]*):\s*$/.exec(line);
    if (match !== null) found.push({ name: match[1], lines: [line] });
    else found.at(-1)?.lines.push(line);
  }
  return found;
}

/** `/etc/filesystems` of one node, read and written as the file that it is. */
export interface StanzaFile {
  read(): Stanza[];
  find(mountPoint: string): Stanza | undefined;
  ofDevice(device: string): Stanza | undefined;
  put(stanza: Stanza): void;
  remove(mountPoint: string): void;
}

/** The stanza file below a node's root directory. */
export function stanzaFile(root: string): StanzaFile {
  const path = join(root, 'etc/filesystems');
  const text = () => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  const save = (changed: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, changed);
    renameSync(`${path}.new`, path);
  };
  return {
    read: () => parseStanzas(text()),
    find: (mountPoint) => parseStanzas(text()).find(({ name }) => name === mountPoint),
    ofDevice: (device) => parseStanzas(text()).find(({ attributes }) => attributes.get('dev') === device),
    put: (stanza) => save(withStanza(text(), stanza)),
    remove: (mountPoint) => save(withoutStanza(text(), mountPoint)),
  };
}
