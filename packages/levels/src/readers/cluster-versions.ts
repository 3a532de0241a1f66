import { ParseError } from '@splitmirror/host';
import { saidLines, wholeLines } from './lines.ts';

/** The level lines of `lssrc -ls clstrmgrES`. `null`: not printed, as by a cluster manager that is not configured. */
export interface ClusterManagerLevels {
  /** State word, for instance `ST_STABLE`; `null` when the level lines were cut out with `grep`. */
  readonly state: string | null;
  /** Protocol version that the whole cluster speaks: the lowest of its members. */
  readonly clVersion: number | null;
  /** Installed level of this node as packed digits: `7130` is 7.1.3.0. */
  readonly localNodeVrmf: string | null;
  readonly clusterFixLevel: number | null;
}

/**
 * Reads the lines about levels from what `lssrc -ls clstrmgrES` prints. Its other lines differ from level to level and
 * tell nothing about it; they are not looked at.
 *
 * @throws ParseError when none of these lines is there or one is printed twice, or when the output was cut.
 */
export function parseClusterManagerLevels(text: string): ClusterManagerLevels {
  const lines = wholeLines('lssrc -ls clstrmgrES', text);
  const one = (pattern: RegExp): string | null => {
    const found = lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
    if (found.length > 1)
      throw new ParseError('lssrc -ls clstrmgrES', `printed twice: ${pattern.source}`, { line: 1, text });
    return found[0] ?? null;
  };
  const state = one(/^Current state:\s*(\S+)\s*$/);
  const clVersion = one(/^CLversion:\s*(\d+)\s*$/);
  const clusterFixLevel = one(/^cluster fix level is "(\d+)"\s*$/);
  const localNodeVrmf = one(/^local node vrmf is (\d{4,5})\s*$/);
  if (state === null && clVersion === null && localNodeVrmf === null && clusterFixLevel === null) {
    throw new ParseError('lssrc -ls clstrmgrES', 'neither a state nor a level', { line: 1, text });
  }
  return {
    state,
    clVersion: clVersion === null ? null : Number(clVersion),
    localNodeVrmf,
    clusterFixLevel: clusterFixLevel === null ? null : Number(clusterFixLevel),
  };
}

/**
 * Reads the cluster version from what `odmget HACMPcluster` prints.
 *
 * @returns The number in `cluster_version`, or `null` when no cluster is defined (no output).
 * @throws ParseError at a line of another shape, or when there are two different numbers.
 */
export function parseClusterVersion(text: string): number | null {
  const versions = new Set(versionsIn('odmget HACMPcluster', text, 'cluster_version'));
  if (versions.size > 1) throw new ParseError('odmget HACMPcluster', 'two cluster versions', { line: 1, text });
  const [version = null] = versions;
  if (version === null && text.trim() !== '') {
    throw new ParseError('odmget HACMPcluster', 'no cluster_version', { line: 1, text });
  }
  return version;
}

/**
 * Reads the versions of all configured nodes from what `odmget HACMPnode` prints: one for each row, and a node has a
 * row for each of its attributes.
 *
 * @throws ParseError at a line of another shape.
 */
export function parseNodeVersions(text: string): number[] {
  return versionsIn('odmget HACMPnode', text, 'version');
}

function versionsIn(source: string, text: string, attribute: string): number[] {
  return saidLines(source, text).flatMap((at) => {
    const [, name, value = ''] = /^\s*(\w+) = ?(.*)$/.exec(at.text) ?? [];
    if (name === undefined && !/^\w+:$/.test(at.text)) {
      throw new ParseError(source, 'neither a stanza nor an attribute', at);
    }
    if (name !== attribute) return [];
    const version = /^\d+/.exec(value)?.[0];
    if (version === undefined) throw new ParseError(source, 'not a number', at);
    return [Number(version)];
  });
}

const products: Readonly<Record<number, string>> = {
  15: 'PowerHA 7.1.3',
  16: 'PowerHA 7.2.0',
  17: 'PowerHA 7.2.1',
  18: 'PowerHA 7.2.2',
};

/** The product behind a version number, where a public text tells it; the bare number otherwise. */
export function nameClusterVersion(version: number): string {
  const product = products[version];
  return product === undefined ? String(version) : `${version} (${product})`;
}
