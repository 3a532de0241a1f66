import { ParseError } from '@splitmirror/host';

/** A variable of the cluster's MIB. */
export interface Varbind {
  readonly name: string;
  /** The digits after the name, for instance `0` or `2.1`. */
  readonly index: string;
  /** Addresses and hexadecimal strings as printed. */
  readonly value: string | number;
}

/** The cluster branch of the MIB. As old as a poll may be: it may refuse a backup, never allow one. */
export interface SnmpCluster {
  readonly name: string;
  readonly id: number;
  /** `up`, `down`, `unknown`, `notconfigured`; another number is `unknown`. */
  readonly state: string;
  /** `stable`, `unstable`, `error`, `reconfig`, `notsynced`, `notconfigured`; another number is `unknown`. */
  readonly substate: string;
  /** Seconds since 1970. */
  readonly lastChange: number;
  /** The node whose agent answered. `clusterPrimaryNodeName` beside it is a leftover without meaning. */
  readonly answeringNode: string;
  readonly nodeCount: number;
}

/**
 * Reads what `snmpinfo -v -m dump` prints: `name.index = value` on each line.
 *
 * @throws {@link ParseError} at a line of another shape, and at a variable that comes twice.
 */
export function parseVarbinds(text: string): Varbind[] {
  const seen = new Set<string>();
  return text.split('\n').flatMap((line, index): Varbind[] => {
    if (line.trim() === '') return [];
    const [, name = '', at = '', string, number, word] =
      /^([A-Za-z]\w*)\.(\d[\d.]*) = (?:"([^"]*)"|(-?\d+)|([\da-fA-Fx.:]+))\s*$/.exec(line) ?? [];
    if (name === '' || seen.has(`${name}.${at}`)) {
      throw new ParseError('snmpinfo', 'not a variable and its value, or told twice', { line: index + 1, text: line });
    }
    seen.add(`${name}.${at}`);
    return [{ name, index: at, value: string ?? word ?? Number(number) }];
  });
}

/**
 * Picks the cluster branch out of a dump.
 *
 * @throws {@link ParseError} when a variable of it is missing: a dump that was cut.
 */
export function parseSnmpCluster(text: string): SnmpCluster {
  const varbinds = parseVarbinds(text);
  const value = (name: string) => {
    const found = varbinds.find((varbind) => varbind.name === name && varbind.index === '0');
    if (found) return found.value;
    throw new ParseError('snmpinfo', `no ${name}.0`, { line: 1, text });
  };
  return {
    name: String(value('clusterName')),
    id: Number(value('clusterId')),
    state: states[Number(value('clusterState'))] ?? 'unknown',
    substate: substates[Number(value('clusterSubState'))] ?? 'unknown',
    lastChange: Number(value('clusterLastChange')),
    answeringNode: String(value('clusterNodeName')),
    nodeCount: Number(value('clusterNumNodes')),
  };
}

const states: Readonly<Record<number, string>> = { 2: 'up', 4: 'down', 8: 'unknown', 256: 'notconfigured' };
const substates: Readonly<Record<number, string>> = {
  8: 'unknown',
  16: 'unstable',
  32: 'stable',
  64: 'error',
  128: 'reconfig',
  256: 'notconfigured',
  512: 'notsynced',
};
