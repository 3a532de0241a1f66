import {
  AIX_PATH,
  type Command,
  checkScript,
  type Host,
  members,
  type Script,
  type ScriptOutcome,
  type StepResult,
} from '@splitmirror/host';

/** One physical partition of a volume in the model. */
export interface ModelPartition {
  disk: string;
  pp: number;
  stale: boolean;
}

export interface ModelVolume {
  name: string;
  minor: number;
  type: string;
  label: string | null;
  open: boolean;
  /** Copies per logical partition. */
  map: ModelPartition[][];
  inline?: boolean;
  encrypted?: boolean;
  separate?: string;
  /** Mirror pools of the copies. */
  pools?: string[];
  stripeWidth?: number;
  schedule?: string;
}

export interface ModelGroup {
  name: string;
  id: string;
  state: string;
  permission: string;
  concurrent: boolean;
  disks: { name: string; state: string; total: number }[];
  volumes: ModelVolume[];
  maxVolumes: number;
  maxDisks?: number;
  extraRows: string[];
}

/** A node as far as LVM's commands show it: prints what AIX prints, and obeys what our scripts may say. */
export interface Model {
  groups: ModelGroup[];
  stanzas: { mountPoint: string; device: string; vfs: string }[];
  mounts: { device: string; mountPoint: string; vfs: string; options: string }[];
  directories: Set<string>;
  frozen: Set<string>;
  clock: number;
  /** What `oslevel -r` prints. */
  level: string;
  /** Every command that was run, as typed words. */
  transcript: string[][];
  /** Commands that fail, by program, before they do anything. */
  broken: Map<string, { code: number; stderr: string; stdout?: string }>;
}

export function mirroredVolume(
  name: string,
  minor: number,
  disks: readonly string[],
  size: number,
  first: number,
  more: Partial<ModelVolume> = {},
): ModelVolume {
  return {
    name,
    minor,
    type: 'jfs2',
    label: null,
    open: true,
    map: Array.from({ length: size }, (_, lp) => disks.map((disk) => ({ disk, pp: first + lp, stale: false }))),
    ...more,
  };
}

/** Two mirrored JFS2 file systems and one raw volume on two disks. */
export function shopModel(): Model {
  const disks = ['hdisk2', 'hdisk3'];
  return {
    groups: [
      {
        name: 'shopvg',
        id: '00f6a1b200004c000000018a1b2c3d4e',
        state: 'active',
        permission: 'read/write',
        concurrent: true,
        disks: disks.map((name) => ({ name, state: 'active', total: 100 })),
        volumes: [
          mirroredVolume('datalv', 1, disks, 4, 1, { label: '/shop/data' }),
          mirroredVolume('orderlv', 2, disks, 3, 11, { label: '/shop/data/orders' }),
          mirroredVolume('queuelv', 3, disks, 2, 21, { type: 'raw' }),
        ],
        maxVolumes: 256,
        extraRows: [],
      },
    ],
    stanzas: [
      { mountPoint: '/shop/data', device: '/dev/datalv', vfs: 'jfs2' },
      { mountPoint: '/shop/data/orders', device: '/dev/orderlv', vfs: 'jfs2' },
    ],
    mounts: [
      { device: '/dev/datalv', mountPoint: '/shop/data', vfs: 'jfs2', options: 'rw,log=INLINE' },
      { device: '/dev/orderlv', mountPoint: '/shop/data/orders', vfs: 'jfs2', options: 'rw,log=/dev/orderlv' },
    ],
    directories: new Set(),
    frozen: new Set(),
    clock: 1000,
    level: '7200-05',
    transcript: [],
    broken: new Map(),
  };
}

type Said = { code: number; stdout: string; stderr: string };
const ok = (stdout = ''): Said => ({ code: 0, stdout, stderr: '' });
const no = (stderr: string, code = 1): Said => ({ code, stdout: '', stderr: `${stderr}\n` });

