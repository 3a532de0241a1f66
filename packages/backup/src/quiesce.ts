import { type Command, changes, type Script, type Step } from '@splitmirror/host';

/** How the application is brought to rest and let go again. */
export interface QuiesceHooks {
  /** Commands in order; each must end with 0 before the split. */
  readonly suspend: readonly Command['argv'][];
  /** Commands in order that undo the whole of `suspend`; safe to repeat, also when nothing is suspended. */
  readonly resume: readonly Command['argv'][];
  /** Seconds that each single command may take. */
  readonly timeoutSeconds: number;
}

/**
 * Steps around the split. A note is written first and removed only after a confirmed resume: wherever the group is by
 * then, the note tells that somebody owes the application a resume (the quiesce debt).
 */
export function quiesceSteps(
  hooks: QuiesceHooks | null,
  notes: string,
  run: string,
): { readonly suspend: readonly Step[]; readonly resume: readonly Step[] } {
  if (hooks === null || hooks.suspend.length === 0) return { suspend: [], resume: [] };
  const debts = ['note', ...hooks.suspend.map((_, index) => `suspend:${index}`)];
  const suspend: Step[] = [
    {
      id: 'note',
      run: changes('tee', `${notes}/quiesce`),
      stdin: `${JSON.stringify({ splitmirror: 1, run, resume: hooks.resume })}\n`,
      timeoutSeconds: 30,
    },
    ...hooks.suspend.map((argv, index) => ({
      id: `suspend:${index}`,
      run: { argv, effect: 'changes' as const },
      timeoutSeconds: hooks.timeoutSeconds,
    })),
  ];
  return { suspend, resume: payingSteps(hooks, notes, debts) };
}

/** Pays a quiesce debt that an earlier run left: resume, then remove the note. */
export function debtScript(hooks: QuiesceHooks, notes: string): Script {
  return { steps: payingSteps(hooks, notes, []) };
}

function payingSteps(hooks: QuiesceHooks, notes: string, debts: readonly string[]): Step[] {
  const ids = hooks.resume.map((_, index) => `resume:${index}`);
  return [
    ...hooks.resume.map((argv, index) => ({
      id: `resume:${index}`,
      run: { argv, effect: 'changes' as const },
      timeoutSeconds: hooks.timeoutSeconds,
      pays: debts,
    })),
    {
      id: 'settle',
      run: changes('rm', '-f', `${notes}/quiesce`),
      timeoutSeconds: 30,
      pays: debts.slice(0, 1),
      needs: ids,
    },
  ];
}
