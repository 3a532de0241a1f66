import { type BackupEvent, type RecoveryVerdict, type RunVerdict, type Trace, tracesText } from '@splitmirror/backup';
import type { Directions } from './command-line.ts';
import { EndedError } from './ended-error.ts';

interface Run {
  readonly group: string;
  readonly is: 'run' | 'recovery';
  readonly traces: readonly Trace[];
}

/** The runs and recoveries of this process, under way and over, as their events tell. */
export function underWay({ commandLine }: Directions) {
  const runs = new Map<string, Run>();
  const over = new Map<string, Run>();
  const command = (name: 'recover' | 'show', { group }: Run) => commandLine(name, group);
  const left = () => [...over.values(), ...runs.values()].filter(({ traces }) => traces.length > 0);
  return {
    isAny: () => runs.size > 0,
    hear(event: BackupEvent, group = '') {
      const run = runs.get(group);
      switch (event.type) {
        case 'run-start':
        case 'recovery-start': {
          const is = event.type === 'run-start' ? 'run' : 'recovery';
          runs.set(group, { group: event.group, is, traces: [] });
          return;
        }
        case 'step-start':
          if (run !== undefined) runs.set(group, { ...run, traces: event.traces });
          return;
        case 'run-end':
        case 'recovery-end':
          if (run !== undefined) over.set(run.group, isWhole(event.verdict) ? { ...run, traces: [] } : run);
          runs.delete(group);
          return;
        default:
          return;
      }
    },
    /** What the first interrupt leads to. */
    wayOn(): string {
      const kinds = [...runs.values()].map(({ is }) => is);
      if (kinds.length === 0) return 'ending what is under way; once more to end it where it stands';
      const way = kinds.includes('run') ? 'going back in order' : 'a recovery is the way back, and goes on to its end';
      return `${way}; once more to stop where it stands`;
    },
    text: (): string[] =>
      left().flatMap((run) => [
        `${run.group}: ${tracesText(run.traces)}`,
        `  what is left there is taken back with: ${command('recover', run)}`,
      ]),
    endedNow(): EndedError | undefined {
      const all = left();
      if (all.length > 0) {
        const what = all.map(({ group, traces }) => `${group}: ${tracesText(traces)}`).join('; ');
        return new EndedError('RUN_NEEDS_RECOVERY', `ended where it stood: ${what}`, {
          remedy: `Run: ${all.map((run) => command('recover', run)).join('; ')}`,
        });
      }
      if (over.size === 0) return undefined;
      const groups = [...over.keys()].join(', ');
      return new EndedError('INTERRUPTED', `ended after the run of ${groups}; not everybody may have been told of it`, {
        remedy: `See what it came to: ${[...over.values()].map((run) => command('show', run)).join('; ')}`,
      });
    },
  };
}

/** Whether nothing is left on the nodes of what has ended so. */
function isWhole(verdict: RunVerdict | RecoveryVerdict): boolean {
  const wayBack = 'recovery' in verdict ? verdict.recovery : verdict;
  return wayBack.kind !== 'stuck' && wayBack.kind !== 'busy';
}
