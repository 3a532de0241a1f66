import { linesOf, ParseError } from '@splitmirror/host';
import { isMessage, isWarning } from './messages.ts';

/** A node as Cluster Aware AIX on another (or the same) node sees it. */
export interface Member {
  /** Cluster node name. */
  readonly name: string;
  /** All words of `State of node` but `NODE_LOCAL`, one blank apart. Only `UP` by itself is without reserve. */
  readonly state: string;
  readonly local: boolean;
  /** Ways to reach it. 0 is normal for the local node; for a remote one that is UP it means broken communication. */
  readonly pointsOfContact: number;
  /** The other lines about this node: round-trip figures, sites, interfaces. */
  readonly details: readonly string[];
}

const source = 'lscluster -m';
const announcement = /^Calling node query for all nodes *\.*$/;
const number = /^Node query number of nodes examined: (\d+)$/;

/**
 * Reads what `lscluster -m` prints (7.1 and later).
 *
 * @throws {@link ParseError} on a message ("Cluster services are not active.") or a warning wherever it stands, when nodes
 *   are missing or cut off, and when one is told twice.
 */
export function parseMembership(text: string): Member[] {
  const [head = '', ...blocks] = text.split(/^[ \t]*Node name: */m);
  const lines = trimmed(head).filter((line) => line !== '' && !announcement.test(line));
  const [examined] = lines.flatMap((line) => number.exec(line)?.[1] ?? []);
  const members = blocks.map((block) => readMember(block));
  if (examined === undefined || Number(examined) !== members.length || members.length === 0) {
    const reason = `${members.length} nodes where ${examined ?? 'no number'} was announced`;
    throw new ParseError(source, reason, { line: 1, text: head });
  }
  if (lines.length > 1)
    throw new ParseError(source, 'more than the number of nodes before them', { line: 1, text: head });
  const twice = members.find(({ name }, index) => members.findIndex((other) => other.name === name) < index);
  if (twice) throw new ParseError(source, 'a node is told twice', { line: 1, text: twice.name });
  return members;
}

function trimmed(text: string): string[] {
  return text.split('\n').map((line) => line.trim());
}

function readMember(block: string): Member {
  const [name = '', ...lines] = trimmed(block);
  const one = (shape: RegExp): RegExpExecArray => {
    const found = lines.map((line) => shape.exec(line)).filter((match) => match !== null);
    const [match] = found;
    if (!match || found.length > 1)
      throw new ParseError(source, `not one line ${shape.source}`, { line: 1, text: name });
    return match;
  };
  if (!/^\S+$/.test(name)) throw new ParseError(source, 'no node name', { line: 1, text: name });
  const message = lines.find((line) => isWarning(line) || isMessage(line));
  if (message) throw new ParseError(source, 'a message', { line: 1, text: message });
  const words = one(/^State of node: *(\S.*)$/)[1]?.split(/\s+/) ?? [];
  const pointsOfContact = Number(one(/^(?:Points of contact|Number of points_of_contact) for node: *(\d+)$/)[1]);
  const own = /^(State of node|(Points of contact|Number of points_of_contact) for node):/;
  const details = lines.filter((line) => line !== '' && !/^-+$/.test(line) && !own.test(line));
  const heading = details.findIndex((line) => /^Interface\s+State\b|^Point-of-contact interface &/.test(line));
  const ports = heading === -1 ? [] : details.slice(heading + 1);
  const columns = details[heading]?.split(/\s+/).length;
  // At 7.1.0 an interface and words for its state, or the one word n/a.
  const whole = details[heading]?.startsWith('Interface')
    ? (line: string) => line.split(/\s+/).length === columns
    : (line: string) => line === 'n/a' || /^\S+\s+[A-Z]{2}/.test(line);
  if ((pointsOfContact > 0 && ports.length === 0) || !ports.every(whole)) {
    throw new ParseError(source, 'points of contact are missing or cut', { line: 1, text: name });
  }
  const state = words.filter((word) => word !== 'NODE_LOCAL').join(' ');
  return { name, state, local: words.includes('NODE_LOCAL'), pointsOfContact, details };
}

/** How many nodes take part in an answer of `lscluster -i` or `-d`. Anything but all of them is a warning sign. */
export interface Reporting {
  readonly reporting: number;
  /** `null` at 7.1.0, which does not tell it. */
  readonly stale: number | null;
  readonly expected: number;
  /** All other lines: what the interfaces or disks are that the counts head. */
  readonly other: readonly string[];
}

/**
 * Reads the counts at the head of `lscluster -i` and `lscluster -d`.
 *
 * @throws {@link ParseError} at a message or a warning wherever it stands, and unless each is told once; only `stale` may be
 *   missing.
 */
export function parseReporting(text: string): Reporting {
  const told: (readonly [word: string, count: number])[] = [];
  const other: string[] = [];
  for (const at of linesOf(text)) {
    if (isWarning(at.text) || isMessage(at.text)) throw new ParseError(source, 'a message', at);
    const [, word, count] = /^\s*Number of nodes (\w+) *[=:] *(\d+)$/.exec(at.text) ?? [];
    if (word && count) told.push([word, Number(count)]);
    else other.push(at.text);
  }
  const count = (word: string): number | null => {
    const [found, ...more] = told.filter(([other]) => other === word);
    if (more.length === 0 && (found || word === 'stale')) return found?.[1] ?? null;
    throw new ParseError('lscluster', `not one number of nodes ${word}`, { line: 1, text });
  };
  return { reporting: Number(count('reporting')), stale: count('stale'), expected: Number(count('expected')), other };
}