/** What goes wrong in a script, at the step of this position. */
export interface Mishap {
  readonly step: number;
  /**
   * `stops`: the node dies before the step, and no debt is paid. `refuses`: the command fails and has done nothing.
   * `fails`: it does its work and then ends with 1. `cut off`: the link is lost; the script goes on to its end.
   */
  readonly kind: 'stops' | 'refuses' | 'fails' | 'cut off';
}

/** A host whose commands are answered by a model, in the order and with the debts of a script. */
export function modelHost(name: string, model: Model, luck: { mishap?: Mishap | undefined } = {}): Host {
  return {
    name,
    async run(script: Script): Promise<ScriptOutcome> {
      checkScript(script);
      const steps: StepResult[] = [];
      const started = new Set<string>();
      const done = new Set<string>();
      let failed = false;
      for (const [position, step] of script.steps.entries()) {
        const mishap = luck.mishap?.step === position ? luck.mishap.kind : undefined;
        if (mishap === 'stops') {
          const rest = script.steps.slice(position).map(({ id }): StepResult => ({ kind: 'skipped', id }));
          return { kind: 'unknown', reason: 'connection lost', steps: [...steps, ...rest] };
        }
        const needed = (step.needs ?? []).every((id) => done.has(id));
        const owed = step.pays?.some((id) => started.has(id));
        if (!needed || (step.pays === undefined ? failed : !owed)) {
          steps.push({ kind: 'skipped', id: step.id });
          continue;
        }
        started.add(step.id);
        const start = Math.floor(model.clock);
        let said = ok();
        if (mishap === 'refuses') said = no('it does not want to');
        else for (const command of members(step.run)) said = execute(model, command, said.stdout);
        if (mishap === 'fails') said = { ...said, code: 1 };
        if (said.code === 0) done.add(step.id);
        else if (step.onFailure !== 'continue') failed = true;
        steps.push({
          kind: 'ended',
          id: step.id,
          exitCode: said.code,
          memberCodes: [said.code],
          stdout: said.stdout,
          stderr: said.stderr,
          durationMs: 1,
          clock: { start, end: Math.floor(model.clock) },
        });
      }
      if (luck.mishap?.kind === 'cut off') return { kind: 'unknown', reason: 'connection lost', steps: [] };
      return { kind: 'completed', steps };
    },
    stream: () => Promise.reject(new Error('the model streams nothing')),
    close: () => Promise.resolve(),
  };
}

