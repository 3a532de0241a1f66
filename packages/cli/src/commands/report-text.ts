import type { RunReport } from '@splitmirror/backup';
import type { Directions } from '../command-line.ts';
import type { Reporter } from '../reporter.ts';
import { problemText } from './problems.ts';

/** A report for a person: the verdict, and what to do where it is not good. */
export function reportText({ verdict, directory }: RunReport, directions: Directions): string[] {
  switch (verdict.kind) {
    case 'good':
      return [`good: ${directory}`];
    case 'suspicious':
      return [
        `suspicious: ${directory}`,
        ...verdict.reasons.map(({ message }) => `  ${message}`),
        directions.remedyText('  look at it, then: splitmirror judge GROUP RUN --accept --because WHY; or --reject'),
      ];
    case 'refused':
      return [`refused: ${verdict.code}`, ...problemText(verdict.problems, directions)];
    case 'failed':
    case 'interrupted':
      return [
        `${verdict.kind}${verdict.committed ? ', after the backup had been committed' : ''}`,
        ...problemText(verdict.problems, directions),
        ...(verdict.recovery.kind === 'whole'
          ? [`  the mirror is whole again and nothing of this run is left on any node${whatNext(verdict)}`]
          : [
              '  the way back did not come to its end:',
              ...problemText(
                verdict.recovery.kind === 'busy' ? [verdict.recovery.problem] : verdict.recovery.problems,
                directions,
              ),
            ]),
        ...(directory === null ? [] : [`  journal: ${directory}/journal.ndjson`]),
      ];
  }
}

/** An interrupt has no cause that anybody would mend, and a backup that was committed is there. */
function whatNext({ kind, committed }: { readonly kind: string; readonly committed: boolean }): string {
  return kind === 'failed' && !committed ? ': mend the cause, and back up again' : '';
}

/** Prints an outcome; one that is not good also when quiet. */
export function tellOutcome(reporter: Reporter, lines: readonly string[], isGood: boolean): void {
  for (const line of lines) {
    if (isGood) reporter.line(line);
    else reporter.alert(line);
  }
}
