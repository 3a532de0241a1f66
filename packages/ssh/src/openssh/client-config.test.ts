import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { SshOptions } from '../options.ts';
import { renderConfig } from './client-config.ts';

const plain: SshOptions = { address: 'nodea', user: 'root', knownHosts: ['/known'], agent: false };
const files = { control: '/tmp/c', keys: [] };

describe('renderConfig', () => {
  it.each([
    ['address', { address: '$(id)' }],
    ['address', { address: '-oProxyCommand=id' }],
    ['user', { user: 'a;id' }],
    ['user', { user: '%d' }],
    ['HostKeyAlias', { hostKeyAlias: 'x"\nProxyCommand id' }],
    ['proxyCommand', { proxyCommand: 'a\nLocalCommand id' }],
    ['proxyCommand behind', { proxyCommand: 'nc %h %p', jumps: [plain] }],
    ['UserKnownHostsFile', { knownHosts: ['/$' + '{HOME}/x'] }],
    ['algorithm', { algorithms: { kex: 'a,b"\nx' } }],
  ])('refuses a value that ssh would take for something else: %s', (what, change) => {
    expect(() => renderConfig({ ...plain, ...change }, files)).toThrow(what);
  });

  describe.skipIf(!existsSync('/usr/bin/ssh'))('as ssh -G reads it', () => {
    const directory = mkdtempSync(join(tmpdir(), 'splitmirror-config-'));
    afterAll(() => rmSync(directory, { recursive: true }));

    function read(text: string, name = 'node'): string[] {
      const file = join(directory, 'config');
      writeFileSync(file, text);
      const asked = spawnSync('/usr/bin/ssh', ['-G', '-F', file, name], { encoding: 'utf8' });
      expect(asked.stderr).not.toMatch(/[Bb]ad|terminating/);
      return asked.stdout.split('\n');
    }

    const always = [
      'batchmode yes',
      'stricthostkeychecking true',
      'permitlocalcommand no',
      'forwardagent no',
      'clearallforwardings yes',
    ];

    it('says what is meant, for every name and path', () => {
      const name = fc.oneof(
        fc.stringMatching(/^[ -~]{1,20}$/),
        fc.constantFrom('~/k', '$HOME', 'a b', '%h', "it's", 'none', '#x'),
      );
      fc.assert(
        fc.property(name, name, (alias, file) => {
          let text: string;
          try {
            text = renderConfig({ ...plain, hostKeyAlias: alias, certificates: [file] }, files);
          } catch (error) {
            expect(error).toMatchObject({ code: 'SSH_SETTINGS' });
            return;
          }
          const lines = read(text);
          expect(lines).toContain(`hostkeyalias ${alias.toLowerCase()}`);
          expect(lines).toContain(`certificatefile ${resolve(file).replaceAll('%', '%%')}`);
          expect(lines.filter((line) => always.includes(line))).toHaveLength(always.length);
        }),
        { numRuns: 60 },
      );
    });

    it('keeps batch mode and strict checking on every host of the way', () => {
      const text = renderConfig({ ...plain, jumps: [{ ...plain, address: 'one', port: 2022 }, plain] }, files);
      for (const name of ['node', 'hop1', 'hop2']) expect(read(text, name)).toEqual(expect.arrayContaining(always));
      expect(read(text)).toContain('proxyjump hop1,hop2');
      expect(read(text, 'hop1')).toEqual(expect.arrayContaining(['hostname one', 'port 2022', 'controlmaster false']));
    });
  });
});
