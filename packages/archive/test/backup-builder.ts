/** What a handmade entry of `backup -i` says. */
export interface BackupEntry {
  name?: string | Buffer;
  mode?: number;
  nlink?: number;
  id?: number;
  body?: string | Buffer;
  /** Packed content; `size` then is that of the unpacked. */
  packed?: Buffer;
  size?: number;
  large?: boolean;
  extendedAcl?: boolean;
  /** Bytes between header and next header, instead of access rights and content. */
  raw?: Buffer;
}

const fill = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);

/** A header of any type: six common bytes with the checksum over all of it. */
export function backupHeader(type: number, rest: Buffer, magic = 60_011): Buffer {
  const header = fill(Buffer.concat([Buffer.alloc(6), rest]));
  header[0] = header.length / 8;
  header[1] = type;
  header.writeUInt16LE(magic, 2);
  let sum = 0;
  for (const byte of header) sum += (byte << (byte & 7)) & 0xffff;
  header.writeUInt16LE(sum & 0xffff, 4);
  return header;
}

/** The header of a volume by name. */
export function volumeHeader(level = 100, number = 1): Buffer {
  const rest = Buffer.alloc(66);
  rest.writeUInt16LE(number, 0);
  rest.writeInt32LE(1_700_000_000, 2);
  rest.writeInt32LE(0x7fffffff, 10);
  for (const [text, at] of [
    ['by name', 14],
    ['by name', 30],
    ['root', 46],
  ] as const) {
    rest.write(text, at);
  }
  rest.writeInt16LE(level, 62);
  return backupHeader(0, rest);
}

/** Access rights of the plain kind, or with one entry more. */
export function security(isExtended = false): Buffer {
  const acl = Buffer.alloc(isExtended ? 32 : 16);
  acl.writeUInt32LE(isExtended ? 28 : 16, 0);
  acl.writeUInt32LE(isExtended ? 0x02000000 : 0, 4);
  const counts = Buffer.alloc(8);
  counts.writeUInt32LE(acl.length / 8, 0);
  counts.writeUInt32LE(2, 4);
  const pcl = Buffer.alloc(16);
  pcl.writeUInt32LE(16, 0);
  return Buffer.concat([counts, acl, pcl]);
}

export function backupMember(from: BackupEntry = {}): Buffer {
  const body = Buffer.from(from.body ?? '');
  const mode = from.mode ?? 0o100644;
  const size = from.size ?? body.length;
  const isDirectory = (mode & 0o170000) === 0o040000;
  const stored = isDirectory ? 256 : (from.packed?.length ?? size);
  const large = from.large ?? false;
  const fields = Buffer.alloc(large ? 66 : 58);
  fields.writeInt16LE(from.nlink ?? 1, 0);
  fields.writeUInt32LE(from.id ?? 0, 2);
  fields.writeUInt32LE(isDirectory ? mode | 0x10000 : mode, 6);
  fields.writeUInt32LE(388_113, 10);
  fields.writeUInt32LE(21_803, 14);
  const shift = large ? 4 : 0;
  if (large) fields.writeBigInt64LE(BigInt(size), 18);
  else fields.writeInt32LE(size, 18);
  fields.writeInt32LE(1_700_000_000, 26 + shift);
  fields.writeUInt32LE(8, 42 + shift);
  fields.writeUInt32LE(3, 46 + shift);
  if (large) fields.writeBigInt64LE(BigInt(stored), 58);
  else fields.writeInt32LE(stored, 50);
  const name = Buffer.concat([Buffer.from(from.name ?? 'file'), Buffer.from('\0stale')]);
  const header = backupHeader(large ? 12 : 11, Buffer.concat([fields, name]), from.packed ? 60_012 : 60_011);
  return Buffer.concat([header, from.raw ?? Buffer.concat([security(from.extendedAcl), fill(from.packed ?? body)])]);
}

/** The header that ends an archive. */
export const backupEnd = Buffer.from('01076bea840a0100', 'hex');

/** A volume with these entries, filled up to a block with stale bytes. */
export function backupArchive(...entries: (BackupEntry | Buffer)[]): Buffer {
  const members = entries.map((entry) => (Buffer.isBuffer(entry) ? entry : backupMember(entry)));
  const whole = Buffer.concat([volumeHeader(), ...members, backupEnd]);
  return Buffer.concat([whole, Buffer.alloc((512 - (whole.length % 512)) % 512, 0xa5)]);
}

/** Packs bytes as `backup -p` does: the codes of a Huffman tree whose deepest last leaf is the end. */
export function pack(content: Buffer): Buffer {
  const counts = new Map<number, number>();
  for (const byte of content) counts.set(byte, (counts.get(byte) ?? 0) + 1);
  const endCode = 256;
  type Node = { weight: number; symbols: number[] };
  const depth = new Map<number, number>();
  const nodes: Node[] = [{ weight: 0, symbols: [endCode] }];
  for (const [symbol, weight] of counts) nodes.push({ weight, symbols: [symbol] });
  while (nodes.length > 1) {
    nodes.sort((a, b) => a.weight - b.weight);
    const pair = nodes.splice(0, 2);
    const symbols = pair.flatMap((node) => node.symbols);
    for (const symbol of symbols) depth.set(symbol, (depth.get(symbol) ?? 0) + 1);
    nodes.push({ weight: pair.reduce((sum, node) => sum + node.weight, 0), symbols });
  }
  const levels = Math.max(...depth.values());
  const byLevel = Array.from({ length: levels }, (_, level) =>
    [...depth.keys()].filter((symbol) => depth.get(symbol) === level + 1).sort((a, b) => a - b),
  );
  const inner = new Array<number>(levels).fill(0);
  for (let level = levels - 1; level > 0; level -= 1) {
    inner[level - 1] = ((inner[level] ?? 0) + (byLevel[level]?.length ?? 0)) / 2;
  }
  const codes = new Map<number, string>();
  byLevel.forEach((symbols, level) => {
    symbols.forEach((symbol, index) => {
      codes.set(symbol, ((inner[level] ?? 0) + index).toString(2).padStart(level + 1, '0'));
    });
  });
  const sizes = byLevel.map((symbols, level) => (level === levels - 1 ? symbols.length - 2 : symbols.length));
  const symbols = byLevel.flat().filter((symbol) => symbol !== endCode);
  const bits = [...content, endCode].map((symbol) => codes.get(symbol) ?? '').join('');
  const bytes = bits.match(/.{1,8}/g)?.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)) ?? [];
  return Buffer.from([levels, ...sizes, ...symbols, ...bytes]);
}
