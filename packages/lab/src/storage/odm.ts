import { type Answer, fails, prints } from '../command.ts';
import { type Command, lockWait } from './commands.ts';
import { hasControlBlock } from './control-blocks.ts';
import { ctime } from './dates.ts';
import { diskOf, groupOfDisk, volumeOf } from './machine.ts';
import { noDisk, notInOdm, variedOff } from './messages.ts';
import { copyCount, descriptors, descriptorsOn } from './volume-groups.ts';

/** `getlvcb -AT`: the control block of a volume. */
export const getlvcb: Command = {
  options: 'aACcdefiLlMmnOoPpRrSsTtuUxyZ',
  run(call): Answer {
    const [name = ''] = call.operands;
    const found = volumeOf(call.machine, call.node, name);
    if (found === undefined) return fails(notInOdm(call.program, name));
    const wait = lockWait(call, found.group);
    if (wait !== undefined) return wait;
    if (found.varied === undefined) return fails(variedOff);
    const { group, volume } = found;
    if (!hasControlBlock(group, volume)) return fails(`${call.program}: There is no control block on ${name}.\n`);
    if (!call.options.has('A') && call.options.has('L')) return prints(`${volume.label || 'None'}\n`);
    if (!call.options.has('A') && call.options.has('t')) return prints(`${volume.type}\n`);
    const rows = [
      'AIX LVCB',
      'intrapolicy = m',
      `copies = ${copyCount(volume)}`,
      'interpolicy = m',
      `lvid = ${group.id}.${volume.minor}`,
      `lvname = ${volume.name}`,
      `label = ${volume.label === '' ? 'None' : volume.label}`,
      `machine id = ${group.id.slice(2, 8).toUpperCase()}4C00`,
      `number lps = ${volume.map.length}`,
      'relocatable = y',
      `strict = ${volume.strict}`,
      'stripe width = 0',
      'stripe size in exponent = 0',
      `type = ${volume.type}`,
      `upperbound = ${volume.upperBound}`,
      `fs = ${volume.fileSystem}`,
      `time created  = ${ctime(volume.created)}`,
      `time modified = ${ctime(volume.modified)}`,
    ];
    return prints(rows.map((row) => `\t ${row} \n`).join(''));
  },
};

/** `lqueryvg`: the VGDA as a disk has it; `-T` its time stamp. */
export const lqueryvg: Command = {
  options: 'Atp:g:LPNFDaSXTqscCdrvV',
  run({ machine, node, options }): Answer {
    const name = options.value('p') ?? '';
    const disk = diskOf(machine, node, name);
    if (disk === undefined) return fails(noDisk(name));
    const group = groupOfDisk(machine, disk);
    if (group === undefined) return fails('0516-320 lqueryvg: Physical volume is not assigned to a volume group.\n');
    if (options.has('T') && !options.has('A')) {
      return prints(`Time Stamp:     ${group.stamp.toString(16).padStart(16, '0')}\n`);
    }
    const free = group.disks.reduce((sum, each) => sum + Math.floor(each.bytes / group.partitionBytes), 0);
    const used = group.volumes.reduce((sum, volume) => sum + volume.map.flat().length, 0);
    const row = (label: string, value: string) => `${label.padEnd(16)}${value}\n`;
    const logical = group.volumes.map((volume) => `${group.id}.${volume.minor}   ${volume.name} ${copyCount(volume)}`);
    const physical = group.disks.map((each) => `${each.pvid}                ${descriptorsOn(group, each)}   0`);
    const list = (label: string, rows: readonly string[]) =>
      rows.map((text, i) => row(i === 0 ? label : '', text)).join('');
    return prints(
      row('Max LVs:', '256') +
        row('PP Size:', String(Math.log2(group.partitionBytes))) +
        row('Free PPs:', String(free - used)) +
        row('LV count:', String(group.volumes.length)) +
        row('PV count:', String(group.disks.length)) +
        row('Total VGDAs:', String(descriptors(group))) +
        row('Conc Allowed:', group.enhancedConcurrent ? '1' : '0') +
        row('MAX PPs per PV', '1016') +
        row('MAX PVs:', group.kind === 'scalable' ? '1024' : '32') +
        list('Logical:', logical) +
        list('Physical:', physical),
    );
  },
};

/** `odmget` of the classes that LVM keeps; the criteria are those that callers really use. */
export const odmget: Command = {
  options: 'q:',
  run({ machine, node, options, operands }): Answer {
    const [objectClass = ''] = operands;
    if (objectClass !== 'CuDv' && objectClass !== 'CuAt')
      return fails(`0518-506 odmget: Cannot open object class ${objectClass}\n`);
    const criteria = readCriteria(options.value('q') ?? '');
    const known = [...node.odm.values()].flatMap((odm) => {
      const group = machine.groups.find(({ id }) => id === odm.id);
      return group === undefined ? [] : odm.volumes.map((volume) => ({ odm, group, volume }));
    });
    const objects = known.flatMap(({ odm, volume }) =>
      objectClass === 'CuDv'
        ? [customDevice(volume.name, odm.name)]
        : [
            attribute(volume.name, 'lvserial_id', `${odm.id}.${volume.minor}`),
            attribute(volume.name, 'label', volume.label || 'None'),
            attribute(volume.name, 'type', volume.type),
          ],
    );
    const chosen = objects.filter((object) => criteria.every(([key, value]) => like(String(object[key] ?? ''), value)));
    return prints(chosen.map((object) => printObject(objectClass, object)).join('\n'));
  },
};

type OdmObject = Readonly<Record<string, string | number>>;

function customDevice(name: string, parent: string): OdmObject {
  return {
    name,
    status: 1,
    chgstatus: 1,
    ddins: '',
    location: '',
    parent,
    connwhere: '',
    PdDvLn: 'logical_volume/lvsubclass/lvtype',
  };
}

function attribute(name: string, key: string, value: string): OdmObject {
  return { name, attribute: key, value, type: 'R', generic: 'DU', rep: 's', nls_index: 0 };
}

function readCriteria(text: string): [string, string][] {
  return [...text.matchAll(/(\w+)\s*(?:=|like)\s*['"]?([^'"\s]*)['"]?/gi)].map((match) => [
    match[1] ?? '',
    match[2] ?? '',
  ]);
}

function like(value: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(value);
}

function printObject(objectClass: string, object: OdmObject): string {
  const rows = Object.entries(object).map(
    ([key, value]) => `\t${key} = ${typeof value === 'number' ? value : `"${value}"`}\n`,
  );
  return `\n${objectClass}:\n${rows.join('')}`.slice(1);
}

/** `lvmstat`: statistics are not collected. */
export const lvmstat: Command = {
  options: 'eldvrFsCc:',
  run: () =>
    fails(
      '0516-1309 lvmstat: Statistics collection is not enabled for\n        this logical device. Use -e option to enable.\n',
    ),
};
