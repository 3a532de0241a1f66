import { describe, expect, it } from 'vitest';
import { archive, pax, record } from './tar-builder.ts';
import { readTar, refusal } from './watching.ts';

const records = [
  record({ name: './', flag: '5' }),
  record({ name: '././@LongLink', flag: 'L', body: `${'long/'.repeat(30)}name\0` }),
  record({ body: Buffer.alloc(1500, 'a') }),
  record({ flag: 'x', body: pax('path', 'named by pax') }),
  record({ body: Buffer.alloc(512, 'b') }),
  record({ name: 'AIXC', flag: 'A', body: Buffer.alloc(40, 1) }),
  record({ name: 'link', flag: '2', link: 'x' }),
  record({ name: 'last', body: 'end' }),
];
/** Closed, and filled up to a record of 10240 bytes as the tools do. */
const whole = Buffer.concat([archive(...records), Buffer.alloc(10_240)]).subarray(0, 10_240);
const contentEnd = Buffer.concat(records).length;

describe('a torn archive is never whole', () => {
  it('reads the untouched one', () => {
    expect(readTar(whole).summary).toMatchObject({ entries: 5, files: 3, bytes: 10_240 });
  });

  it('cut at each block before its end record is complete', () => {
    for (let end = 0; end < contentEnd + 1024; end += 512) {
      expect(refusal(whole.subarray(0, end)), `cut at ${end}`).toMatch(/^ARCHIVE_(EMPTY|TRUNCATED|END_MISSING)$/);
    }
  });

  it('cut at each single byte that is no end of a block', () => {
    for (let end = 1; end < whole.length; end += 1) {
      if (end % 512 !== 0) expect(refusal(whole.subarray(0, end)), `cut at ${end}`).toMatch(/^ARCHIVE_/);
    }
  });

  it('followed by anything but zeros', () => {
    for (let at = contentEnd; at < whole.length; at += 97) {
      const bytes = Buffer.from(whole);
      bytes[at] = 1;
      expect(refusal(bytes)).toMatch(/^ARCHIVE_/);
    }
    expect(refusal(Buffer.concat([whole, whole]))).toBe('ARCHIVE_JUNK_AFTER_END');
  });

  it('with any single bit of any header turned over', () => {
    const headers: number[] = [];
    for (let at = 0; at < contentEnd; ) {
      headers.push(at);
      const size = Number.parseInt(whole.toString('latin1', at + 124, at + 135), 8);
      at += 512 + Math.ceil(size / 512) * 512;
    }
    expect(headers).toHaveLength(8);
    const bytes = Buffer.from(whole);
    const passed: string[] = [];
    for (const header of headers) {
      for (let bit = 0; bit < 512 * 8; bit += 1) {
        const at = header + (bit >> 3);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
        if (refusal(bytes) === 'whole') passed.push(`${at - header}.${bit & 7} of ${header}`);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
      }
    }
    expect(passed).toEqual([]);
  });

  it('with any single bit of its only header turned over', () => {
    const bytes = archive(record({ body: 'x' }));
    expect(refusal(bytes)).toBe('whole');
    for (let bit = 0; bit < 512 * 8; bit += 1) {
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(refusal(bytes), `bit ${bit & 7} of byte ${bit >> 3}`).not.toBe('whole');
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
  });

  it('takes no more time for an archive of twice the size than about twice as long', () => {
    const seconds = (count: number) => {
      const bytes = archive(...Array.from({ length: count }, (_, index) => record({ name: `f${index}`, body: 'x' })));
      const runs = Array.from({ length: 3 }, () => {
        const start = process.cpuUsage();
        readTar(bytes);
        const { user, system } = process.cpuUsage(start);
        return user + system;
      });
      return Math.min(...runs);
    };
    seconds(2000);
    // Quadratic would be 16 times; a noisy machine is granted the half of it.
    expect(seconds(16_000)).toBeLessThan(8 * seconds(4000));
  });
});
