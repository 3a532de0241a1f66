import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configuredOptions } from './files.ts';

describe('configuredOptions', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'splitmirror-files-'));
    mkdirSync(join(directory, 'conf.d'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function write(name: string, text: string): string {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  }

  it('makes options of what the files say, those that are included in their sorted order', async () => {
    write('conf.d/20-late.conf', 'Host nodea\nUser late\nPort 20');
    write('conf.d/10-early.conf', 'Host nodea\nUser early\nIdentityFile /keys/%h');
    write('conf.d/.hidden.conf', 'User hidden');
    const main = write(
      'config',
      `Include ${directory}/conf.d/*.conf "${directory}/missing"\nHost *\nHostName %h.example\nHostKeyAlias alias\nIdentityAgent none\nCiphers aes256-gcm@openssh.com\nServerAliveInterval 5\nUserKnownHostsFile /known\nGlobalKnownHostsFile none`,
    );
    const { options, notes } = await configuredOptions('nodea', { files: [main, join(directory, 'absent')] });
    expect(options).toMatchObject({
      address: 'nodea.example',
      port: 20,
      user: 'early',
      identities: [{ file: '/keys/nodea.example' }],
      hostKeyAlias: 'alias',
      agent: false,
      knownHosts: ['/known'],
      keepaliveSeconds: 5,
      unknownHostKey: 'refuse',
      algorithms: { ciphers: 'aes256-gcm@openssh.com' },
      jumps: [],
    });
    expect(notes).toEqual([]);
    const given = await configuredOptions('nodea', { files: [main], user: 'me', port: 7 });
    expect(given.options).toMatchObject({ user: 'me', port: 7 });
  });

  it('waits no longer than a timer can, however long the files allow', async () => {
    const main = write('config', 'ConnectTimeout 52w\nServerAliveInterval 365d');
    const { options } = await configuredOptions('nodea', { files: [main] });
    expect(options).toMatchObject({ connectSeconds: 2_147_483, keepaliveSeconds: 2_147_483 });
  });

  it('finds the way through jump hosts that are themselves behind others', async () => {
    const main = write(
      'config',
      'Host nodea\nProxyJump op@inner:2022,last\nHost inner\nHostName 10.0.0.2\nProxyJump outer\nHost last\nProxyJump never\nUser x\nHost *\nUser me',
    );
    const { options } = await configuredOptions('nodea', { files: [main] });
    expect(options.jumps?.map(({ address, user, port }) => `${user}@${address}:${port}`)).toEqual([
      'me@outer:22',
      'op@10.0.0.2:2022',
      'x@last:22',
    ]);
  });

  it('does not hand tokens to ssh that stand in what a token stood for', async () => {
    const main = write('config', 'ProxyCommand nc %h %p # %%');
    await expect(configuredOptions('nodea', { files: [main] })).rejects.toMatchObject({ code: 'PARSE_OUTPUT' });
    const plain = write('plain', 'ProxyCommand nc %h %p 100%%');
    expect((await configuredOptions('nodea', { files: [plain] })).options.proxyCommand).toBe('nc nodea 22 100%%');
  });

  it('ends on ways and files that lead back to themselves', async () => {
    const way = write('way', 'Host a\nProxyJump b\nHost b\nProxyJump a');
    await expect(configuredOptions('a', { files: [way] })).rejects.toMatchObject({
      code: 'SSH_SETTINGS',
      message: expect.stringContaining('does not end'),
    });
    const loop = write('loop', `Include ${join(directory, 'loop')}`);
    await expect(configuredOptions('a', { files: [loop] })).rejects.toMatchObject({
      code: 'SSH_SETTINGS',
      message: expect.stringContaining('too deeply'),
    });
  });

  it('refuses a file that it cannot read, and a pattern that it does not know', async () => {
    await expect(configuredOptions('a', { files: [directory] })).rejects.toMatchObject({
      code: 'SSH_SETTINGS',
      message: expect.stringContaining('cannot be read'),
    });
    for (const pattern of ['/etc/ssh/[a-c]*', '$' + '{HOME}/more', '%d/more', '~other/more']) {
      const odd = write('odd', `Include ${pattern}`);
      await expect(configuredOptions('a', { files: [odd] })).rejects.toMatchObject({ code: 'SSH_SETTINGS' });
    }
  });
});
