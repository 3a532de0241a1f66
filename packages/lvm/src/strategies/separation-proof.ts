import { type Court, commandsOf, findOutWhy, proveJoined, textOf, volumeAt } from '../court.ts';
import { readSnapshotGroupName } from '../picture/marks.ts';
import { parseFileSystems } from '../readers/file-systems.ts';
import { parseGroupDisks, parseGroupNames } from '../readers/volume-groups.ts';
import { parseVolumes } from '../readers/volumes.ts';
import { prefix, separatedName } from './separation.ts';

/** The copies are whole, in a group of their own; afterwards that is gone, and everything has its copies again. */
export function prove(court: Court): void {
  const { phase, results, refuse } = court;
  for (const [, , made = '', , , group = ''] of commandsOf(court, 'splitvg')) proveSeparated(court, made, group);
  for (const { id } of phase.script.steps) {
    const copy = id.replace(/^split-off:/, '');
    if (copy !== id) proveCopy(court, copy);
  }
  for (const { id } of phase.script.steps) {
    const made = id.replace(/^gone:/, '');
    if (made === id || !parseGroupNames(textOf(results.get(id))).includes(made)) continue;
    refuse('MERGE_NOT_PROVED', `${made} is still there`, made, findOutWhy);
  }
  if (commandsOf(court, 'joinvg').length === 0) return;
  for (const { id } of phase.script.steps) if (id.startsWith('check:')) proveReturned(court, id.slice('check:'.length));
}

function proveSeparated({ results, refuse, facts }: Court, made: string, group: string): void {
  const { volumes } = parseVolumes(textOf(results.get(`separated:${made}`)));
  const { disks } = parseGroupDisks(textOf(results.get(`disks:${group}`)));
  const names = volumes.map(({ name }) => name);
  if (volumes.length === 0 || names.some((name) => !name.startsWith(prefix))) {
    refuse('SPLIT_NOT_PROVED', `${made} has not the copies of ${group}`, names.join(', '), findOutWhy);
  }
  facts[`volumes of ${made}`] = names.join(' ');
  facts[`disks of ${group}`] = disks.map(({ name }) => name).join(' ');
}

function proveCopy(court: Court, name: string): void {
  const { facts, refuse } = court;
  const volume = name.slice(prefix.length);
  const copy = volumeAt(court, `split-off:${name}`);
  const original = volumeAt(court, `check:${volume}`);
  // AIX chooses the name, and a volume of another group may bear it already: only ours is the copy.
  const ours = copy !== null && readSnapshotGroupName(copy.group) !== null;
  if (!ours || original === null || copy.identifier === null) {
    const message = `${name} is not the copy of ${volume} in a volume group of ours`;
    refuse('COPY_NOT_PROVED', message, copy?.group ?? '?', findOutWhy);
  } else if (copy.logicalPartitions !== original.logicalPartitions) {
    const seen = `LPs ${copy.logicalPartitions} of ${original.logicalPartitions}`;
    refuse('COPY_INCOMPLETE', `${name} is no whole copy of ${volume}`, seen, findOutWhy);
  } else if (copy.stalePartitions !== 0) {
    refuse('COPY_STALE', `${name} has stale partitions`, `STALE PPs ${copy.stalePartitions}`, findOutWhy);
  } else {
    facts[`identifier of ${volume}`] = original.identifier ?? '';
    facts[`identifier of ${name}`] = copy.identifier;
  }
}

/** Its copies are there again, and nothing of the split is left in /etc/filesystems. */
function proveReturned(court: Court, volume: string): void {
  if (!proveJoined(court, volume)) return;
  const device = `/dev/${separatedName(volume)}`;
  const stanza = parseFileSystems(textOf(court.results.get('stanzas'))).find((each) => each.device === device);
  if (stanza === undefined) return;
  const remedy = `See that ${device} is no volume any more, and remove the stanza ${stanza.mountPoint} by hand.`;
  court.refuse('STANZA_LEFT', `joinvg has left the stanza of ${device}`, stanza.mountPoint, remedy);
}
