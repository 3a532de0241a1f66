/*
 * Names in archives are bytes. In this package they are strings that lose nothing: UTF-8 where the bytes are UTF-8, and
 * every byte that is not part of valid UTF-8 as one lone surrogate U+DC80..U+DCFF (the scheme of Python's
 * `surrogateescape`). JSON keeps such strings, and `nameBytes` gives the bytes back.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The name that these bytes stand for. */
export function nameOf(bytes: Uint8Array): string {
  let high = 0;
  for (let at = 0; at < bytes.length; at += 1) high |= bytes[at] as number;
  if (high < 0x80) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  try {
    return strict.decode(bytes);
  } catch {
    return escaped(bytes);
  }
}

/** The bytes of a name: the inverse of {@link nameOf}. */
export function nameBytes(name: string): Buffer {
  if (!/[\uDC80-\uDCFF]/.test(name)) return Buffer.from(name, 'utf8');
  const parts: Buffer[] = [];
  let plain = '';
  for (const character of name) {
    const code = character.charCodeAt(0);
    if (character.length > 1 || code < 0xdc80 || code > 0xdcff) {
      plain += character;
      continue;
    }
    parts.push(Buffer.from(plain, 'utf8'), Buffer.from([code - 0xdc00]));
    plain = '';
  }
  return Buffer.concat([...parts, Buffer.from(plain, 'utf8')]);
}

/** The name as a person may see it: bytes that are no text, and control characters, become `\x..`. */
export function displayName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return name.replace(/[\u0000-\u001f\u007f-\u009f]|[\uDC80-\uDCFF](?<![\uD800-\uDBFF].)/g, (character) => {
    const code = character.charCodeAt(0);
    return `\\x${(code & 0xff).toString(16).padStart(2, '0')}`;
  });
}

function escaped(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const size = sequenceLength(bytes, at);
    if (size === 0) {
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
      at += 1;
    } else {
      text += strict.decode(bytes.subarray(at, at + size));
      at += size;
    }
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `at`, 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const size = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (size === 0 || at + size > bytes.length) return 0;
  for (let next = 1; next < size; next += 1) if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  if (lead === 0xe0 && second < 0xa0) return 0;
  if (lead === 0xed && second > 0x9f) return 0;
  if (lead === 0xf0 && second < 0x90) return 0;
  if (lead === 0xf4 && second > 0x8f) return 0;
  return size;
}
