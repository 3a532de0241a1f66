import { argvOf, type Court, findOutWhy, textOf } from '../court.ts';
import { nameOf, parseSnapshots } from '../readers/snapshots.ts';

/** Until it is removed the snapshot is listed, with room; then it is not. */
export function prove(court: Court): void {
  const { phase, results, facts, refuse } = court;
  const removed = phase.script.steps.flatMap((step) => {
    const [program, option] = argvOf(step);
    return program === 'snapshot' && option === '-d' ? [step.id.replace(/^remove:/, '')] : [];
  });
  for (const step of phase.script.steps) {
    const name = step.id.replace(/^snapshot:/, '');
    if (name === step.id || argvOf(step)[0] !== 'snapshot') continue;
    const mountPoint = argvOf(step).at(-1) ?? '';
    const list = parseSnapshots(textOf(results.get(step.id))).find((each) => each.mountPoint === mountPoint);
    const found = list?.snapshots.find((each) => nameOf(each.name) === name);
    const seen = list?.snapshots.map((each) => each.name).join(', ') || 'no snapshots';
    if (removed.includes(name)) {
      if (list === undefined || found !== undefined) {
        refuse('MERGE_NOT_PROVED', `the snapshot ${name} is still there`, seen, findOutWhy);
      }
    } else if (found === undefined) {
      refuse('SPLIT_NOT_PROVED', `${mountPoint} has no snapshot ${name}`, seen, findOutWhy);
    } else if (list?.kind === 'external' && found.freeBlocks === null) {
      const remedy = 'What was read of it is worth nothing. Give the next one more room.';
      refuse('SNAPSHOT_LOST', `the snapshot ${name} has run out of room`, 'no free blocks', remedy);
    } else {
      facts[`snapshot ${name} of ${mountPoint}`] = list?.kind === 'external' ? `${found.freeBlocks} free` : 'internal';
    }
  }
}
