import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { isKnownKeyword } from './known-keywords.ts';
import { type Asker, type ConfigFile, type ResolvedSettings, resolveSettings } from './settings.ts';

const asker: Asker = {
  user: 'op',
  home: '/home/op',
  uid: 1000,
  host: 'control.example.net',
  environment: { SSH_AUTH_SOCK: '/run/agent', SITE: 'north' },
};

function config(text: string, includes: ConfigFile['includes'] = {}): ConfigFile[] {
  return [{ file: '/home/op/.ssh/config', text, includes }];
}

function resolved(text: string, alias = 'nodea', includes: ConfigFile['includes'] = {}): ResolvedSettings {
  return resolveSettings(alias, config(text, includes), asker);
}

describe('resolveSettings', () => {
  it('says what holds without any configuration', () => {
    expect(resolved('')).toEqual({
      alias: 'nodea',
      hostName: 'nodea',
      port: 22,
      user: 'op',
      identityFiles: [],
      identitiesOnly: false,
      identityAgent: null,
      certificateFiles: [],
      userKnownHostsFiles: null,
      globalKnownHostsFiles: null,
      strictHostKeyChecking: null,
      hostKeyAlias: null,
      revokedHostKeys: null,
      proxyJump: [],
      proxyCommand: null,
      connectTimeout: null,
      serverAliveInterval: null,
      serverAliveCountMax: null,
      ciphers: null,
      macs: null,
      kexAlgorithms: null,
      hostKeyAlgorithms: null,
      gssapiAuthentication: false,
      pkcs11Provider: null,
      securityKeyProvider: null,
      notes: [],
    });
  });

  it('takes the first value of each setting, and all keys', () => {
    const settings = resolved(`
# nodes of the ledger cluster
Host node? !nodeb
  HostName %h-boot.example.net # the boot address
  User root
  Port 2222
  IdentityFile ~/.ssh/ledger_%n
Host=*
  User=other
  IdentityFile "/keys/\${SITE}/key of %r"
  UserKnownHostsFile ~/.ssh/known_hosts /etc/ssh/nodes
  StrictHostKeyChecking accept-new
  ConnectTimeout 1m30s
`);
    expect(settings).toMatchObject({
      hostName: 'nodea-boot.example.net',
      user: 'root',
      port: 2222,
      identityFiles: ['/home/op/.ssh/ledger_nodea', '/keys/north/key of root'],
      userKnownHostsFiles: ['/home/op/.ssh/known_hosts', '/etc/ssh/nodes'],
      strictHostKeyChecking: 'accept-new',
      connectTimeout: 90,
    });
    expect(resolved('Host node? !nodeb\nUser root', 'nodeb').user).toBe('op');
  });

  it('follows an Include where it stands, and only where it applies', () => {
    const included = { 'conf.d/*': [{ file: 'a', text: 'User first\nHost other\nUser no', includes: {} }] };
    const text = 'Host nodea\nInclude conf.d/*\nPort 2022\nHost *\nUser last';
    expect(resolved(text, 'nodea', included)).toMatchObject({ user: 'first', port: 2022 });
    expect(resolved(text, 'nodeb', included)).toMatchObject({ user: 'last', port: 22 });
  });

  it('weighs Match host and user with what is known so far', () => {
    const text =
      'Host a\nHostName b.example\nMatch host *.example user op\nPort 1\nMatch originalhost a !user root\nUser x\nMatch all\nPort 3';
    expect(resolved(text, 'a')).toMatchObject({ port: 1, user: 'x' });
    expect(resolved(text, 'b.example')).toMatchObject({ port: 1, user: 'op' });
    expect(resolved(text, 'c')).toMatchObject({ port: 3, user: 'op' });
  });

  it('runs nothing for Match exec, and says so', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sm-exec-'));
    const settings = resolved(`Match host nodea exec "touch ${directory}/ran"\n  User x\nHost *\n  Port 7`);
    expect(settings).toMatchObject({ user: 'op', port: 7 });
    expect(settings.notes).toEqual([expect.stringContaining('no program is ever run to read settings')]);
    expect(existsSync(join(directory, 'ran'))).toBe(false);
    rmSync(directory, { recursive: true });
  });

  it('reads jump hosts, and lets whichever of ProxyJump and ProxyCommand comes first win', () => {
    expect(resolved('ProxyJump op@one:2022,[::1]:22,two\nProxyCommand nc %h %p').proxyJump).toEqual([
      { name: 'one', user: 'op', port: 2022 },
      { name: '::1', user: null, port: 22 },
      { name: 'two', user: null, port: null },
    ]);
    const settings = resolved('ProxyCommand nc -X 5 "%h" %p\nProxyJump one');
    expect(settings).toMatchObject({ proxyJump: [], proxyCommand: 'nc -X 5 "nodea" 22' });
  });

  it('does not take what a distribution ships with for a wish to use Kerberos', () => {
    const [file] = config('Host *\nGSSAPIAuthentication yes');
    expect(file && resolveSettings('a', [{ ...file, system: true }], asker).gssapiAuthentication).toBe(false);
    expect(resolved('GSSAPIAuthentication yes').gssapiAuthentication).toBe(true);
  });

  it('notes what it passes over although it changes the way or what is trusted, and nothing else', () => {
    const text = ['CanonicalizeHostname yes', 'KnownHostsCommand /bin/keys', 'AddressFamily inet'].join('\n');
    expect(resolved(text).notes).toEqual(
      ['CanonicalizeHostname', 'KnownHostsCommand', 'AddressFamily'].map((word) =>
        expect.stringContaining(`${word} is`),
      ),
    );
    expect(resolved('CanonicalizeHostname no\nKnownHostsCommand none\nSendEnv LANG').notes).toEqual([]);
  });

  it('notes a keyword that is none, unless the file allows it', () => {
    expect(resolved('ProxyJunp gate\nUseKeychain yes\nIgnoreUnknown Foo*,Bar\nFoobar 1\nBAR 2\nPort 7')).toMatchObject({
      port: 7,
      proxyJump: [],
      notes: [expect.stringContaining('ProxyJunp is passed over: it is no keyword that is known here')],
    });
    expect(resolved('Host other\nProxyJunp gate').notes).toEqual([]);
  });

  it('knows every keyword that the system’s ssh tells', () => {
    const told = execFileSync('ssh', ['-F', '/dev/null', '-G', 'nodea'], { encoding: 'utf8' });
    const words = told.split('\n').flatMap((line) => /^\w+/.exec(line) ?? []);
    expect(words.length).toBeGreaterThan(50);
    expect(words.filter((word) => !isKnownKeyword(word.toLowerCase()))).toEqual([]);
  });

  it('notes that host keys are checked whatever the file says', () => {
    expect(resolved('StrictHostKeyChecking no').notes).toEqual([expect.stringContaining('StrictHostKeyChecking no')]);
  });

  it.each([
    ['Port\nUser x', 'keyword without a value'],
    ['IdentityFile /k#1', '# within a word'],
    ['User a b', 'more than one value'],
    [`User 'a'`, 'unusual way'],
    ['Port x', 'not understood'],
    ['IdentityFile ~other/key', 'not understood'],
    ['IdentityFile /%q', 'not understood'],
    ['Match all host a', 'does not go with'],
    ['Match host', 'no value|Missing value'],
    ['ProxyJump -oProxyCommand=x', 'not understood'],
  ])('refuses %j', (text, reason) => {
    expect(() => resolved(text)).toThrow(new RegExp(reason));
  });

  it.each([0, 65_536, 22.5, Number.NaN])('refuses a given port that is none: %d', (port) => {
    expect(() => resolveSettings('a', [], asker, { port })).toThrow(`Port: "${port}" is not understood`);
  });

  it('throws nothing but typed errors at any text', () => {
    const piece = fc.constantFrom(
      'Host',
      'Match',
      'Port',
      'User',
      ' ',
      '\n',
      '=',
      '"',
      '#',
      '*',
      '!',
      'a',
      '22',
      '%h',
      '\r',
      '\t',
      "'",
      '\\',
      'Include',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            resolved(text);
          } catch (error) {
            expect(['PARSE_OUTPUT', 'SSH_SETTINGS']).toContain((error as { code?: string }).code);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe.skipIf(!existsSync('/usr/bin/ssh'))('resolveSettings beside ssh -G', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sm-config-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const here: Asker = {
    user: userInfo().username,
    home: userInfo().homedir,
    uid: userInfo().uid,
    host: hostname(),
    environment: process.env,
  };

  const name = fc.constantFrom('nodea', 'nodeb', 'node-c.example', 'bastion', 'Root1');
  const pattern = fc.constantFrom('*', 'node*', 'node?', '!nodeb', '*.example', 'bastion', 'nodea', 'ROOT*', '!*a');
  const line = fc.oneof(
    fc.tuple(fc.constant('HostName'), fc.constantFrom('10.0.0.1', '%h.example', 'x%%y', '::1', 'NodeX.Example')),
    fc.tuple(fc.constant('Port'), fc.integer({ min: 1, max: 65_535 }).map(String)),
    fc.tuple(fc.constant('User'), fc.constantFrom('root', 'op', 'u1')),
    fc.tuple(fc.constant('IdentityFile'), fc.constantFrom('~/.ssh/a', '/k/%h', '"/k/a b"', '/k/%r@%n:%p', 'none')),
    fc.tuple(fc.constant('IdentitiesOnly'), fc.constantFrom('yes', 'no')),
    fc.tuple(fc.constant('UserKnownHostsFile'), fc.constantFrom('~/.ssh/one /two', '/three', 'none', '/k/%h')),
    fc.tuple(fc.constant('GlobalKnownHostsFile'), fc.constantFrom('/g', '/g /h')),
    fc.tuple(fc.constant('StrictHostKeyChecking'), fc.constantFrom('yes', 'no', 'ask', 'accept-new', 'off')),
    fc.tuple(fc.constant('HostKeyAlias'), fc.constantFrom('Alias', 'other')),
    fc.tuple(fc.constant('RevokedHostKeys'), fc.constantFrom('/r', '~/r', 'none')),
    fc.tuple(fc.constant('ProxyJump'), fc.constantFrom('jump', 'op@jump:2022', 'a,b', 'none')),
    fc.tuple(fc.constant('ProxyCommand'), fc.constantFrom('nc %h %p', 'none', '/usr/bin/nc "a b" -x')),
    fc.tuple(fc.constant('ConnectTimeout'), fc.constantFrom('5', '1m', '1h30s')),
    fc.tuple(fc.constant('ServerAliveInterval'), fc.constantFrom('7', '2m')),
    fc.tuple(fc.constant('ServerAliveCountMax'), fc.constantFrom('2', '9')),
    fc.tuple(fc.constant('CertificateFile'), fc.constantFrom('/c/%u', '~/c')),
    fc.tuple(fc.constant('SendEnv'), fc.constant('LANG LC_*')),
    fc.tuple(
      fc.constant('Host'),
      fc.array(pattern, { minLength: 1, maxLength: 3 }).map((all) => all.join(' ')),
    ),
    fc.tuple(
      fc.constant('Match'),
      fc.oneof(
        fc.constant('all'),
        fc
          .array(
            fc.tuple(
              fc.constantFrom('host', 'originalhost', 'user', '!host', '!user', 'localuser'),
              fc.constantFrom('node*', 'nodea,jump', '*,!nodeb', 'root', 'op', 'NODEA', '*.example'),
            ),
            { minLength: 1, maxLength: 2 },
          )
          .map((all) => all.flat().join(' ')),
      ),
    ),
    fc.tuple(fc.constant('Include'), fc.constantFrom(join(directory, 'one'), join(directory, 'two'))),
  );
  const style = fc.tuple(
    fc.constantFrom('', '  ', '\t'),
    fc.constantFrom(' ', '=', ' = ', '  '),
    fc.constantFrom('', ' # remark', '  '),
    fc.constantFrom(false, true),
  );
  const text = fc.array(fc.tuple(line, style), { maxLength: 14 }).map((lines) =>
    lines
      .map(([[keyword, value], [indent, separator, after, lower]]) => {
        // ssh takes the whole rest of the line for the command, and 9.2 stumbles over a remark behind a jump host.
        const rest = keyword.startsWith('Proxy') ? '' : after;
        return `${indent}${lower ? keyword.toLowerCase() : keyword}${separator}${value}${rest}\n`;
      })
      .join(''),
  );
  const noIncludes = text.map((lines) => lines.replace(/^.*include.*$/gim, ''));

  it('agrees on random configurations', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(name, text, noIncludes, noIncludes, (alias, main, one, two) => {
        const file = (path: string, content: string, includes: ConfigFile['includes'] = {}): ConfigFile => {
          writeFileSync(path, content);
          return { file: path, text: content, includes };
        };
        const inner = {
          [join(directory, 'one')]: [file(join(directory, 'one'), one)],
          [join(directory, 'two')]: [file(join(directory, 'two'), two)],
        };
        const path = join(directory, 'config');
        const ours = resolveSettings(alias, [file(path, main, inner)], here);
        const asked = spawnSync('/usr/bin/ssh', ['-G', '-F', path, alias], { encoding: 'utf8' });
        expect(asked.status, asked.stderr).toBe(0);
        expect(comparable(ours)).toEqual(told(asked.stdout, ours));
      }),
      { numRuns: 150 },
    );
  });

  function comparable(settings: ResolvedSettings): Record<string, unknown> {
    const { notes: _notes, alias: _alias, ...rest } = settings;
    return {
      ...rest,
      strictHostKeyChecking: rest.strictHostKeyChecking ?? 'ask',
    };
  }

  /** What `ssh -G` printed, in our words; what it leaves to the moment of connecting is taken from ours. */
  function told(printed: string, ours: ResolvedSettings): Record<string, unknown> {
    const lines = printed
      .trim()
      .split('\n')
      .map((one) => /^(\S+) ?(.*)$/.exec(one)?.slice(1) ?? []);
    const all = (keyword: string) => lines.filter(([key]) => key === keyword).map(([, value = '']) => value);
    const one = (keyword: string) => all(keyword)[0];
    const number = (keyword: string) => {
      const value = one(keyword);
      return value === undefined || value === 'none' || value === '0' ? null : Number(value);
    };
    const words = (keyword: string) =>
      one(keyword)
        ?.split(' ')
        .filter((word) => word !== 'none') ?? [];
    const { identityFiles } = ours;
    const expand = (word: string) =>
      word
        .replace(/^~/, here.home)
        .replaceAll('%h', ours.hostName)
        .replaceAll('%r', ours.user)
        .replaceAll('%n', ours.alias)
        .replaceAll('%p', String(ours.port))
        .replaceAll('%u', here.user);
    return {
      hostName: one('hostname'),
      port: Number(one('port')),
      user: one('user'),
      // Without any of our own ssh lists its usual ones.
      identityFiles:
        identityFiles.length === 0
          ? []
          : all('identityfile')
              .filter((word) => word !== 'none')
              .map(expand),
      identitiesOnly: one('identitiesonly') === 'yes',
      identityAgent: null,
      certificateFiles: all('certificatefile').map(expand),
      userKnownHostsFiles: ours.userKnownHostsFiles && words('userknownhostsfile').map(expand),
      globalKnownHostsFiles: ours.globalKnownHostsFiles && words('globalknownhostsfile'),
      strictHostKeyChecking:
        { true: 'yes', false: 'no' }[one('stricthostkeychecking') ?? ''] ?? one('stricthostkeychecking'),
      hostKeyAlias: one('hostkeyalias') ?? null,
      revokedHostKeys:
        all('revokedhostkeys')
          .filter((word) => word !== 'none')
          .map(expand)[0] ?? null,
      proxyJump: (one('proxyjump') ?? '')
        .split(',')
        .filter((hop) => hop !== '' && hop !== 'none')
        .map((hop) => {
          const [, user = null, host = '', port] = /^(?:(.*)@)?([^:]+)(?::(\d+))?$/.exec(hop) ?? [];
          return { name: host, user, port: port === undefined ? null : Number(port) };
        }),
      proxyCommand:
        all('proxycommand')
          .filter((word) => word !== 'none')
          .map(expand)[0] ?? null,
      connectTimeout: number('connecttimeout'),
      // Debian's own default apart, 0 means never.
      serverAliveInterval: number('serveraliveinterval'),
      serverAliveCountMax: ours.serverAliveCountMax && number('serveralivecountmax'),
      ciphers: null,
      macs: null,
      kexAlgorithms: null,
      hostKeyAlgorithms: null,
      gssapiAuthentication: ours.gssapiAuthentication,
      pkcs11Provider: null,
      securityKeyProvider: null,
    };
  }
});