function execute(model: Model, { argv }: Command, stdin: string): Said {
  const [program, ...args] = argv;
  if (!AIX_PATH || program === '') return no('no program');
  const broken = model.broken.get(program);
  if (broken !== undefined) return { code: broken.code, stdout: broken.stdout ?? '', stderr: broken.stderr };
  if (program !== 'awk' && program !== 'xargs') model.transcript.push([...argv]);
  const find = (volume: string | undefined) =>
    model.groups
      .flatMap((group) => group.volumes.map((found) => ({ group, volume: found })))
      .find(({ volume: { name } }) => name === volume);
  const last = args.at(-1) ?? '';
  switch (program) {
    case 'lsvg': {
      if (args.length === 0) return ok(model.groups.map(({ name }) => `${name}\n`).join(''));
      const group = model.groups.find(({ name }) => name === last);
      if (group === undefined)
        return no(`0516-306 lsvg: Unable to find volume group ${last} in the Device\n\tConfiguration Database.`);
      if (group.state === 'off') return no('0516-010 : Volume group must be varied on; use varyonvg command.');
      const printers: Record<string, (group: ModelGroup) => string> = {
        '-l': printVolumes(model),
        '-p': printDisks,
        '-M': printMap,
      };
      return ok((args.length === 1 ? printGroup : (printers[args[0] ?? ''] ?? printGroup))(group));
    }
    case 'awk':
      if (args[0]?.includes('"jfs2"')) {
        const rows = stdin.split('\n').map((line) => line.split(/\s+/));
        return ok(
          rows
            .flatMap((words) => (words[1] === 'jfs2' && words[5]?.startsWith('open') ? `${words[6]}\n` : []))
            .join(''),
        );
      }
      return ok(
        stdin
          .split('\n')
          .slice(2)
          .map((line) => line.split(/\s+/)[0])
          .filter(Boolean)
          .join('\n'),
      );
    case 'xargs': {
      if (args.includes('snapshot')) {
        const lists = stdin.split('\n').filter(Boolean);
        return ok(lists.map((mountPoint) => `${mountPoint} has no snapshots.\n`).join(''));
      }
      const answers = stdin
        .split('\n')
        .filter(Boolean)
        .map((volume) => execute(model, { argv: ['lslv', volume], effect: 'reads' }, ''));
      const bad = answers.find(({ code }) => code !== 0);
      return bad ?? ok(answers.map(({ stdout }) => stdout).join(''));
    }
    case 'lslv': {
      const found = find(last);
      return found
        ? ok(printVolume(model, found.group, found.volume))
        : no(`0516-306 lslv: Unable to find  ${last} in the Device\n\tConfiguration Database.`);
    }
    case 'oslevel':
      return ok(`${model.level}\n`);
    case 'lsfs':
      return ok(printFileSystems(model));
    case 'mount': {
      if (args.length === 0) return ok(printMounts(model));
      // mount -v vfs -o ro device directory
      const [, vfs = '', , options = '', device = ''] = args;
      if (!model.directories.has(last))
        return no(
          `mount: 0506-324 Cannot mount ${device} on ${last}: A file or directory in the path name does not exist.`,
        );
      model.mounts.push({ device, mountPoint: last, vfs, options });
      return ok();
    }
    case 'umount': {
      const at = model.mounts.findIndex(({ mountPoint }) => mountPoint === last);
      if (at === -1) return no(`umount: 0506-347 Cannot find anything to unmount.`);
      model.mounts.splice(at, 1);
      return ok();
    }
    case 'test':
      return model.directories.has(last) ? ok() : no('');
    case 'find':
      return ok(
        [...model.directories]
          .sort()
          .map((path) => `${path}\n`)
          .join(''),
      );
    case 'mkdir':
      for (let path = last; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) model.directories.add(path);
      return ok();
    case 'rmdir':
      if ([...model.directories].some((path) => path.startsWith(`${last}/`)))
        return no(`rmdir: 0653-611 Directory ${last} is not empty.`);
      if (model.mounts.some(({ mountPoint }) => mountPoint === last))
        return no(`rmdir: 0653-609 Cannot remove ${last}. Device busy`);
      return model.directories.delete(last) ? ok() : no(`rmdir: 0653-609 Cannot remove ${last}.`);
    case 'chfs': {
      if (args[1] === 'freeze=off') return model.frozen.delete(last) ? ok() : no('chfs: not frozen');
      model.frozen.add(last);
      return ok();
    }
    case 'splitlvcopy': {
      const [, , copy = '', name, keep, ...disks] = args;
      const found = find(name);
      if (found === undefined || find(copy)) return no('splitlvcopy: no such volume, or the name is taken');
      const { group, volume } = found;
      const moved = volume.map.map((row) => row.filter(({ disk }) => disks.includes(disk)));
      if (moved.some((row, lp) => row.length === 0 || (volume.map[lp]?.length ?? 0) - row.length !== Number(keep)))
        return no('splitlvcopy: not that many copies');
      volume.map = volume.map.map((row) => row.filter(({ disk }) => !disks.includes(disk)));
      const minor = Math.max(...group.volumes.map((other) => other.minor)) + 1;
      group.volumes.push({ ...volume, name: copy, minor, open: false, map: moved });
      return ok(`${copy}\n`);
    }
    case 'chlv': {
      const found = find(last);
      if (found === undefined) return no('0516-306 chlv: Unable to find it.');
      found.volume.label = args[1] ?? null;
      return ok();
    }
    case 'rmlv': {
      const found = find(last);
      if (found === undefined) return no(`0516-306 rmlv: Unable to find ${last}.`);
      if (model.mounts.some(({ device }) => device === `/dev/${last}`))
        return no('0516-1008 rmlv: Logical volume must be closed.');
      found.group.volumes.splice(found.group.volumes.indexOf(found.volume), 1);
      return ok(`rmlv: Logical volume ${last} is removed.\n`);
    }
    case 'mklvcopy': {
      const [name, total, ...disks] = args[0] === '-p' ? args.slice(2) : args;
      const found = find(name);
      if (found === undefined) return no('0516-306 mklvcopy: Unable to find it.');
      const { group, volume } = found;
      if (copiesOf(volume) >= Number(total) && volume.map.every((row) => row.length >= Number(total)))
        return no('0516-842 mklvcopy: It has as many copies.');
      for (const row of volume.map) {
        while (row.length < Number(total)) {
          const names = disks.length > 0 ? disks : group.disks.map((disk) => disk.name);
          const disk = names.find((candidate) => !row.some((part) => part.disk === candidate));
          if (disk === undefined) return no('0516-404 allocp: This system cannot fulfill the allocation request.');
          const used = new Set(
            group.volumes.flatMap(({ map }) =>
              map
                .flat()
                .filter((part) => part.disk === disk)
                .map(({ pp }) => pp),
            ),
          );
          let pp = 1;
          while (used.has(pp)) pp++;
          row.push({ disk, pp, stale: true });
        }
      }
      return ok();
    }
    case 'syncvg': {
      for (const part of find(last)?.volume.map.flat() ?? []) part.stale = false;
      return ok();
    }
    case 'fsck': {
      model.clock += 2;
      return ok(
        `\n\nThe current volume is: ${last}\nPrimary superblock is valid.\n*** Phase 1 - Initial inode scan\nFile system is clean.\n`,
      );
    }
    default:
      return no(`ksh: ${program}:  not found.`, 127);
  }
}

