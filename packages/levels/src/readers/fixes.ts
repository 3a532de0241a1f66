import { ParseError } from '@splitmirror/host';
import { saidLines } from './lines.ts';

/** What `instfix -i` says about fixes. A keyword is an APAR or a level such as `7200-05_AIX_ML`. */
export interface FixReport {
  /** All filesets of the fix were found. */
  readonly complete: readonly string[];
  /** Not all filesets of the fix were found. */
  readonly incomplete: readonly string[];
  /** The node's database does not know the keyword: it says nothing about the fix. */
  readonly unknown: readonly string[];
  /** An interim fix stands for the APAR (AIX 7.3). */
  readonly interim: readonly { readonly label: string; readonly keyword: string }[];
}

/** One fileset of a fix. */
export interface FixRow {
  readonly keyword: string;
  readonly fileset: string;
  readonly required: string;
  /** Empty for a fileset that is not installed. */
  readonly installed: string;
  /** As printed: `-`, `=`, `+`, `!`. */
  readonly status: string;
  readonly meaning: 'down level' | 'correct level' | 'superseded' | 'not installed';
  readonly abstract: string;
}

const meanings: Readonly<Record<string, FixRow['meaning']>> = {
  '-': 'down level',
  '=': 'correct level',
  '+': 'superseded',
  '!': 'not installed',
};

/**
 * Reads what `instfix -i` and `instfix -ik KEYWORD` say.
 *
 * @throws ParseError at a sentence of another shape, or when the output was cut.
 */
export function parseFixReport(text: string): FixReport {
  const complete: string[] = [];
  const incomplete: string[] = [];
  const unknown: string[] = [];
  const interim: { label: string; keyword: string }[] = [];
  for (const at of saidLines('instfix -i', text)) {
    const [, all, some, none, label, apar] =
      /^\s*(?:All filesets for (\S+) were found\.|Not all filesets for (\S+) were found\.|There was no data for (\S+) in the fix database\.|Interim fix '(\S+)' associated with (?:APAR )?(\S+) is installed\.)$/.exec(
        at.text,
      ) ?? [];
    if (all !== undefined) complete.push(all);
    else if (some !== undefined) incomplete.push(some);
    else if (none !== undefined) unknown.push(none);
    else if (label !== undefined && apar !== undefined) interim.push({ label, keyword: apar });
    else throw new ParseError('instfix -i', 'not a sentence about a fix', at);
  }
  return { complete, incomplete, unknown, interim };
}

/**
 * Reads what `instfix -ic`, `-icq` and `-icqk KEYWORD` print, with their header or without. The abstract may hold colons.
 *
 * @throws ParseError at a line of another shape, or when the output was cut.
 */
export function parseFixRows(text: string): FixRow[] {
  const lines = saidLines('instfix -icq', text);
  const first = /^#?Keyword:Fileset:ReqLevel:InstLevel:Status:Abstract$/.test(lines[0]?.text ?? '') ? 1 : 0;
  return lines.slice(first).map((at) => {
    const [, keyword, fileset, required, installed = '', status = '', abstract = ''] =
      /^([^:]+):([^:]+):([^:]+):([^:]*):([-=+!]):(.*)$/.exec(at.text) ?? [];
    const meaning = meanings[status];
    if (keyword === undefined || fileset === undefined || required === undefined || meaning === undefined) {
      throw new ParseError('instfix -icq', 'not a row', at);
    }
    return { keyword, fileset, required, installed: installed.trim(), status, meaning, abstract };
  });
}
