import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { reads } from '@splitmirror/host';
import { afterAll, describe, expect, it } from 'vitest';
import type { AdapterChoice } from '../src/adapter.ts';
import { configuredOptions } from '../src/config/files.ts';
import type { SshOptions, SshWarning } from '../src/options.ts';
import { fingerprint } from '../src/trust/known-hosts.ts';
import { afterwards, failure, greet, hostOver } from './greet.ts';
import { type KeyPair, makeKey, typeOf } from './node.ts';
import { type Sshd, startSshd } from './sshd.ts';

// What lies in it is this file's own, whatever runs beside it; short, since it holds a socket.
process.env.TMPDIR = mkdtempSync('/tmp/st-');

const [keygenProgram, agentProgram, addProgram] = [
  '/usr/bin/ssh-keygen',
  '/usr/bin/ssh-agent',
  '/usr/bin/ssh-add',
] as const;
const programs = ['/usr/bin/ssh', '/usr/sbin/sshd', keygenProgram].every(existsSync);

async function sshd(settings?: readonly string[]): Promise<Sshd> {
  const started = await startSshd(settings);
  afterwards(started.stop);
  return started;
}

function line(name: string, key: KeyPair): string {
  return `${name} ${typeOf(key)} ${key.public.toString('base64')}\n`;
}

function at({ address, port }: SshOptions): string {
  return `[${address}]:${port}`;
}

