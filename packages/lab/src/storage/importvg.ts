import { mkdirSync } from 'node:fs';
import { type Answer, fails, prints } from '../command.ts';
import type { Call, Command } from './commands.ts';
import { stanzaOf } from './control-blocks.ts';
import { diskOf, groupOfDisk, realPath } from './machine.ts';
import { noDisk, noGroup, unable } from './messages.ts';
import { learn, type VolumeGroup } from './volume-groups.ts';

/** `importvg`: learns a group from its disks; `-L` what is new in one that is known and not varied on here. */
export const importvg: Command = {
  options: 'y:V:L:nFRfcxO',
  run(call): Answer {
    const { machine, node, options, operands, program } = call;
    const [diskName = ''] = operands;
    const disk = diskOf(machine, node, diskName);
    if (disk === undefined) return fails(noDisk(diskName));
    const group = groupOfDisk(machine, disk);
    if (group === undefined) {
      return fails(unable('0516-022', program, 'Illegal parameter or structure value.'));
    }
    const known = options.value('L');
    if (known !== undefined) {
      if (node.odm.get(known)?.id !== group.id) return fails(noGroup(program, known));
      if (node.varied.get(group.id) === 'active' || node.varied.get(group.id) === 'concurrent') {
        return fails(unable('0516-780', program, 'Unable to import volume group from hdisk: it is varied on here.'));
      }
    } else if (
      node.odm.has(options.value('y') ?? group.name) ||
      [...node.odm.values()].some(({ id }) => id === group.id)
    ) {
      return fails(unable('0516-776', program, 'Cannot import hdisk as a volume group that is already known.'));
    }
    const name = known ?? options.value('y') ?? group.name;
    const elsewhere = [...machine.nodes.values()].some(({ odm }) => odm.get(group.name)?.id === group.id);
    if (name !== group.name && elsewhere) {
      // AIX would let each node have a name of its own; the lab does not model that.
      return fails(unable('0516-776', program, `Cannot import ${diskName} as ${name}.`));
    }
    group.name = name;
    node.odm.set(group.name, learn(group));
    const clashes = addStanzas(call, group);
    if (known === undefined && !options.has('n') && !group.enhancedConcurrent) node.varied.set(group.id, 'active');
    return { kind: 'exit', code: 0, stdout: `${group.name}\n`, stderr: clashes.join('') };
  },
};

/** A label that is already a stanza keeps it: the second volume of that label gets none. */
function addStanzas({ node, program }: Call, group: VolumeGroup): string[] {
  return group.volumes.flatMap((volume) => {
    const stanza = stanzaOf(volume);
    if (stanza === undefined) return [];
    const existing = node.stanzas.find(stanza.name);
    if (existing?.attributes.get('dev') === `/dev/${volume.name}`) return [];
    if (existing !== undefined) {
      return [`${program}: mount point ${stanza.name} already exists in /etc/filesystems\n`];
    }
    node.stanzas.put(stanza);
    mkdirSync(realPath(node, stanza.name), { recursive: true });
    return [];
  });
}

/** `exportvg`: forgets a group and the stanzas of its volumes. */
export const exportvg: Command = {
  options: '',
  run({ node, operands, program }): Answer {
    const [name = ''] = operands;
    const odm = node.odm.get(name);
    if (odm === undefined) return fails(noGroup(program, name));
    if (node.varied.has(odm.id)) {
      return fails(unable('0516-764', program, 'The volume group must be varied off\n        before exporting.'));
    }
    const devices = odm.volumes.map((volume) => `/dev/${volume.name}`);
    for (const stanza of node.stanzas.read()) {
      if (devices.includes(stanza.attributes.get('dev') ?? '')) node.stanzas.remove(stanza.name);
    }
    node.odm.delete(name);
    return prints('');
  },
};