function copiesOf(volume: ModelVolume): number {
  return Math.max(...volume.map.map((row) => row.length));
}

const pair = (left: string, right = '') => `${left.padEnd(42)} ${right}`.trimEnd();
const cell = (label: string, value: string | number) => `${`${label}:`.padEnd(20)}${value}`;
const stale = (volumes: readonly ModelVolume[]) =>
  volumes.flatMap(({ map }) => map.flat()).filter((part) => part.stale).length;

export function printGroup(group: ModelGroup): string {
  const total = group.disks.reduce((sum, disk) => sum + disk.total, 0);
  const used = group.volumes.reduce((sum, { map }) => sum + map.flat().length, 0);
  const short = (label: string, value: string | number) => `  ${`${label}:`.padEnd(16)}${value}`;
  const rows: [string, string?][] = [
    [cell('VOLUME GROUP', group.name), short('VG IDENTIFIER', group.id)],
    [cell('VG STATE', group.state), short('PP SIZE', '16 megabyte(s)')],
    [cell('VG PERMISSION', group.permission), short('TOTAL PPs', `${total} (${total * 16} megabytes)`)],
    [cell('MAX LVs', group.maxVolumes), short('FREE PPs', `${total - used} (${(total - used) * 16} megabytes)`)],
    [cell('LVs', group.volumes.length), short('USED PPs', `${used} (${used * 16} megabytes)`)],
    [cell('OPEN LVs', group.volumes.filter(({ open }) => open).length), short('QUORUM', '2 (Enabled)')],
    [cell('TOTAL PVs', group.disks.length), short('VG DESCRIPTORS', 3)],
    [cell('STALE PVs', stale(group.volumes) > 0 ? 1 : 0), short('STALE PPs', stale(group.volumes))],
    [cell('ACTIVE PVs', group.disks.filter(({ state }) => state === 'active').length), short('AUTO ON', 'no')],
  ];
  if (group.concurrent) {
    rows.push(
      [cell('Concurrent', 'Enhanced-Capable'), short('Auto-Concurrent', 'Disabled')],
      [cell('VG Mode', 'Concurrent')],
    );
    rows.push([cell('Node ID', 1), short('Active Nodes', '2')]);
  }
  rows.push(...group.extraRows.map((row): [string] => [row]));
  // Scalable groups have no bound for a disk.
  if (group.maxDisks === undefined) rows.push([cell('MAX PPs per VG', 32768), short('MAX PVs', 1024)]);
  else rows.push([cell('MAX PPs per PV', 1016), short('MAX PVs', group.maxDisks)]);
  rows.push(
    [cell('LTG size (Dynamic)', '512 kilobyte(s)'), short('AUTO SYNC', 'no')],
    [cell('HOT SPARE', 'no'), short('BB POLICY', 'relocatable')],
    [cell('PV RESTRICTION', 'none'), short('INFINITE RETRY', 'no')],
  );
  return `${rows.map(([left, right]) => pair(left, right)).join('\n')}\n`;
}

