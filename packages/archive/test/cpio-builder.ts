/** What a handmade cpio entry says. */
export interface CpioEntry {
  name?: string | Buffer;
  mode?: number;
  nlink?: number;
  body?: string | Buffer;
  size?: number;
  check?: number;
}

export type CpioForm = 'odc' | 'newc' | 'crc' | 'be' | 'le';

/** One entry in one of the forms. */
export function member(form: CpioForm, from: CpioEntry = {}): Buffer {
  const name = Buffer.concat([Buffer.from(from.name ?? 'file'), Buffer.alloc(1)]);
  const body = Buffer.from(from.body ?? '');
  const [mode, nlink, size] = [from.mode ?? 0o100644, from.nlink ?? 1, from.size ?? body.length];
  const fill = (bytes: Buffer, to: number) => Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);
  if (form === 'odc') {
    const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
    const fields = [1, 7, mode, 202, 1, nlink, 0].map((value) => octal(value, 6)).join('');
    return Buffer.concat([
      Buffer.from(`070707${fields}${octal(1_600_000_000, 11)}${octal(name.length, 6)}${octal(size, 11)}`),
      name,
      body,
    ]);
  }
  if (form === 'newc' || form === 'crc') {
    const sum = body.reduce((total, byte) => total + byte, 0);
    const check = from.check ?? (form === 'crc' ? sum : 0);
    const fields = [7, mode, 202, 1, nlink, 1_600_000_000, size, 0, 1, 8, 2, name.length, check];
    const header = fields.map((value) => value.toString(16).padStart(8, '0')).join('');
    return Buffer.concat([
      fill(Buffer.concat([Buffer.from(`07070${form === 'crc' ? 2 : 1}${header}`), name]), 4),
      fill(body, 4),
    ]);
  }
  const header = Buffer.alloc(26);
  const halves = (value: number) => [Math.floor(value / 65_536), value % 65_536];
  const words = [
    0o070707,
    1,
    7,
    mode & 0xffff,
    202,
    1,
    nlink,
    0x0802,
    ...halves(1_600_000_000),
    name.length,
    ...halves(size),
  ];
  words.forEach((word, index) => {
    if (form === 'be') header.writeUInt16BE(word, 2 * index);
    else header.writeUInt16LE(word, 2 * index);
  });
  return Buffer.concat([header, fill(name, 2), fill(body, 2)]);
}

/** The entries with the one that ends an archive, filled up to a block. */
export function cpioArchive(form: CpioForm, ...entries: CpioEntry[]): Buffer {
  const bytes = [...entries, { name: 'TRAILER!!!', mode: 0 }].map((entry) => member(form, entry));
  const whole = Buffer.concat(bytes);
  return Buffer.concat([whole, Buffer.alloc((512 - (whole.length % 512)) % 512)]);
}
