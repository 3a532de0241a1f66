import { ParseError } from '@splitmirror/host';
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
}

/**
 * Reads what `lssrc -ls cthags` prints (`grpsvcs` before 7.1): the row of the subsystem, free lines, and a table of groups.
 *
 * @throws {@link ParseError} without the row or the table, at a row of another shape, and at fewer groups than announced.
 */
export function parseGroupServices(text: string): GroupServices {
  const source = 'lssrc -ls cthags';
  const lines = text.split('\n');
  const heading = lines.findIndex((line) => isSubsystemHeading(line));
  const table = lines.findIndex((line) => /^\s*Group name\s+providers\s+providers\/subscribers\s*$/.test(line));
  if (heading === -1 || table < heading) {
    throw new ParseError(source, 'no row of the subsystem, or no table of groups', { line: 1, text: lines[0] ?? '' });
  }
  const announced = lines.map((line) => /^\s*Number of groups known locally: (\d+)\s*$/.exec(line)?.[1]).find(Boolean);
  const groups = lines.slice(table + 1).flatMap((line, index): ServiceGroup[] => {
    if (line.trim() === '') return [];
    const [, name, ...counts] = /^\s*(\S+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$/.exec(line) ?? [];
    if (!name) throw new ParseError(source, 'not a group and its members', { line: table + index + 2, text: line });
    const [providers = 0, localProviders = 0, localSubscribers = 0] = counts.map(Number);
    return [{ name, providers, localProviders, localSubscribers }];
  });
  // Groups without a name of their own are counted and not listed.
  if (announced === undefined || groups.length > Number(announced) || groups.length === 0) {
    throw new ParseError(source, `${groups.length} groups where ${announced ?? 'no number'} was announced`, {
      line: table + 1,
      text: lines[table] ?? '',
    });
  }
  return { subsystem: parseSubsystem(lines[heading + 1] ?? '', source, heading + 2), groups };
}
