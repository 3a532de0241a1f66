import { linesOf, nowhere, ParseError } from '@splitmirror/host';

/** What a synchronisation of a cluster that runs (`clmgr sync cluster`) tells of its way. */
export interface Synchronisation {
  /** Words of the cluster manager in the order in which it went through them; the last is where it stands. */
  readonly states: readonly string[];
  /** What else was printed. */
  readonly messages: readonly string[];
}

/**
 * Reads the sentences in which a synchronisation tells the state of the cluster manager, with dots after the word for the
 * time that it took.
 *
 * @throws {@link ParseError} when no state is told: it did not get so far, or the cluster does not run.
 */
export function parseSynchronisation(text: string): Synchronisation {
  const states: string[] = [];
  const messages: string[] = [];
  for (const line of linesOf(text)) {
    const [, state, rest = ''] = /\bstate is:? *([A-Z][A-Z_]*)(.*)$/.exec(line.text) ?? [];
    if (state && /^[. ]*$/.test(rest.replace('completed', ''))) states.push(state);
    else messages.push(line.text);
  }
  if (states.length === 0)
    throw new ParseError('clmgr sync cluster', 'no state is told', linesOf(text).at(-1) ?? nowhere);
  return { states, messages };
}
