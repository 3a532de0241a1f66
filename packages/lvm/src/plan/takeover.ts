import type { LvmPicture } from '../picture/picture.ts';
import type { TakeoverNote } from '../port.ts';
import { strategies } from './strategies.ts';
import type { Split } from './strategy.ts';

/** What a split does to the next takeover: while it lasts, and after it. */
export function takeoverNotes(splits: readonly Split[], { groups }: LvmPicture): TakeoverNote[] {
  const notes: TakeoverNote[] = strategies.flatMap(({ name, takeover }) => {
    const volumes = splits.filter(({ strategy }) => strategy === name).map(({ volume }) => volume);
    return volumes.length > 0
      ? [{ text: `A takeover while ${volumes.join(', ')} is split: ${takeover}.`, commands: [] }]
      : [];
  });
  const late = splits.filter(({ lazilyUpdated, snapshot }) => lazilyUpdated && snapshot?.kind !== 'internal');
  for (const name of new Set(late.map(({ group }) => group))) {
    const group = groups.find((view) => view.name === name);
    const disk = group?.kind === 'active' ? group.disks.find(({ state }) => state === 'active')?.name : undefined;
    notes.push(
      {
        text: `Other nodes learn at the next takeover what changed in ${name}: it is imported anew there, which takes longer. Once the copies are in step again this tells them before; the disk is what that node calls ${disk}, and ${name} must be varied off there.`,
        commands: [`importvg -L ${name} -n ${disk}`],
      },
      {
        text: `An import in the middle makes stanzas of the labels in ${name}: a resource group with all file systems of ${name} then mounts the copies. Name its file systems one by one.`,
        commands: [],
      },
    );
  }
  return notes;
}