describe.skipIf(!programs).each(['ssh2', 'openssh'] as const)('with %s, a real sshd', (adapter) => {
  async function node(settings?: readonly string[]): Promise<Sshd & { file(name: string, text: string): string }> {
    const started = await sshd(settings);
    return {
      ...started,
      options: { ...started.options, adapter },
      file(name, text) {
        writeFileSync(join(started.directory, name), text, { mode: 0o600 });
        return join(started.directory, name);
      },
    };
  }

  it('is refused while nobody knows its key, with the fingerprint', async () => {
    const { options, hostKey, directory } = await node();
    const error = await failure({ ...options, knownHosts: [join(directory, 'none')] });
    expect(error.code).toBe('HOST_KEY_UNKNOWN');
    expect(error.message).toContain(`${at(options)}; it presents ssh-ed25519 ${fingerprint(hostKey.public)}`);
    expect(existsSync(join(directory, 'none'))).toBe(false);
  });

  it('is refused when its key is another than the trusted one, with both fingerprints', async () => {
    const { options, hostKey, file } = await node();
    const other = makeKey('ed25519');
    const known = file('changed', `# nodes\n${line(at(options), other)}`);
    for (const unknownHostKey of ['refuse', 'accept-new'] as const) {
      const error = await failure({ ...options, knownHosts: [known], unknownHostKey });
      expect(error.code).toBe('HOST_KEY_CHANGED');
      expect(error.message).toContain(fingerprint(hostKey.public));
      expect(error.message).toContain(`${fingerprint(other.public)} (${known}:2)`);
    }
  });

  it('is refused when its key is revoked, also in a second file, although it is trusted too', async () => {
    const { options, hostKey, file } = await node();
    const revoked = file('revoked', `@revoked ${line('*', hostKey)}`);
    const error = await failure({ ...options, knownHosts: [...(options.knownHosts ?? []), revoked] });
    expect(error.code).toBe('HOST_KEY_CHANGED');
    expect(error.message).toContain('revoked');
  });

  it('is known by hashed names, patterns and aliases, and not where a pattern is negated', async () => {
    const { options, hostKey, file } = await node();
    const hashed = file('hashed', line(at(options), hostKey));
    execFileSync(keygenProgram, ['-H', '-f', hashed], { stdio: 'ignore' });
    expect(readFileSync(hashed, 'utf8')).toMatch(/^\|1\|/);
    expect(await greet({ ...options, knownHosts: [hashed] })).toBe('hi\n');
    const pattern = file('pattern', line(`[127.0.?.*]:${options.port}`, hostKey));
    expect(await greet({ ...options, knownHosts: [pattern] })).toBe('hi\n');
    const negated = file('negated', line(`*,!${at(options)},!127.0.0.1`, hostKey));
    expect((await failure({ ...options, knownHosts: [negated] })).code).toBe('HOST_KEY_UNKNOWN');
    const alias = file('alias', line('nodea', hostKey));
    expect(await greet({ ...options, knownHosts: [alias], hostKeyAlias: 'nodea' })).toBe('hi\n');
  });

  it('is accepted once and written down when that is asked for, with a warning', async () => {
    const { options, hostKey, directory } = await node();
    const known = join(directory, 'accepted');
    const warnings: SshWarning[] = [];
    const asking: SshOptions = {
      ...options,
      knownHosts: [known],
      unknownHostKey: 'accept-new',
      onWarning: (warning) => warnings.push(warning),
    };
    expect(await greet(asking)).toBe('hi\n');
    expect(await greet(asking)).toBe('hi\n');
    expect(warnings.map(({ code }) => code)).toEqual(['HOST_KEY_ACCEPTED']);
    const written = readFileSync(known, 'utf8').trim().split('\n');
    expect(written).toHaveLength(1);
    expect(written[0]).toContain(hostKey.public.toString('base64'));
    expect(await greet({ ...options, knownHosts: [known] })).toBe('hi\n');
  });

  it('is refused at once when its key should be kept and cannot be, with the place and the reason', async () => {
    const { options } = await node();
    for (const place of ['/proc/nope/known_hosts', '/proc/known_hosts']) {
      const asking: SshOptions = { ...options, knownHosts: [place], unknownHostKey: 'accept-new', connectSeconds: 600 };
      const error = await failure(asking);
      expect(error.code).toBe('HOST_KEY_UNKNOWN');
      expect(error.message).toContain(`cannot be kept in ${place}: ${adapter === 'ssh2' ? 'ENOENT' : 'ssh'}`);
      expect(error.remedy).toContain(place);
    }
  });

  it('is refused in time when the file that should tell its key hands nothing out', async () => {
    const { options, directory } = await node();
    const mute = join(directory, 'mute');
    execFileSync('mkfifo', [mute]);
    // Whoever reads is let go again.
    afterwards(() => writeFileSync(mute, ''));
    const error = await failure({ ...options, knownHosts: [mute], connectSeconds: 1 });
    expect([error.code, error.message]).toEqual([
      'HOST_KEY_UNKNOWN',
      expect.stringContaining(`${mute} cannot be read: nothing came of it within 1 seconds`),
    ]);
  });

  it('lets nobody in as a user whom it does not know, or with a key that it does not know', async () => {
    const { options } = await node();
    const stranger = { key: makeKey('ed25519').private, label: 'stranger' };
    for (const wrong of [{ user: 'nobody-there' }, { identities: [stranger] }, { identities: [] }]) {
      const error = await failure({ ...options, ...wrong });
      expect(error.code).toBe('HOST_AUTHENTICATION');
      expect(error.message).toContain(`${wrong.user ?? options.user} was not let in`);
    }
  });

  it('is unreachable where nobody listens, where no name leads, and where nobody answers', async () => {
    const { options } = await node();
    expect((await failure({ ...options, port: 1 })).message).toMatch(
      /cannot connect to 127\.0\.0\.1 port 1: .*(?:refused|ECONNREFUSED)/,
    );
    const nameless = await failure({ ...options, address: 'node.invalid', connectSeconds: 5 });
    expect([nameless.code, nameless.message]).toEqual(['HOST_UNREACHABLE', expect.stringMatching(/node\.invalid/)]);
    const silent = await failure({ ...options, address: '192.0.2.1', connectSeconds: 1 });
    expect(silent.code).toBe('HOST_UNREACHABLE');
  });

  it('shows a banner to nobody', async () => {
    const started = await node();
    const banner = started.file('banner', 'Authorised use only.\nHost key verification failed.\n');
    const { options } = await node([`Banner ${banner}`]);
    expect(await greet(options)).toBe('hi\n');
    expect((await failure({ ...options, user: 'nobody-there' })).code).toBe('HOST_AUTHENTICATION');
  });

  it('is read rightly through a login shell that prints rubbish on both streams', async () => {
    const started = await node();
    const rubbish = started.file(
      'rubbish',
      '#!/bin/sh\necho "Welcome to AIX"; echo oops >&2; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n',
    );
    execFileSync('chmod', ['755', rubbish]);
    const { options } = await node([`ForceCommand ${rubbish}`]);
    const nodea = hostOver(options);
    const outcome = await nodea.run({ steps: [{ id: 'one', run: reads('echo', 'hi'), timeoutSeconds: 10 }] });
    expect(outcome).toMatchObject({ kind: 'completed', steps: [{ kind: 'ended', stdout: 'hi\n', stderr: '' }] });
    const stream = await nodea.stream(reads('printf', 'a\\nb'), { timeoutSeconds: 10 });
    let text = '';
    for await (const chunk of stream.stdout) text += String(chunk);
    expect(text).toBe('a\nb');
  });

  it('that starts no shell is a protocol error with what it said instead', async () => {
    const { options } = await node(['ForceCommand echo "This account is currently not available."; exit 1']);
    const error = await failure(options);
    expect(error.code).toBe('HOST_PROTOCOL');
    expect(error.remedy).toContain('This account is currently not available.');
  });

  it('with one session a connection serves several calls at a time', async () => {
    const { options } = await node(['MaxSessions 1']);
    const nodea = hostOver(options);
    const outcomes = await Promise.all(
      ['a', 'b', 'c'].map((word) =>
        nodea.run({ steps: [{ id: 'one', run: reads('echo', word), timeoutSeconds: 10 }] }),
      ),
    );
    expect(outcomes.map(({ steps: [step] }) => step?.kind === 'ended' && step.stdout)).toEqual(['a\n', 'b\n', 'c\n']);
  });

  it('that turns connections away for a while is asked again', async () => {
    const { direct } = await node(['MaxStartups 1', 'LoginGraceTime 2']);
    const { port = 0 } = direct;
    // Somebody who connects and never logs in takes the only place.
    const idle = connect(port, '127.0.0.1');
    afterwards(() => idle.destroy());
    await once(idle, 'data');
    expect(await greet({ ...direct, adapter })).toBe('hi\n');
  });

  it('is reached through one jump host and through two, each with its own key and user', async () => {
    const [first, second, last] = [await node(), await node(), await node()];
    const hop = ({ options }: Sshd): SshOptions => options;
    expect(await greet({ ...last.options, jumps: [hop(first)] })).toBe('hi\n');
    expect(await greet({ ...last.options, jumps: [hop(first), hop(second)] })).toBe('hi\n');
    // The one who opens the node's key opens those of the way; and a way to the first hop is a part of the way.
    const locked = makeKey('ed25519', 'open sesame');
    first.file('authorized_keys', `${typeOf(locked)} ${locked.public.toString('base64')}\n`);
    const gate: SshOptions = { ...hop(first), identities: [{ key: locked.private, label: 'locked' }] };
    const nested: SshOptions = { ...hop(second), jumps: [gate] };
    const passphrase = async () => 'open sesame';
    expect(await greet({ ...last.options, jumps: [nested], passphrase })).toBe('hi\n');
  });

  it('is not asked when a jump host is not the one that is trusted, or lets nobody in', async () => {
    const [first, last] = [await node(), await node()];
    const stranger = first.file('other', line(at(first.options), makeKey('ed25519')));
    const changed = await failure({ ...last.options, jumps: [{ ...first.options, knownHosts: [stranger] }] });
    expect(changed.code).toBe('HOST_KEY_CHANGED');
    expect(changed.message).toContain(fingerprint(first.hostKey.public));
    const shut = await failure({ ...last.options, jumps: [{ ...first.options, user: 'nobody-there' }] });
    expect(shut.code).toBe('HOST_AUTHENTICATION');
    expect(shut.message).toContain('nobody-there');
    const nowhere = await failure({ ...last.options, port: 1, jumps: [first.options] });
    expect(nowhere.code).toBe('HOST_UNREACHABLE');
  });

  it('opens an encrypted key with the passphrase that the callback gives', async () => {
    const { options, directory, file } = await node();
    const locked = makeKey('ecdsa', 'open sesame');
    file('authorized_keys', `${typeOf(locked)} ${locked.public.toString('base64')}\n`);
    const key = file('locked', locked.private);
    const asked: string[] = [];
    const passphrase = async (name: string) => {
      asked.push(name);
      return 'open sesame';
    };
    expect(await greet({ ...options, identities: [{ file: key }], passphrase })).toBe('hi\n');
    expect(asked).toEqual([join(directory, 'locked')]);
    const error = await failure({ ...options, identities: [{ file: key }], passphrase: async () => undefined });
    expect(error.code).toBe('HOST_AUTHENTICATION');
  });

  it('is shown the next key when one cannot be opened, and the failure tells why', async () => {
    const { options, file } = await node();
    const locked = makeKey('ecdsa', 'open sesame');
    const lockedFile = file('locked', locked.private);
    const [good] = options.identities ?? [];
    const callbacks: Record<string, SshOptions['passphrase']> = {
      'the passphrase does not open it': async () => 'wrong',
      'no passphrase given': async () => undefined,
      'the vault is down': () => Promise.reject(new Error('the vault is down')),
    };
    for (const [reason, passphrase] of Object.entries(callbacks)) {
      for (const [name, identity] of [
        ['locked', { key: locked.private, label: 'locked' }],
        [lockedFile, { file: lockedFile }],
      ] as const) {
        const error = await failure({ ...options, identities: [identity], passphrase });
        expect([error.code, error.message]).toEqual([
          'HOST_AUTHENTICATION',
          expect.stringContaining(`tried key ${name} (${reason})`),
        ]);
        expect(error.remedy).toContain('was shown no key');
      }
    }
    const nonsense = { key: 'no key at all', label: 'nonsense' };
    expect((await failure({ ...options, identities: [nonsense] })).message).toMatch(/tried key nonsense \(/);
    if (good !== undefined) expect(await greet({ ...options, identities: [nonsense, good] })).toBe('hi\n');
  });

  it('takes keys of every type from memory', async () => {
    const { options, file } = await node();
    for (const type of ['rsa', 'ecdsa', 'ed25519'] as const) {
      const key = makeKey(type);
      file('authorized_keys', `${typeOf(key)} ${key.public.toString('base64')}\n`);
      expect(await greet({ ...options, identities: [{ key: key.private, label: type }] })).toBe('hi\n');
    }
  });

  it('asks the agent for what is not in memory', async () => {
    const { options, directory, file } = await node();
    const socket = join(directory, 'agent');
    const agent = spawn(agentProgram, ['-D', '-a', socket], { stdio: 'ignore' });
    afterwards(() => agent.kill());
    while (!existsSync(socket)) await delay(20);
    const held = join(directory, 'held');
    execFileSync(keygenProgram, ['-q', '-t', 'ecdsa', '-b', '521', '-N', '', '-f', held]);
    execFileSync(addProgram, ['-q', held], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    file('authorized_keys', readFileSync(`${held}.pub`, 'utf8'));
    const other = { key: makeKey('rsa').private, label: 'other' };
    expect(await greet({ ...options, identities: [other], agent: socket })).toBe('hi\n');
    const only = { ...options, identities: [other], agent: socket, identitiesOnly: true };
    expect((await failure(only)).code).toBe('HOST_AUTHENTICATION');
    // The same key from memory: its numbers are the longest that there are.
    expect(
      await greet({ ...options, identities: [{ key: readFileSync(held), label: 'held' }], identitiesOnly: true }),
    ).toBe('hi\n');
  });

  it('says of an agent that nothing listens there, and what to do about that', async () => {
    const { options, directory } = await node();
    const dead = join(directory, 'dead');
    const agent = spawn(agentProgram, ['-D', '-a', dead], { stdio: 'ignore' });
    while (!existsSync(dead)) await delay(20);
    agent.kill('SIGKILL');
    await once(agent, 'close');
    const sockets = {
      [join(directory, 'none')]: /\(nothing listens there: (?:ENOENT|No such file or directory)\)/,
      [dead]: /\(nothing listens there: (?:ECONNREFUSED|Connection refused)\)/,
    };
    for (const [socket, reason] of Object.entries(sockets)) {
      const error = await failure({ ...options, identities: [], agent: socket });
      expect(error.code).toBe('HOST_AUTHENTICATION');
      expect(error.message).toMatch(reason);
      expect(error.message).toContain(`agent ${socket} (`);
      expect(error.remedy).toContain('ssh-agent');
      expect(error.remedy).not.toContain('authorized_keys');
    }
    const shown = { key: makeKey('ed25519').private, label: 'stranger' };
    const both = await failure({ ...options, identities: [shown], agent: join(directory, 'none') });
    expect(both.remedy).toContain('authorized_keys');
    expect(await greet({ ...options, agent: dead })).toBe('hi\n');
  });

  it('agrees on what is legacy only where its settings say so, and warns', async () => {
    const { options } = await node(['KexAlgorithms diffie-hellman-group14-sha1']);
    const error = await failure(options);
    expect([error.code, error.message]).toEqual([
      'HOST_UNREACHABLE',
      expect.stringContaining('no matching key exchange'),
    ]);
    expect(error.remedy).toMatch(adapter === 'ssh2' ? /adapter openssh/ : /kex: '\+diffie-hellman-group14-sha1'/);
    const warnings: SshWarning[] = [];
    const algorithms = { kex: '+diffie-hellman-group14-sha1' };
    expect(await greet({ ...options, algorithms, onWarning: (warning) => warnings.push(warning) })).toBe('hi\n');
    expect(warnings).toEqual([
      { code: 'LEGACY_ALGORITHM', host: 'nodea', message: expect.stringContaining('diffie-hellman-group14-sha1') },
    ]);
  });
});

describe.skipIf(!programs)('a node that asks for more than the embedded client can', () => {
  const before = new Set(readdirSync(tmpdir()));
  afterAll(() => {
    const left = readdirSync(tmpdir()).filter((name) => name.startsWith('sm-') && !before.has(name));
    expect(left).toEqual([]);
  });

  function keygen(...args: string[]): void {
    execFileSync(keygenProgram, ['-q', ...args]);
  }

  /** What `auto` answers, and why it took which adapter. */
  async function chosen(options: SshOptions): Promise<{ said: string; choices: AdapterChoice[] }> {
    const choices: AdapterChoice[] = [];
    const said = await greet({ ...options, adapter: 'auto', onChoice: (choice) => choices.push(choice) });
    return { said, choices };
  }

  it('is a node like others until then', async () => {
    const { options } = await sshd();
    const { said, choices } = await chosen(options);
    expect(said).toBe('hi\n');
    expect(choices.map(({ adapter }) => adapter)).toEqual(['ssh2']);
  });

  it('is trusted by its certificate, and the embedded client says what it cannot check', async () => {
    const { directory } = await sshd();
    const [authority, own] = [join(directory, 'authority'), join(directory, 'own')];
    keygen('-t', 'ed25519', '-N', '', '-f', authority);
    keygen('-t', 'ed25519', '-N', '', '-f', own);
    keygen('-s', authority, '-I', 'nodea', '-h', '-n', 'nodea.example', `${own}.pub`);
    const { options } = await sshd([`HostKey ${own}`, `HostCertificate ${own}-cert.pub`]);
    const known = join(directory, 'authorities');
    writeFileSync(known, `@cert-authority *.example ${readFileSync(`${authority}.pub`, 'utf8')}`);
    const certified = { ...options, knownHosts: [known], hostKeyAlias: 'nodea.example' };
    const { said, choices } = await chosen(certified);
    expect(said).toBe('hi\n');
    expect(choices).toEqual([
      { adapter: 'openssh', because: expect.stringContaining(`${known}:1 trusts a certificate authority`) },
    ]);
    const error = await failure({ ...certified, adapter: 'ssh2' });
    expect([error.code, error.remedy]).toEqual([
      'HOST_KEY_UNKNOWN',
      expect.stringContaining('choose the adapter openssh'),
    ]);
    // A certificate for another name vouches for nothing.
    writeFileSync(known, `@cert-authority * ${readFileSync(`${authority}.pub`, 'utf8')}`);
    const other = await failure({ ...certified, adapter: 'openssh', hostKeyAlias: 'nodeb.example' });
    expect(other.code).toBe('HOST_KEY_UNKNOWN');
  });

  it('refuses a key that stands in a list of revoked ones, which only OpenSSH reads', async () => {
    const { options, hostKey, directory } = await sshd();
    const revoked = join(directory, 'revoked');
    writeFileSync(revoked, `${typeOf(hostKey)} ${hostKey.public.toString('base64')}\n`);
    const careful = { ...options, revokedHostKeys: revoked };
    for (const adapter of ['openssh', 'auto'] as const) {
      const error = await failure({ ...careful, adapter });
      expect([error.code, error.message]).toEqual(['HOST_KEY_CHANGED', expect.stringContaining('revoked')]);
    }
    await expect(greet({ ...careful, adapter: 'ssh2' })).rejects.toMatchObject({ code: 'SSH_SETTINGS' });
    writeFileSync(revoked, '');
    expect(await greet({ ...careful, adapter: 'openssh' })).toBe('hi\n');
  });

  it('lets a user in by certificate, which ssh2 1.17 cannot show', async () => {
    const { directory } = await sshd();
    const [authority, own] = [join(directory, 'authority'), join(directory, 'own')];
    keygen('-t', 'ed25519', '-N', '', '-f', authority);
    keygen('-t', 'ed25519', '-N', '', '-f', own);
    keygen('-s', authority, '-I', 'me', '-n', userInfo().username, `${own}.pub`);
    const { options } = await sshd([`TrustedUserCAKeys ${authority}.pub`]);
    const certified = { ...options, identities: [{ file: own }] };
    const { said, choices } = await chosen(certified);
    expect(said).toBe('hi\n');
    expect(choices).toEqual([{ adapter: 'openssh', because: expect.stringContaining('own-cert.pub certifies a key') }]);
    const refused = await failure({ ...certified, adapter: 'ssh2' });
    expect([refused.code, refused.remedy]).toEqual([
      'HOST_AUTHENTICATION',
      expect.stringContaining(
        `choose the adapter openssh or auto: ssh2 cannot show the user certificate ${own}-cert.pub`,
      ),
    ]);
    const named = { ...certified, certificates: [`${own}-cert.pub`] };
    await expect(greet({ ...named, adapter: 'ssh2' })).rejects.toMatchObject({
      code: 'SSH_SETTINGS',
      message: expect.stringContaining('user certificate'),
      remedy: 'Choose the adapter openssh, or auto.',
    });
    // The same over an agent, which shows the certificate with the key.
    const socket = join(directory, 'agent');
    const agent = spawn(agentProgram, ['-D', '-a', socket], { stdio: 'ignore' });
    afterwards(() => agent.kill());
    while (!existsSync(socket)) await delay(20);
    execFileSync(addProgram, ['-q', own], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    expect((await failure({ ...options, identities: [], agent: socket, adapter: 'ssh2' })).code).toBe(
      'HOST_AUTHENTICATION',
    );
    expect(await greet({ ...options, identities: [], agent: socket, adapter: 'openssh' })).toBe('hi\n');
  });

  it('exchanges keys in a post-quantum way only: auto starts over with OpenSSH, and says why', async () => {
    const { options } = await sshd(['KexAlgorithms sntrup761x25519-sha512@openssh.com']);
    const { said, choices } = await chosen(options);
    expect(said).toBe('hi\n');
    expect(choices.map(({ adapter }) => adapter)).toEqual(['ssh2', 'openssh']);
    const again: AdapterChoice[] = [];
    const nodea = hostOver({ ...options, adapter: 'auto', onChoice: (choice) => again.push(choice) });
    const step = { id: 'one', run: reads('echo', 'hi'), timeoutSeconds: 10 };
    const outcomes = await Promise.all([1, 2, 3].map(() => nodea.run({ steps: [step] })));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['completed', 'completed', 'completed']);
    expect(again.map(({ adapter }) => adapter)).toEqual(['ssh2', 'openssh']);
    expect(choices[1]?.because).toMatch(/embedded client knows.*no matching key exchange/);
    const known = await chosen({ ...options, algorithms: { kex: 'sntrup761x25519-sha512@openssh.com' } });
    expect(known.choices.map(({ adapter }) => adapter)).toEqual(['openssh']);
  });

  it('is reached by what ~/.ssh/config says, through a jump host', async () => {
    const [hop, node] = [await sshd(), await sshd()];
    const { directory } = hop;
    const key = (name: string, { identity }: Sshd) => {
      writeFileSync(join(directory, name), identity.private, { mode: 0o600 });
      return join(directory, name);
    };
    const [first, last] = [hop.options, node.options];
    writeFileSync(
      join(directory, 'config'),
      `Host nodea
  HostName ${last.address}
  Port ${last.port}
  ProxyJump gate
  IdentityFile ${key('last', node)}
Host gate
  HostName ${first.address}
  Port ${first.port}
  IdentityFile ${key('first', hop)}
Host *
  User ${first.user}
  IdentityAgent none
  UserKnownHostsFile ${[...(first.knownHosts ?? []), ...(last.knownHosts ?? [])].join(' ')}
  StrictHostKeyChecking no
`,
    );
    const { options, notes } = await configuredOptions('nodea', { files: [join(directory, 'config')] });
    expect(notes).toEqual([expect.stringContaining('StrictHostKeyChecking no is passed over')]);
    for (const adapter of ['ssh2', 'openssh'] as const) expect(await greet({ ...options, adapter })).toBe('hi\n');
    const { choices } = await chosen(options);
    expect(choices).toEqual([{ adapter: 'openssh', because: expect.stringContaining('through 127.0.0.1') }]);
    await expect(greet({ ...options, user: '-oProxyCommand=x', adapter: 'openssh' })).rejects.toMatchObject({
      code: 'SSH_SETTINGS',
    });
  });

  it('is offered no key of the agent but those that are named', async () => {
    const { options, directory, file } = await sshd().then((node) => ({
      ...node,
      file: (name: string, text: string) => {
        writeFileSync(join(node.directory, name), text, { mode: 0o600 });
        return join(node.directory, name);
      },
    }));
    const [named, other] = [makeKey('ed25519'), makeKey('ed25519')];
    const socket = join(directory, 'agent');
    const agent = spawn(agentProgram, ['-D', '-a', socket], { stdio: 'ignore' });
    afterwards(() => agent.kill());
    while (!existsSync(socket)) await delay(20);
    for (const [name, key] of [
      ['named', named],
      ['other', other],
    ] as const) {
      execFileSync(addProgram, ['-q', file(name, key.private)], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    }
    file('authorized_keys', `${typeOf(other)} ${other.public.toString('base64')}\n`);
    // Only the public half of the named one lies here.
    const publicHalf = file('half', `${typeOf(named)} ${named.public.toString('base64')}\n`);
    for (const adapter of ['ssh2', 'openssh'] as const) {
      const asking = { ...options, adapter, agent: socket, identities: [{ file: publicHalf }] };
      expect(await greet(asking)).toBe('hi\n');
      expect((await failure({ ...asking, identitiesOnly: true })).code).toBe('HOST_AUTHENTICATION');
    }
    file('authorized_keys', `${typeOf(named)} ${named.public.toString('base64')}\n`);
    for (const adapter of ['ssh2', 'openssh'] as const) {
      expect(
        await greet({ ...options, adapter, agent: socket, identities: [{ file: publicHalf }], identitiesOnly: true }),
      ).toBe('hi\n');
    }
  });

  it('is refused by name when the program is not there', async () => {
    const { options } = await sshd();
    const error = await failure({ ...options, adapter: 'openssh', program: '/nowhere/ssh' });
    expect([error.code, error.message]).toEqual([
      'HOST_UNREACHABLE',
      expect.stringContaining('the ssh program cannot be started'),
    ]);
  });
});