function printVolumes(model: Model): (group: ModelGroup) => string {
  return ({ name, volumes }) => {
    const rows = volumes.map((volume) => {
      const parts = volume.map.flat();
      const state = `${isOpen(model, volume) ? 'open' : 'closed'}/${parts.some((part) => part.stale) ? 'stale' : 'syncd'}`;
      const disks = new Set(parts.map(({ disk }) => disk)).size;
      return [
        volume.name.padEnd(19),
        volume.type.padEnd(10),
        String(volume.map.length).padEnd(7),
        String(parts.length).padEnd(7),
        String(disks).padEnd(4),
        state.padEnd(13),
        mountPointOf(model, volume),
      ].join(' ');
    });
    return [
      `${name}:`,
      'LV NAME             TYPE       LPs     PPs     PVs  LV STATE      MOUNT POINT',
      ...rows,
      '',
    ].join('\n');
  };
}

function isOpen(model: Model, volume: ModelVolume): boolean {
  return volume.open || model.mounts.some(({ device }) => device === `/dev/${volume.name}`);
}

function mountPointOf(model: Model, { name, label }: ModelVolume): string {
  return (
    model.mounts.find(({ device }) => device === `/dev/${name}`)?.mountPoint ?? (label?.startsWith('/') ? label : 'N/A')
  );
}

function printDisks({ name, disks, volumes }: ModelGroup): string {
  const rows = disks.map((disk) => {
    const used = volumes.flatMap(({ map }) => map.flat()).filter((part) => part.disk === disk.name).length;
    return `${disk.name.padEnd(17)} ${disk.state.padEnd(17)} ${String(disk.total).padEnd(11)} ${String(disk.total - used).padEnd(11)} 00..00..00..00..${disk.total - used}`;
  });
  return [
    `${name}:`,
    'PV_NAME           PV STATE          TOTAL PPs   FREE PPs    FREE DISTRIBUTION',
    ...rows,
    '',
  ].join('\n');
}

export function printMap({ disks, volumes }: ModelGroup): string {
  const rows: string[] = [];
  for (const disk of disks) {
    const used = new Map<number, string>();
    for (const volume of volumes) {
      volume.map.forEach((row, lp) => {
        row.forEach((part, copy) => {
          if (part.disk !== disk.name) return;
          const number = row.length > 1 || copiesOf(volume) > 1 ? `:${copy + 1}` : '';
          used.set(part.pp, `${disk.name}:${part.pp}\t${volume.name}:${lp + 1}${number}${part.stale ? '\tstale' : ''}`);
        });
      });
    }
    for (let pp = 1; pp <= disk.total; pp++) {
      const row = used.get(pp);
      if (row !== undefined) {
        rows.push(row);
        continue;
      }
      let end = pp;
      while (end < disk.total && !used.has(end + 1)) end++;
      rows.push(end > pp ? `${disk.name}:${pp}-${end}` : `${disk.name}:${pp}`);
      pp = end;
    }
  }
  return `${rows.join('\n')}\n`;
}

