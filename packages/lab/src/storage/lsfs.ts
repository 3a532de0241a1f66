import { type Answer, prints } from '../command.ts';
import { atLeast, type Call, type Command } from './commands.ts';
import { blockBytes, readSuperblock, usage as usageOf } from './labfs.ts';
import { bytesOf, DiskError } from './logical-volumes.ts';
import { volumeOf } from './machine.ts';
import type { Stanza } from './stanzas.ts';

/** `lsfs`: stanzas as a table or with colons; `-q` asks the file systems themselves. */
export const lsfs: Command = {
  options: 'clqau:v:',
  run(call): Answer {
    const { node, options, operands } = call;
    const stanzas = node.stanzas.read();
    const vfs = options.value('v');
    const wanted =
      operands.length === 0
        ? stanzas.filter(({ attributes }) => vfs === undefined || attributes.get('vfs') === vfs)
        : operands.map((name) =>
            stanzas.find((stanza) => stanza.name === name || stanza.attributes.get('dev') === name),
          );
    const missing = operands.filter((_, i) => wanted[i] === undefined);
    const rows = wanted.flatMap((stanza) => (stanza === undefined ? [] : [printStanza(call, stanza)]));
    const head = options.has('c')
      ? '#MountPoint:Device:Vfs:Nodename:Type:Size:Options:AutoMount:Acct\n'
      : 'Name            Nodename   Mount Pt               VFS   Size    Options    Auto Accounting\n';
    const stderr = missing
      .map((name) => `lsfs: 0506-915 No record matching ${name} was found in /etc/filesystems.\n`)
      .join('');
    const stdout = rows.length === 0 && missing.length > 0 ? '' : head + rows.join('');
    return missing.length > 0 ? { kind: 'exit', code: 1, stdout, stderr } : prints(stdout);
  },
};

function printStanza(call: Call, { name, attributes }: Stanza): string {
  const get = (key: string) => attributes.get(key) ?? '';
  const auto = get('mount') === 'true' || get('mount') === 'automatic' ? 'yes' : 'no';
  const account = get('account') === 'true' ? 'yes' : 'no';
  const found = volumeOf(call.machine, call.node, get('dev').replace(/^\/dev\//, ''));
  const readable = found?.varied === undefined ? undefined : found;
  const blocks =
    readable === undefined ? '' : String((readable.volume.map.length * readable.group.partitionBytes) / 512);
  const colon = call.options.has('c');
  const detail = call.options.has('q') && readable !== undefined ? readDetail(call, readable, colon) : '';
  if (colon) {
    const words = [
      name,
      get('dev'),
      get('vfs'),
      get('nodename'),
      get('type'),
      blocks,
      get('options') || 'rw',
      auto,
      account,
    ];
    return `${words.join(':')}\n${detail}`;
  }
  const dash = (text: string) => (text === '' ? '--' : text);
  const cells = [
    get('dev').padEnd(15),
    dash(get('nodename')).padEnd(10),
    name.padEnd(22),
    get('vfs').padEnd(5),
    dash(blocks).padEnd(7),
    dash(get('options')).padEnd(10),
    auto.padEnd(4),
    account,
  ];
  return `${cells.join(' ')}\n${detail}`;
}

/** The superblock may be on a disk that does not answer; the others are told all the same. */
function readDetail(call: Call, found: NonNullable<ReturnType<typeof volumeOf>>, colon: boolean): string {
  try {
    return printDetail(call, found, colon);
  } catch (error) {
    if (error instanceof DiskError) return '';
    throw error;
  }
}

function printDetail(call: Call, { group, volume }: NonNullable<ReturnType<typeof volumeOf>>, colon: boolean): string {
  const bytes = bytesOf(group, volume);
  const superblock = group.name === 'rootvg' ? undefined : readSuperblock(bytes);
  const size = String(bytes.size / 512);
  const print = (pairs: readonly (readonly [string, string])[]) =>
    colon
      ? `(${pairs.map(([key, value]) => `${key} ${value}`).join(':')})\n`
      : `  (${pairs.map(([key, value]) => `${key}: ${value}`).join(', ')})\n`;
  if (volume.type === 'jfs') {
    const fragments = [
      ['frag size', '4096'],
      ['nbpi', '4096'],
      ['compress', 'no'],
      ['bf', 'false'],
      ['ag', '8'],
    ] as const;
    return print([['lv size', size], ['fs size', size], ...fragments]);
  }
  const blocks = (superblock?.blocks ?? bytes.size / blockBytes) * (blockBytes / 512);
  const inline = superblock?.inlineLog ?? false;
  const pairs: [string, string][] = [
    ['lv size', size],
    ['fs size', String(blocks)],
    ['block size', String(blockBytes)],
    ['sparse files', 'yes'],
    ['inline log', inline ? 'yes' : 'no'],
    ['inline log size', inline ? '1' : '0'],
    ['EAformat', 'v1'],
    ['Quota', 'no'],
    ['DMAPI', 'no'],
    ['VIX', 'yes'],
  ];
  const { level } = call.machine;
  if (atLeast(level, '6.1'))
    pairs.push(
      ['EFS', 'no'],
      ['ISNAPSHOT', superblock?.snapshots === undefined ? 'no' : 'yes'],
      ['MAXEXT', '0'],
      ['MountGuard', 'no'],
    );
  if (atLeast(level, '7.2')) pairs.push(['LFF', 'no']);
  return print(pairs);
}

/** `df`: room of mounted file systems. */
export const df: Command = {
  options: 'kgmIiPtv',
  run(call): Answer {
    const { node, options, operands } = call;
    const unit = options.has('k') ? 1024 : options.has('m') ? 1 << 20 : options.has('g') ? 1 << 30 : 512;
    const title =
      unit === 512 ? '512-blocks' : unit === 1024 ? '1024-blocks' : unit === 1 << 20 ? 'MB blocks' : 'GB blocks';
    const amount = (bytes: number) => (unit >= 1 << 20 ? (bytes / unit).toFixed(2) : String(bytes / unit));
    const mounts = operands.length === 0 ? node.mounts : operands.flatMap((path) => innermost(call, path));
    const rows = mounts.map((mount) => {
      const { bytes } = mount;
      const { used, total, files } = mount.native
        ? { used: Math.floor(bytes.size / blockBytes / 4), total: bytes.size / blockBytes, files: 1000 }
        : usageOf(bytes);
      const free = amount((total - used) * blockBytes);
      const percent = `${Math.ceil((100 * used) / total)}%`;
      const cells = [
        amount(total * blockBytes).padStart(title.length),
        free.padStart(9),
        percent.padStart(5),
        String(files).padStart(8),
        '1%'.padStart(6),
      ];
      return `${`/dev/${mount.volume.name}`.padEnd(13)} ${cells.join(' ')} ${mount.mountPoint}`;
    });
    const head = `Filesystem    ${title}      Free %Used    Iused %Iused Mounted on`;
    return prints([head, ...rows, ''].join('\n'));
  },
};

function innermost({ node }: Call, path: string) {
  const inside = node.mounts
    .filter(({ mountPoint }) => path === mountPoint || path.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`))
    .toSorted((a, b) => b.mountPoint.length - a.mountPoint.length);
  return inside.slice(0, 1);
}
