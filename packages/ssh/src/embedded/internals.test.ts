import { PassThrough } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { embeddedClient } from './connection-facts.ts';
import { quicken } from './quicken.ts';
import { takeWindow } from './receive-window.ts';

/** As a channel of ssh2 1.17. */
function channel(more: object = {}) {
  const granted: number[] = [];
  const made = Object.assign(new PassThrough({ highWaterMark: 2 << 20 }), {
    stderr: new PassThrough({ highWaterMark: 2 << 20 }),
    incoming: { id: 0, window: 2 << 20 },
    outgoing: { id: 7, state: 'open' },
    _client: { _protocol: { channelWindowAdjust: (_id: number, bytes: number) => granted.push(bytes) } },
    ...more,
  });
  return { made, granted, channel: made as unknown as ClientChannel };
}

describe('takeWindow', () => {
  it('grants what is missing at once, and again as it arrives, in pieces that are worth a packet', () => {
    const { made, granted, channel: one } = channel();
    expect(takeWindow(one, 8 << 20)).toBe(true);
    expect(granted).toEqual([6 << 20]);
    made.incoming.window -= (1 << 20) - 1;
    made._read(0);
    expect(granted).toEqual([6 << 20]);
    made.incoming.window -= 1;
    made._read(0);
    expect(granted).toEqual([6 << 20, 1 << 20]);
  });

  it('grants nothing while a reader is behind, whichever it is', () => {
    const { made, granted, channel: one } = channel();
    takeWindow(one, 4 << 20);
    granted.length = 0;
    made.stderr.push(Buffer.alloc(3 << 20));
    made.incoming.window -= 3 << 20;
    made._read(0);
    expect(granted).toEqual([]);
    made.stderr.read();
    made.stderr._read(0);
    expect(granted).toEqual([3 << 20]);
  });

  it('never lets ssh2 see a window so small that it would grant something itself, or drop data', () => {
    const { made, channel: one } = channel();
    takeWindow(one, 4 << 20);
    for (let arrived = 0; arrived < 4 << 20; arrived += 32 << 10) made.incoming.window -= 32 << 10;
    expect(made.incoming.window).toBe(2 << 20);
  });

  it('does not take more than was granted, which nobody would have room for', () => {
    const { made, channel: one } = channel();
    takeWindow(one, 4 << 20);
    made.incoming.window -= 4 << 20;
    expect(() => {
      made.incoming.window -= 1;
    }).toThrow('more than it was granted');
  });

  it.each([
    ['no window', { incoming: {} }],
    ['a frozen window', { incoming: Object.freeze({ window: 1 }) }],
    ['no protocol', { _client: {} }],
    ['no channel number', { outgoing: {} }],
  ])('leaves a channel with %s alone', (_what, more) => {
    expect(takeWindow(channel(more).channel, 4 << 20)).toBe(false);
  });
});

describe('quicken', () => {
  it.each([
    ['another library', {}],
    ['no decipher', { _protocol: {} }],
    ['another decipher', { _protocol: { _decipher: { constructor: { name: 'Other' } }, _cipher: {} } }],
    [
      'a decipher within a packet',
      {
        _protocol: {
          _decipher: {
            constructor: { name: 'AESGCMDecipherNative' },
            _decipherSSLName: 'aes-128-gcm',
            _decipherKey: Buffer.alloc(16),
            _decipherIV: Buffer.alloc(12),
            _lenBytes: 2,
            inSeqno: 1,
            _onPayload() {},
          },
        },
      },
    ],
  ])('leaves %s alone', (_what, client) => {
    expect(quicken(client)).toBe('ssh2');
  });
});

describe('embeddedClient', () => {
  it('knows the ssh2 that is installed, and whether its add-on is', () => {
    const { version, addOn, meaning } = embeddedClient();
    expect(version).toBe('1.17.0');
    expect(addOn).toMatch(/^(loaded|absent)$/);
    expect(meaning).toContain('ssh2');
  });
});
