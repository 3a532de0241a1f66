import { changes, renderCommand } from '@splitmirror/host';
import { markRoot, type SplitMark, splitMark } from '../picture/marks.ts';
import type { Phase, SplitRequest } from '../port.ts';
import { freeze, thaw } from '../readers/file-systems.ts';
import type { Resync } from './copies.ts';
import { directoryRemoval, type Explained, mountTable, rootRemoval, seconds } from './steps.ts';
import { strategies } from './strategies.ts';
import type { Split, Strategy } from './strategy.ts';

/** Puts the steps of a phase together. */
export function phase(
  head: { readonly name: string; readonly node: string; readonly title: string; readonly undo: readonly string[] },
  steps: readonly Explained[],
): Phase {
  return {
    name: head.name,
    node: head.node,
    title: head.title,
    script: { steps: steps.map(([step]) => step) },
    explains: Object.fromEntries(steps.map(([step, line]) => [step.id, line])),
    undo: head.undo,
  };
}

/** Suspend, freeze, split, thaw, resume, secure: one script, whose debts are paid whatever happens. */
export function splitPhase(node: string, splits: readonly Split[], request: SplitRequest, resync: Resync): Phase {
  const frozen = deepestFirst(splits.flatMap(({ fileSystem }) => (fileSystem?.frozen ? [fileSystem.mountPoint] : [])));
  const steps: Explained[] = [
    ...marksOf(splits).map(
      (mark): Explained => [
        { id: `mark:${mark.volume}`, run: changes('mkdir', '-p', splitMark(mark)), timeoutSeconds: seconds.directory },
        `Note on this node that ${mark.volume} is being split and shall have ${mark.copies} copies again.`,
      ],
    ),
    ...each(splits, (strategy, mine) => strategy.prepare?.(mine) ?? []),
    ...explained(request.suspend, request, 'Bring the application to rest'),
    ...frozen.map(
      (mountPoint): Explained => [
        {
          id: `freeze:${mountPoint}`,
          run: freeze(mountPoint, request.freezeSeconds),
          timeoutSeconds: seconds.freeze,
          // Where somebody else holds the writers already, their freeze is not ours to end.
          onRefusal: 'owes-nothing',
        },
        `Flush ${mountPoint} and hold its writers; the kernel lets them go after ${request.freezeSeconds} s by itself.`,
      ],
    ),
    ...each(splits, (strategy, mine) => strategy.split(mine)),
    ...frozen.toReversed().map(
      (mountPoint): Explained => [
        {
          id: `thaw:${mountPoint}`,
          run: thaw(mountPoint),
          timeoutSeconds: seconds.thaw,
          pays: [`freeze:${mountPoint}`],
        },
        `Let the writers of ${mountPoint} go on.`,
      ],
    ),
    ...explained(request.resume, request, 'Let the application go on'),
    ...each(splits, (strategy, mine) => strategy.secure(mine)),
  ];
  const undo = commandsOf([
    ...splits.flatMap((split) =>
      each([split], (strategy, mine) => [...strategy.rejoin(mine), ...strategy.settle(mine, resync)]),
    ),
    ...clearing(marksOf(splits), [request.run]),
  ]);
  return phase({ name: 'split', node, title: `Split one copy off ${list(splits, 'volume')}`, undo }, steps);
}

/** Steps of the caller's, who knows best what each is for. */
function explained(steps: SplitRequest['suspend'], { explains = {} }: SplitRequest, otherwise: string): Explained[] {
  return steps.map((step) => [step, explains[step.id] ?? `${otherwise}: ${renderCommand(step.run)}`]);
}

/** Check the copies, mount them for reading, and prove what is mounted. */
export function exposePhase(node: string, splits: readonly Split[]): Phase {
  const steps = [...each(splits, (strategy, mine) => strategy.expose(mine)), mountTable()];
  const undo = commandsOf(each(splits, (strategy, mine) => strategy.withdraw(mine)));
  return phase({ name: 'expose', node, title: `Check and mount ${list(splits, 'copy')}`, undo }, steps);
}

/** Unmount the copies. They stay, with their names, until the merge. */
export function withdrawPhase(node: string, splits: readonly Split[]): Phase {
  const undo = commandsOf(each(splits, (strategy, mine) => strategy.expose(mine))).filter(
    (command) => !command.startsWith('fsck '),
  );
  return phase(
    { name: 'withdraw', node, title: `Unmount ${list(splits, 'copy')}`, undo },
    each(splits, (strategy, mine) => strategy.withdraw(mine)),
  );
}

/** Give every volume its copies again, then synchronise, then clear away. */
export function mergePhase(node: string, splits: readonly Split[], resync: Resync): Phase {
  return phase({ name: 'merge', node, title: `Merge the copies back into ${list(splits, 'volume')}`, undo: [] }, [
    ...each(splits, (strategy, mine) => strategy.rejoin(mine)),
    ...each(splits, (strategy, mine) => strategy.settle(mine, resync)),
    ...clearing(marksOf(splits), [...new Set(splits.map(({ run }) => run))]),
  ]);
}

/** Removes marks, with what lies in them, and the directories of their runs. */
export function clearing(marks: readonly SplitMark[], runs: readonly string[]): Explained[] {
  return [
    ...strategies.flatMap((strategy) => strategy.clear?.(marks) ?? []),
    ...marks.map((mark) => directoryRemoval(splitMark(mark).slice(markRoot.length), splitMark(mark))),
    ...runs.toSorted().map((run) => directoryRemoval(run, `${markRoot}/${run}`)),
    rootRemoval(),
  ];
}

/** The steps of each strategy for its own splits; plans rarely mix, and every strategy keeps its order. */
function each(
  splits: readonly Split[],
  steps: (strategy: Strategy, mine: readonly Split[]) => readonly Explained[],
): Explained[] {
  return strategies.flatMap((strategy) => {
    const mine = splits.filter((split) => split.strategy === strategy.name);
    return mine.length > 0 ? steps(strategy, mine) : [];
  });
}

function marksOf(splits: readonly Split[]): SplitMark[] {
  return splits.map(({ run, volume, copies, strategy }) => ({
    run,
    volume,
    copies,
    letter: strategies.find(({ name }) => name === strategy)?.letter ?? '',
  }));
}

function commandsOf(steps: readonly Explained[]): string[] {
  return steps.flatMap(([{ run }]) => ('pipe' in run || run.effect === 'changes' ? [renderCommand(run)] : []));
}

function deepestFirst(mountPoints: readonly string[]): string[] {
  const depth = (path: string) => path.split('/').filter(Boolean).length;
  return mountPoints.toSorted((a, b) => depth(b) - depth(a) || (a < b ? -1 : 1));
}

function list(splits: readonly Split[], what: 'volume' | 'copy'): string {
  return splits.map((split) => split[what]).join(', ');
}
