import { linesOf, nowhere, ParseError } from '@splitmirror/host';

/** A way to a node, from `cllsnode`. */
export interface NodeInterface {
  readonly network: string;
  readonly name: string;
  /** `public`, `private`, ... as printed. */
  readonly attribute: string;
  readonly address: string;
}

/** A configured node, whether it runs or not. */
export interface ConfiguredNode {
  readonly name: string;
  readonly interfaces: readonly NodeInterface[];
}

/**
 * Reads what `cllsnode` prints.
 *
 * @throws {@link ParseError} at a line that is no node, network or interface, and when no node is told.
 */
export function parseConfiguredNodes(text: string): ConfiguredNode[] {
  const nodes: { name: string; interfaces: NodeInterface[] }[] = [];
  let network: string | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '') continue;
    const name = /^NODE (\S+):$/.exec(line)?.[1];
    const net = /^Interfaces to network (\S+)$/.exec(line)?.[1];
    const found = /^Communication Interface: Name (\S+), Attribute (\S+), IP address (\S+)$/.exec(line);
    const node = nodes.at(-1);
    if (name) {
      nodes.push({ name, interfaces: [] });
      network = undefined;
    } else if (net && node) {
      network = net;
    } else if (found && node && network) {
      const [, label = '', attribute = '', address = ''] = found;
      node.interfaces.push({ network, name: label, attribute, address });
    } else {
      throw new ParseError('cllsnode', 'not a node, a network or an interface', { line: index + 1, text: raw });
    }
  }
  const names = nodes.map((node) => node.name);
  if (names.length === 0 || new Set(names).size < names.length) {
    throw new ParseError('cllsnode', 'no node, or one that comes twice', { line: 1, text });
  }
  return nodes;
}

/** A node as RSCT sees it, from `lsrpnode`. Each side of a partition calls the other `Offline`. */
export interface PeerNode {
  readonly name: string;
  /** `Online` or `Offline`; other words as printed. */
  readonly state: string;
  readonly rsctVersion: string;
}

/**
 * Reads what `lsrpnode` prints.
 *
 * @throws {@link ParseError} without its heading or a node, and at a row of another shape.
 */
export function parsePeerNodes(text: string): PeerNode[] {
  const [heading = nowhere, ...rows] = linesOf(text);
  if (!/^\s*Name\s+OpState\s+RSCTVersion$/.test(heading.text) || rows.length === 0) {
    throw new ParseError('lsrpnode', 'no heading, or no node', heading);
  }
  const names = new Set<string>();
  return rows.map((row) => {
    const [, name, state, rsctVersion] = /^\s*(\S+)\s+([A-Z]\w*(?: [a-z]+)*)\s+(\d+(?:\.\d+){3})$/.exec(row.text) ?? [];
    if (name && state && rsctVersion && !names.has(name)) {
      names.add(name);
      return { name, state, rsctVersion };
    }
    throw new ParseError('lsrpnode', 'not a node, its state and its level, or one that comes twice', row);
  });
}

/**
 * Reads names, one a line: `clgetactivenodes`, `cllsgrp`, `clodmget -n -f name HACMPnode`, `clmgr query node`.
 * Compare them whole: `db1` is part of `db10`.
 *
 * @throws {@link ParseError} at a line of more than one word: a message.
 */
export function parseNames(text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const name = line.trim();
    if (name === '') return [];
    if (/^[\w.-]+$/.test(name)) return [name];
    throw new ParseError('list of names', 'not one name', { line: index + 1, text: line });
  });
}
