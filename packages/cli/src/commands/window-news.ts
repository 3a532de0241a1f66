import type { WindowOutcome, WindowVerdict } from '@splitmirror/backup';
import type { Directions } from '../command-line.ts';
import { exitCodeOfCode, exitCodeOfRun, exitCodes } from '../exit-codes.ts';
import { problemText } from './problems.ts';
import { reportText } from './report-text.ts';

/** What somebody is told of a window: command and webhook only where it is news. */
export interface News {
  readonly code: number;
  readonly text: readonly string[];
  readonly isNews: boolean;
}

/** Whether nobody has to do anything. */
export function isQuiet(code: number): boolean {
  return code === exitCodes.OK.code || code === exitCodes.NOTHING_DUE.code;
}

/** What the window has come to now counts for more than that others had passed, unless it is well. */
export function worstOf(told: readonly News[]): number {
  const bad = told.findLast(({ code }) => !isQuiet(code));
  return (bad ?? told.at(-1))?.code ?? exitCodes.OK.code;
}

/** Windows that are told one by one; of a controller that was off for long the rest is only counted. */
const mostLines = 10;

export function passedNews(group: string, windows: readonly WindowVerdict[], { commandLine }: Directions): News {
  const hasDied = windows.some(({ kind }) => kind === 'failed');
  const earlier = windows.length - mostLines;
  return {
    code: exitCodes[hasDied ? 'RUN_NEEDS_RECOVERY' : 'WINDOW_MISSED'].code,
    text: [
      ...windows
        .slice(-mostLines)
        .map(({ start, kind, detail }) => `the window ${start} has no backup: ${kind}, ${detail}`),
      ...(earlier > 0 ? [`  and ${earlier} earlier windows`] : []),
      ...(hasDied ? [`  take back what it may have left: ${commandLine('recover', group)}`] : []),
      ...(hasDied ? [`  no window is begun twice: make the backup yourself, ${commandLine('backup', group)}`] : []),
    ],
    isNews: true,
  };
}

export function outcomeNews(outcome: WindowOutcome, directions: Directions): News {
  switch (outcome.kind) {
    case 'nothing-due':
      return { code: exitCodes.NOTHING_DUE.code, text: [idleText(outcome.next)], isNews: false };
    case 'ran':
      return { code: exitCodeOfRun(outcome.report), text: reportText(outcome.report, directions), isNews: true };
    case 'refused':
      return { ...refusalOf(outcome, directions), isNews: true };
    case 'undecided':
      return { ...refusalOf(outcome, directions), isNews: outcome.isNews };
    case 'yielded':
    case 'unheld':
    case 'elsewhere': {
      const [first] = outcome.problems;
      const text = [`${outcome.kind}: ${first?.message ?? outcome.window.detail}`];
      const { code } = exitCodes[first?.code === 'INTERRUPTED' ? 'INTERRUPTED' : 'NOTHING_DUE'];
      return { code, text, isNews: false };
    }
  }
}

function idleText(next: Date | undefined): string {
  return `no window is open that nobody has seen to; the next one begins ${next?.toISOString() ?? 'not within a year'}`;
}

/** The refusal and its reasons; a remedy that a reason has, too, is told there. */
function refusalOf(
  { kind, problems }: Extract<WindowOutcome, { kind: 'refused' | 'undecided' }>,
  directions: Directions,
) {
  const [refusal, ...reasons] = problems;
  const { code = '', message = '', remedy = '' } = refusal ?? {};
  const isRepeated = reasons.some((reason) => reason.remedy === remedy);
  return {
    code: exitCodeOfCode(code, reasons),
    text: [
      `${kind}: ${code}: ${message}`,
      ...(isRepeated ? [] : [`  ${directions.remedyText(remedy)}`]),
      ...problemText(reasons, directions),
    ],
  };
}
