import { describe, expect, it } from 'vitest';
import { sshHost } from './host.ts';
import type { SshOptions } from './options.ts';

const node: SshOptions = { address: '127.0.0.1', port: 1, user: 'root', agent: false, knownHosts: [] };

/** Why nothing is even tried. */
async function refusal(options: SshOptions): Promise<unknown> {
  return sshHost('nodea', options)
    .run({ steps: [] })
    .catch((error: unknown) => error);
}

describe.each(['ssh2', 'openssh', 'auto'] as const)('the numbers of the settings of %s', (adapter) => {
  it.each([
    ['port', [0, 65_536, 22.5, Number.NaN, -1], 'from 1 to 65535'],
    ['connectSeconds', [0, 0.5, -1, Number.NaN, 1e7, Number.POSITIVE_INFINITY], 'from 1 to 2147483'],
    ['keepaliveSeconds', [-1, 0.5, Number.NaN, 1e7], 'from 0 to 2147483'],
    ['keepaliveCount', [0, 1.5, Number.NaN, 2 ** 31], 'from 1 to 2147483647'],
    ['windowBytes', [0, 1 << 20, 2.5e6 + 0.5, 2 ** 32, Number.NaN], 'from 2097152 to 268435456'],
    ['connections', [0, 1.5, Number.NaN, Number.POSITIVE_INFINITY], 'from 1 to 1000'],
  ])('refuse %s outside of its bounds', async (setting, values, bounds) => {
    for (const value of values) {
      expect(await refusal({ ...node, adapter, [setting]: value })).toMatchObject({
        code: 'SSH_SETTINGS',
        message: `nodea: ${setting} cannot be ${value}`,
        remedy: `Name whole numbers: ${setting} ${bounds}.`,
      });
    }
  });

  it('are told all at once when they are wrong, also those of the jump hosts', async () => {
    const jump: SshOptions = { ...node, address: 'gate', port: 99_999, jumps: [{ ...node, connectSeconds: 0 }] };
    expect(await refusal({ ...node, adapter, port: Number.NaN, connections: 0, jumps: [jump] })).toMatchObject({
      code: 'SSH_SETTINGS',
      message:
        'nodea: connectSeconds of 127.0.0.1 cannot be 0, port of gate cannot be 99999, port cannot be NaN, connections cannot be 0',
      remedy: 'Name whole numbers: connectSeconds from 1 to 2147483, port from 1 to 65535, connections from 1 to 1000.',
    });
  });

  it.each([
    { connectSeconds: 2_147_483, keepaliveSeconds: 2_147_483, keepaliveCount: 2_147_483_647, connections: 1000 },
    { connectSeconds: 1, keepaliveSeconds: 0, keepaliveCount: 1, connections: 1 },
  ])('may be at their bounds: %j', async (numbers) => {
    expect(await refusal({ ...node, ...numbers, adapter })).toMatchObject({
      code: 'HOST_UNREACHABLE',
      message: expect.stringMatching(/refused/i),
    });
  });
});
