/** What a handmade tar record says; everything has a plain default. */
export interface Record {
  name?: string | Buffer;
  flag?: string;
  body?: string | Buffer;
  /** Bytes of the size field, when it shall not say the length of the body. */
  size?: number | Buffer;
  mode?: string;
  uid?: string | Buffer;
  gid?: string | Buffer;
  mtime?: string;
  link?: string;
  prefix?: string;
  magic?: string;
  user?: string;
  major?: string;
  minor?: string;
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');

/** One header with its body, padded, in the layout of IEEE 1003.1. */
export function record(from: Record = {}): Buffer {
  const body = Buffer.from(from.body ?? '');
  const header = Buffer.alloc(512);
  const put = (text: string | Buffer, at: number) => Buffer.from(text).copy(header, at);
  put(from.name ?? 'file', 0);
  put(from.mode ?? '0000644\0', 100);
  put(from.uid ?? '0000312\0', 108);
  put(from.gid ?? '0000001\0', 116);
  put(typeof from.size === 'object' ? from.size : octal(from.size ?? body.length, 11), 124);
  put(from.mtime ?? '14000000000', 136);
  put('        ', 148);
  put(from.flag ?? '0', 156);
  put(from.link ?? '', 157);
  put(from.magic ?? 'ustar\x0000', 257);
  put(from.user ?? '', 265);
  put(from.major ?? '', 329);
  put(from.minor ?? '', 337);
  put(from.prefix ?? '', 345);
  put(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
  );
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

/** The records with the two zero blocks that end an archive. */
export function archive(...records: Buffer[]): Buffer {
  return Buffer.concat([...records, Buffer.alloc(1024)]);
}

/** A pax record, its length included. */
export function pax(keyword: string, value: string): Buffer {
  const rest = Buffer.from(` ${keyword}=${value}\n`);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
