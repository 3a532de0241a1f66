import { ParseError } from '@splitmirror/host';
import { saidLines } from './lines.ts';

/** One event of the installation history that `lslpp -h` prints. */
export interface HistoryEvent {
  /** Software database of the block; `null` when the rows were cut out with `grep`. */
  readonly path: string | null;
  readonly fileset: string;
  readonly level: string;
  /** `APPLY`, `COMMIT`, `REJECT`, `CLEANUP` and the like. */
  readonly action: string;
  /** `COMPLETE`, `BROKEN`, `CANCELED` and the like. */
  readonly status: string;
  /** Date and time by the node's own clock, as printed: `MM/DD/YY HH:MM:SS`. */
  readonly at: string;
}

const source = 'lslpp -h';
const event = /^\s*(?:(\S+)\s+)?(\d[\w.-]*)\s+([A-Z_]+)\s+([A-Z_]+)\s+(\d\d\/\d\d\/\d\d)\s+(\d\d:\d\d:\d\d)$/;

/**
 * Reads what `lslpp -h` prints. The events of a fileset follow its name, which may stand alone on its line.
 *
 * @throws ParseError at the first line of another shape, or when the output was cut.
 */
export function parseHistory(text: string): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  let path: string | null = null;
  let fileset: string | null = null;
  for (const at of saidLines(source, text)) {
    const { text: line } = at;
    if (/^\s*-+$/.test(line) || /^\s*Fileset\s+Level\s+Action\s+Status\s+Date\s+Time$/.test(line)) continue;
    const block = /^Path: (\S+)$/.exec(line);
    const [, name, level, action, status, date, time] = event.exec(line) ?? [];
    if (block !== null) {
      path = block[1] ?? null;
      fileset = null;
    } else if (level !== undefined && action !== undefined && status !== undefined) {
      fileset = name ?? fileset;
      if (fileset === null) throw new ParseError(source, 'an event without a fileset', at);
      events.push({ path, fileset, level, action, status, at: `${date} ${time}` });
    } else if (/^\s*\S+$/.test(line)) {
      fileset = line.trim();
    } else {
      throw new ParseError(source, 'not an event', at);
    }
  }
  return events;
}
