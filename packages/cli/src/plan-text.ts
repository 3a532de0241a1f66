import { digestOf, leftOutText, lockPhases, type Phase, type RunPlan } from '@splitmirror/backup';
import { renderCommand, renderSteps } from '@splitmirror/host';
import { bytesText } from './units.ts';

/**
 * A plan for a person: every line that begins with `$` is run, exactly so, on the node that is named; only the token of the
 * lock is made when it runs. What else a run asks of the nodes only looks.
 */
export function planText(plan: RunPlan): string[] {
  const { mirror } = plan;
  const { lock, unlock } = lockPhases(plan);
  return [
    ...planSummary(plan),
    ...phaseText(lock),
    ...phaseText(mirror.split),
    ...phaseText(mirror.expose),
    'archive: the copies, streamed over the connection',
    ...plan.archives.map(({ source, file }) => `  $ ${renderCommand(source)}  > ${file}`),
    ...phaseText(mirror.withdraw),
    ...phaseText(mirror.merge),
    'resync: wait until no partition is stale, then commit',
    ...phaseText(unlock),
    ...takeoverText(mirror),
  ];
}

/** What a plan means, without its commands. */
export function planSummary(plan: RunPlan): string[] {
  const { mirror, policy } = plan;
  return [
    `run ${plan.run}: back up ${plan.group} on ${plan.node}   (plan ${digestOf(plan).slice(0, 12)})`,
    `  levels: ${plan.levels.kind}${plan.levels.findings.map(({ rule, message }) => `\n    ${rule}: ${message}`).join('')}`,
    ...mirror.volumes.map(
      ({ volume, strategy, copy, copies, copiesLeft, bytes, partitionsToResync }) =>
        `  ${volume}: ${strategy}, copy ${copy}; ${copies} copies, ${copiesLeft} left meanwhile; ${bytesText(bytes)}, ${partitionsToResync} partitions to resynchronise`,
    ),
    ...(plan.leftOut === undefined ? [] : [`  left out on purpose: ${plan.leftOut.map(leftOutText).join(', ')}`]),
    `  writers are held for at most ${mirror.frozenSecondsAtMost} s; fewer copies for about ${plan.estimates.minutesWithoutRedundancy} min (${plan.estimates.basis})`,
    `  the application is ${policy.quiesce === null ? 'not told' : 'suspended over the split'}`,
    `  the archives take at most ${bytesText(plan.estimates.storeBytesAtMost)}`,
  ];
}

/** What a takeover meets while the split lasts and after it. */
function takeoverText({ takeover = [] }: RunPlan['mirror']): string[] {
  if (takeover.length === 0) return [];
  return [
    'takeover: what the other nodes meet',
    ...takeover.flatMap(({ text, commands }) => [`  ${text}`, ...commands.map((command) => `    $ ${command}`)]),
  ];
}

function phaseText(phase: Phase): string[] {
  const commands = renderSteps(phase.script);
  const undo = phase.undo.length === 0 ? [] : ['  undo:', ...phase.undo.map((command) => `    $ ${command}`)];
  return [
    `${phase.name}: ${phase.title}`,
    ...phase.script.steps.flatMap(({ id }, index) => {
      const why = phase.explains[id];
      return [`  $ ${commands[index]}${why === undefined ? '' : `  # ${why}`}`];
    }),
    ...undo,
  ];
}
