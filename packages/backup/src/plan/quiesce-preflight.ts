import { reads, type Step, type StepResult } from '@splitmirror/host';
import type { PlanningContext } from '../context.ts';
import type { Problem } from '../ports.ts';
import { problemOf } from '../problems.ts';
import { commandsOf, type QuiesceHooks } from '../run/quiesce.ts';

/** Programs that the commands of hooks begin with, each once, sorted. */
export function quiescePrograms(hooks: QuiesceHooks): string[] {
  return [...new Set(commandsOf(hooks).map(({ argv: [program] }) => program))].sort();
}

/** One step for each program, which fails where the node does not have it. Changes nothing. */
export function programSteps(programs: readonly string[]): Step[] {
  return programs.map((program, index) => ({
    id: `program:${index}`,
    // "command" belongs to the shell, and a step is a program.
    run: reads('sh', '-c', 'command -v "$1"', 'sh', program),
    timeoutSeconds: 30,
    onFailure: 'continue',
  }));
}

/** What the answers to {@link programSteps} say is not there. Pure. */
export function missingPrograms(node: string, programs: readonly string[], steps: readonly StepResult[]): Problem[] {
  return programs.flatMap((program, index) => {
    const step = steps.find(({ id }) => id === `program:${index}`);
    if (step?.kind === 'ended' && step.exitCode === 0) return [];
    return {
      code: 'QUIESCE_COMMAND_MISSING',
      node,
      message: `a command of the quiesce is not there: ${program}`,
      seen: step?.kind === 'ended' ? step.stderr.trim() || 'nothing' : 'no answer',
      remedy: 'Install it on every node that can take the group over, or name it by its absolute path.',
    };
  });
}

/** Asks the node whether it has what suspends and resumes the application: without it a run would end in a debt that nobody can pay. */
export async function quiescePreflight(
  { hosts }: Pick<PlanningContext, 'hosts'>,
  node: string,
  hooks: QuiesceHooks | null,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const host = hosts.get(node);
  const programs = hooks === null ? [] : quiescePrograms(hooks);
  if (host === undefined || programs.length === 0) return [];
  try {
    const outcome = await host.run({ steps: programSteps(programs) }, { signal });
    if (outcome.kind !== 'completed') throw new Error(outcome.kind === 'unknown' ? outcome.reason : 'cancelled');
    return missingPrograms(node, programs, outcome.steps);
  } catch (error) {
    return [problemOf(error, node)];
  }
}
