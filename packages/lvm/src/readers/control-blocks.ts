import { linesOf, nowhere, ParseError } from '@splitmirror/host';

/** The control block of a volume. A hint only: LVM itself goes by the descriptor area. */
export interface ControlBlock {
  /** `AIX LVCB`; on other volumes there is none. */
  readonly tag: string;
  /** Every row as printed, for instance `copies` to `2`. */
  readonly rows: Readonly<Record<string, string>>;
  /** The stanza that an import makes of it, by attribute. */
  readonly stanza: Readonly<Record<string, string>>;
}

/**
 * Reads what `getlvcb -AT LV` prints.
 *
 * @throws ParseError at the first line of another shape, and when the text ends within a row.
 */
export function parseControlBlock(text: string): ControlBlock {
  const [tag = nowhere, ...lines] = linesOf(text);
  if (tag.text.trim() !== 'AIX LVCB') throw new ParseError('getlvcb', 'no tag of a control block', tag);
  const rows: Record<string, string> = {};
  for (const at of lines) {
    const [, key, value = ''] = /^\s*([A-Za-z][\w ]*?)\s*=(.*)$/.exec(at.text) ?? [];
    if (key === undefined || Object.hasOwn(rows, key)) throw new ParseError('getlvcb', 'not a new row', at);
    rows[key] = value.trim();
  }
  if (rows.lvname === undefined) throw new ParseError('getlvcb', 'lvname: this row is missing', lines.at(-1) ?? tag);
  // The last row may have lost its line feed, any other only with what follows.
  if (!text.endsWith('\n') && rows['time modified'] === undefined)
    throw new ParseError('getlvcb', 'cut within a row', lines.at(-1) ?? tag);
  const stanza = (rows.fs ?? '').split(':').flatMap((pair): [string, string][] => {
    const cut = pair.indexOf('=');
    return cut > 0 ? [[pair.slice(0, cut), pair.slice(cut + 1)]] : [];
  });
  return { tag: tag.text.trim(), rows, stanza: Object.fromEntries(stanza) };
}
