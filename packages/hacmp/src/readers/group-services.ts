import { linesOf, nowhere, ParseError } from '@splitmirror/host';
import { isMessage } from './messages.ts';
import { isSubsystemHeading, parseSubsystem, type Subsystem } from './subsystems.ts';

/** A group of Group Services, in which cluster managers and other daemons meet. */
export interface ServiceGroup {
  /** `CLSTRMGR_` and the cluster id: the cluster managers that have joined. */
  readonly name: string;
  readonly providers: number;
  readonly localProviders: number;
  readonly localSubscribers: number;
}

/** Answer of `lssrc -ls cthags`. */
export interface GroupServices {
  readonly subsystem: Subsystem;
  readonly groups: readonly ServiceGroup[];
  /** Free lines around the table: clients, the domain, and sentences below it. */
  readonly other: readonly string[];
}

/** A sentence below the table, as levels with critical clients print it: several words and no number, so no row cut short. */
const notice = /^\s*[A-Z][A-Za-z]*(?: [A-Za-z-]+){3,}\.?$/;

/**
 * Reads what `lssrc -ls cthags` prints (`grpsvcs` before 7.1): the row of the subsystem, free lines, and a table of groups.
 *
 * @throws {@link ParseError} without the row or the table, at a message, at a row of another shape, and at another number of groups than announced.
 */
export function parseGroupServices(text: string): GroupServices {
  const source = 'lssrc -ls cthags';
  const lines = linesOf(text);
  const heading = lines.findIndex((line) => isSubsystemHeading(line.text));
  const table = lines.findIndex((line) => /^\s*Group name\s+providers\s+providers\/subscribers$/.test(line.text));
  const subsystem = lines[heading + 1];
  if (heading === -1 || table < heading || !subsystem) {
    throw new ParseError(source, 'no row of the subsystem, or no table of groups', lines[0] ?? nowhere);
  }
  const other: string[] = [];
  let announced: string | undefined;
  for (const line of [...lines.slice(0, heading), ...lines.slice(heading + 2, table)]) {
    if (isMessage(line.text)) throw new ParseError(source, 'a message', line);
    const [, count] = /^\s*Number of groups known locally: (\d+)$/.exec(line.text) ?? [];
    if (count !== undefined && announced === undefined) announced = count;
    else if (!/^\s*Number of\s+Number of local$/.test(line.text)) other.push(line.text);
  }
  const groups = lines.slice(table + 1).flatMap((line): ServiceGroup[] => {
    if (notice.test(line.text)) {
      other.push(line.text);
      return [];
    }
    const [, name, ...counts] = /^\s*(\S+)\s+(\d+)\s+(\d+)\s+(\d+)$/.exec(line.text) ?? [];
    if (!name) throw new ParseError(source, 'not a group and its members', line);
    const [providers = 0, localProviders = 0, localSubscribers = 0] = counts.map(Number);
    return [{ name, providers, localProviders, localSubscribers }];
  });
  if (groups.length !== Number(announced) || groups.length === 0) {
    throw new ParseError(source, `${groups.length} groups where ${announced ?? 'no number'} was announced`, subsystem);
  }
  return { subsystem: parseSubsystem(subsystem.text, source, subsystem.line), groups, other };
}
