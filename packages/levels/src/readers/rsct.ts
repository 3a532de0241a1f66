import { nowhere, ParseError } from '@splitmirror/host';
import { saidLines } from './lines.ts';

/** One peer domain as `lsrpdomain` lists it. */
export interface PeerDomain {
  readonly name: string;
  /** `Online`, `Offline`, `Pending online` ... */
  readonly opState: string;
  /** Version that the domain as a whole speaks. */
  readonly rsctActiveVersion: string;
  /** The active version was not raised to what all nodes could speak. It does not mean that nodes differ now. */
  readonly mixedVersions: boolean;
  readonly tsPort: number;
  readonly gsPort: number;
}

/** One node of a peer domain as `lsrpnode` lists it. */
export interface PeerNode {
  readonly name: string;
  readonly opState: string;
  /** Of an offline node: what the domain remembers. */
  readonly rsctVersion: string;
}

const version = /^[\d.]+$/;

/**
 * Reads what `lsrpdomain` prints.
 *
 * @throws ParseError at a line of another shape, or when the output was cut.
 */
export function parsePeerDomains(text: string): PeerDomain[] {
  return table('lsrpdomain', text, /^Name\s+OpState\s+RSCTActiveVersion\s+MixedVersions\s+TSPort\s+GSPort$/, (line) => {
    const [name = '', ...words] = line.split(/\s+/);
    const [rsctActiveVersion = '', mixed = '', tsPort = '', gsPort = ''] = words.splice(-4);
    if (
      words.length === 0 ||
      !version.test(rsctActiveVersion) ||
      !/^(?:Yes|No) \d+ \d+$/.test(`${mixed} ${tsPort} ${gsPort}`)
    )
      return null;
    return {
      name,
      opState: words.join(' '),
      rsctActiveVersion,
      mixedVersions: mixed === 'Yes',
      tsPort: Number(tsPort),
      gsPort: Number(gsPort),
    };
  });
}

/**
 * Reads what `lsrpnode` prints.
 *
 * @throws ParseError at a line of another shape, or when the output was cut.
 */
export function parsePeerNodes(text: string): PeerNode[] {
  return table('lsrpnode', text, /^Name\s+OpState\s+RSCTVersion$/, (line) => {
    const [name = '', ...words] = line.split(/\s+/);
    const rsctVersion = words.pop() ?? '';
    return words.length === 0 || !version.test(rsctVersion) ? null : { name, opState: words.join(' '), rsctVersion };
  });
}

/** The state may be several words: the rows are read from both ends. */
function table<T>(source: string, text: string, header: RegExp, read: (line: string) => T | null): T[] {
  const [title = nowhere, ...rows] = saidLines(source, text);
  if (!header.test(title.text.trim())) throw new ParseError(source, 'no header', title);
  return rows.map((at) => {
    const row = read(at.text.trim());
    if (row === null) throw new ParseError(source, 'not a row', at);
    return row;
  });
}
