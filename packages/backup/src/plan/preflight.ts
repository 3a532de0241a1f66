import { type PreflightProblem, preflightProblems, tar } from '@splitmirror/archive';
import type { Step } from '@splitmirror/host';
import type { BackupContext } from '../context.ts';
import type { DataVolume, Picture, Problem } from '../ports.ts';
import { problemOf } from '../problems.ts';

/** A walk over every name of a file system takes minutes, not hours. */
const checkSeconds = 3600;

/** What is to be done about it where there is no other tool to choose. */
const ways: Readonly<Record<PreflightProblem['code'], string>> = {
  FILE_TOO_LARGE: 'Move them to another file system',
  NAME_TOO_LONG: 'Rename them, or the directories above them',
  LINK_TOO_LONG: 'Give what they refer to a shorter path',
  NAME_HAS_LINE_FEED: 'Rename them',
  OWNER_TOO_LARGE: 'Give them other owners',
};

/**
 * Asks the node for what the archive tool would not carry: files too large, names too long, links to names too long. Changes
 * nothing. The live file systems are asked, since their copies do not exist yet.
 */
export async function archivePreflight(
  context: Pick<BackupContext, 'hosts' | 'systemLevel'>,
  group: string,
  { node, dataVolumes }: Pick<Picture, 'node' | 'dataVolumes'>,
  fileSystems: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const host = context.hosts.get(node);
  if (host === undefined || fileSystems.length === 0) return [];
  try {
    // Without a level every limit counts.
    const level = (await context.systemLevel?.(node, { signal })) ?? '';
    const plans = fileSystems.map((directory) => ({ directory, checks: tar.preflight({ directory }, level) }));
    const steps = plans.flatMap(({ checks }, index) =>
      checks.map(
        ({ id, run }): Step => ({ id: `${index}:${id}`, run, timeoutSeconds: checkSeconds, onFailure: 'continue' }),
      ),
    );
    if (steps.length === 0) return [];
    const outcome = await host.run({ steps }, { signal });
    if (outcome.kind !== 'completed') throw new Error(outcome.kind === 'unknown' ? outcome.reason : 'cancelled');
    const results = new Map(outcome.steps.map((step) => [step.id, step]));
    return plans.flatMap(({ directory, checks }, index) => {
      const answers = new Map<string, string>();
      const unanswered: Problem[] = [];
      for (const { id, message } of checks) {
        const result = results.get(`${index}:${id}`);
        // `find` that could not read a directory has not seen all names.
        if (result?.kind === 'ended' && result.exitCode === 0) answers.set(id, result.stdout);
        else
          unanswered.push(
            uncertain(node, directory, message, result && 'stderr' in result ? result.stderr.trim() : ''),
          );
      }
      return [
        ...unanswered,
        ...preflightProblems(checks, answers).map(({ code, message, seen }) => ({
          code,
          node,
          message: `${directory} has ${message}, which tar does not carry`,
          seen,
          remedy: `${ways[code]}, or leave the file system out: name ${volumeOf(directory, dataVolumes)} in the settings of ${group} under leaveOut.`,
        })),
      ];
    });
  } catch (error) {
    return [problemOf(error, node)];
  }
}

function volumeOf(directory: string, dataVolumes: readonly DataVolume[]): string {
  return dataVolumes.find(({ mountPoint }) => mountPoint === directory)?.volume ?? 'its volume';
}

function uncertain(node: string, directory: string, message: string, seen: string): Problem {
  return {
    code: 'PREFLIGHT_UNANSWERED',
    node,
    message: `whether ${directory} has ${message} could not be found out`,
    seen: seen.slice(0, 200) || 'no answer within the deadline',
    remedy: 'Look at what find says on the node about this file system.',
  };
}
