import { ParseError } from '@splitmirror/host';
import { wholeLines } from './lines.ts';

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

/**
 * Reads what `lsrpdomain` prints.
 *
 * @throws ParseError at a line of another shape, or when the output was cut.
 */
export function parsePeerDomains(text: string): PeerDomain[] {
  return table('lsrpdomain', text, /^Name\s+OpState\s+RSCTActiveVersion\s+MixedVersions\s+TSPort\s+GSPort$/, (line) => {
    const [, name, opState, rsctActiveVersion, mixed, tsPort, gsPort] =
      /^(\S+) +(\S.*?) +([\d.]+) +(Yes|No) +(\d+) +(\d+)$/.exec(line) ?? [];
    if (name === undefined || opState === undefined || rsctActiveVersion === undefined) return null;
    return {
      name,
      opState,
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
    const [, name, opState, rsctVersion] = /^(\S+) +(\S.*?) +([\d.]+)$/.exec(line) ?? [];
    return name === undefined || opState === undefined || rsctVersion === undefined
      ? null
      : { name, opState, rsctVersion };
  });
}

function table<T>(source: string, text: string, header: RegExp, read: (line: string) => T | null): T[] {
  const [title = '', ...rows] = wholeLines(source, text).map((line) => line.trimEnd());
  if (!header.test(title)) throw new ParseError(source, 'no header', { line: 1, text: title });
  return rows.map((line, index) => {
    const row = read(line);
    if (row === null) throw new ParseError(source, 'not a row', { line: index + 2, text: line });
    return row;
  });
}