export function printVolume(model: Model, group: ModelGroup, volume: ModelVolume): string {
  const parts = volume.map.flat();
  const staleCount = parts.filter((part) => part.stale).length;
  const short = (label: string, value: string | number) => `${`${label}:`.padEnd(16)}${value}`;
  return `${[
    pair(cell('LOGICAL VOLUME', volume.name), short('VOLUME GROUP', group.name)),
    `${cell('LV IDENTIFIER', `${group.id}.${volume.minor}`)} PERMISSION:     read/write`,
    pair(
      cell('VG STATE', 'active/complete'),
      short('LV STATE', `${isOpen(model, volume) ? 'opened' : 'closed'}/${staleCount > 0 ? 'stale' : 'syncd'}`),
    ),
    pair(cell('TYPE', volume.type), short('WRITE VERIFY', 'off')),
    pair(cell('MAX LPs', 512), short('PP SIZE', '16 megabyte(s)')),
    pair(cell('COPIES', copiesOf(volume)), short('SCHED POLICY', volume.schedule ?? 'parallel')),
    pair(cell('LPs', volume.map.length), short('PPs', parts.length)),
    pair(cell('STALE PPs', staleCount), short('BB POLICY', 'relocatable')),
    pair(cell('INTER-POLICY', 'minimum'), short('RELOCATABLE', 'yes')),
    pair(cell('INTRA-POLICY', 'inner middle'), short('UPPER BOUND', 128)),
    pair(cell('MOUNT POINT', mountPointOf(model, volume)), short('LABEL', volume.label ?? 'None')),
    'MIRROR WRITE CONSISTENCY: on/ACTIVE',
    `EACH LP COPY ON A SEPARATE PV ?: ${volume.separate ?? 'yes'}`,
    'Serialize IO ?:     NO',
    pair(cell('INFINITE RETRY', 'no'), short('PREFERRED READ', 0)),
    ...(volume.stripeWidth === undefined
      ? []
      : [pair(cell('STRIPE WIDTH', volume.stripeWidth), short('STRIPE SIZE', '64K'))]),
    ...(volume.pools === undefined
      ? []
      : [0, 1, 2].map((copy) => `COPY ${copy + 1} MIRROR POOL: ${volume.pools?.[copy] ?? 'None'}`)),
    ...(volume.encrypted === undefined ? [] : [cell('ENCRYPTION', volume.encrypted ? 'yes' : 'no')]),
  ].join('\n')}\n`;
}

function printFileSystems(model: Model): string {
  const rows = model.stanzas.flatMap(({ mountPoint, device, vfs }) => {
    const volume = model.groups.flatMap(({ volumes }) => volumes).find(({ name }) => `/dev/${name}` === device);
    const inline = volume?.inline ?? true;
    const size = (volume?.map.length ?? 0) * 32768;
    return [
      `${mountPoint}:${device}:${vfs}:::${size}:rw:no:no`,
      ...(vfs.startsWith('jfs') && volume
        ? [
            `(lv size ${size}:fs size ${size}:block size 4096:sparse files yes:inline log ${inline ? 'yes' : 'no'}:inline log size 1:EAformat v1:Quota no:DMAPI no:VIX yes:EFS no:ISNAPSHOT no:MAXEXT 0:MountGuard no)`,
          ]
        : []),
    ];
  });
  return `${['#MountPoint:Device:Vfs:Nodename:Type:Size:Options:AutoMount:Acct', '/:/dev/hd4:jfs2::bootfs:1048576:rw:yes:no', ...rows].join('\n')}\n`;
}

function printMounts(model: Model): string {
  const rows = model.mounts.map(
    ({ device, mountPoint, vfs, options }) =>
      `         ${device.padEnd(16)} ${mountPoint.padEnd(16)} ${vfs.padEnd(6)} Nov 22 09:14 ${options}`,
  );
  return [
    '  node       mounted        mounted over    vfs       date        options      ',
    '-------- ---------------  ---------------  ------ ------------ --------------- ',
    '         /dev/hd4         /                jfs2   Nov 21 23:01 rw,log=/dev/hd8 ',
    ...rows,
    '',
  ].join('\n');
}

/** Everything that must be the same again after a run and its way back. */
export function wholeness(model: Model): unknown {
  return structuredClone({
    groups: model.groups.map(({ volumes }) =>
      volumes.map(({ name, minor, label, map }) => ({
        name,
        minor,
        label,
        copies: map.map((row) => row.map(({ disk }) => disk)),
        stale: stale([{ map } as ModelVolume]),
      })),
    ),
    mounts: model.mounts,
    directories: [...model.directories],
    frozen: [...model.frozen],
    stanzas: model.stanzas,
  });
}
