import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { reads } from '@splitmirror/host';
import { describe, expect, it, vi } from 'vitest';
import { afterwards, failure, greet, hostOver } from '../../test/greet.ts';
import { acceptKey, makeKey, type NodeSettings, startNode, type TestNode, typeOf } from '../../test/node.ts';

const [keygen, agentProgram, addProgram] = ['/usr/bin/ssh-keygen', '/usr/bin/ssh-agent', '/usr/bin/ssh-add'] as const;

async function node(settings?: NodeSettings): Promise<TestNode> {
  const started = await startNode(settings);
  afterwards(started.stop);
  return started;
}

const fingerprintPattern = /SHA256:[A-Za-z0-9+/]{43}/g;

describe('the host key', () => {
  it('is refused when it is unknown, with its fingerprint and the line that would make it known', async () => {
    const { options, directory, hostKey } = await node();
    const file = join(directory, 'mine');
    const error = await failure({ ...options, knownHosts: [file] });
    expect(error.code).toBe('HOST_KEY_UNKNOWN');
    expect(error.message).toMatch(/^nodea: .*\[127\.0\.0\.1\]:\d+; it presents ssh-ed25519 SHA256:/);
    expect(error.remedy).toContain(`add this line to ${file}: `);
    writeFileSync(file, `${error.remedy.split(`${file}: `)[1]}\n`);
    expect(readFileSync(file, 'utf8')).toContain(hostKey.public.toString('base64'));
    expect(await greet({ ...options, knownHosts: [file] })).toBe('hi\n');
  });

  it('is refused when it is another than the trusted one, with both fingerprints', async () => {
    const { options, directory, port } = await node();
    const file = join(directory, 'changed');
    const other = makeKey('ed25519');
    writeFileSync(file, `[127.0.0.1]:${port} ${typeOf(other)} ${other.public.toString('base64')}\n`);
    const error = await failure({ ...options, knownHosts: [file] });
    expect(error.code).toBe('HOST_KEY_CHANGED');
    expect(new Set(error.message.match(fingerprintPattern)).size).toBe(2);
    expect(error.message).toContain(`${file}:1`);
  });

  it('is refused when it is revoked, although it is trusted too', async () => {
    const { options, directory, hostKey } = await node();
    const file = join(directory, 'revoked');
    writeFileSync(file, `@revoked * ${typeOf(hostKey)} ${hostKey.public.toString('base64')}\n`);
    const error = await failure({ ...options, knownHosts: [...(options.knownHosts ?? []), file] });
    expect(error.code).toBe('HOST_KEY_CHANGED');
    expect(error.message).toContain('revoked');
  });

  it.skipIf(!existsSync(keygen))('is found under a hashed name', async () => {
    const { options } = await node();
    const [file = ''] = options.knownHosts ?? [];
    execFileSync(keygen, ['-q', '-H', '-f', file], { stdio: 'ignore' });
    expect(readFileSync(file, 'utf8')).toMatch(/^\|1\|/);
    expect(await greet(options)).toBe('hi\n');
  });

  it('is found under an alias', async () => {
    const { options, directory, hostKey } = await node();
    const file = join(directory, 'alias');
    writeFileSync(file, `nodea-boot ${typeOf(hostKey)} ${hostKey.public.toString('base64')}\n`);
    expect(await greet({ ...options, knownHosts: [file], hostKeyAlias: 'NodeA-boot' })).toBe('hi\n');
  });

  it.each(['rsa', 'ecdsa', 'ed25519'] as const)(
    'is asked for by the known type (%s) when the node has more',
    async (type) => {
      const hostKeys = [makeKey('ed25519'), makeKey('ecdsa'), makeKey('rsa')];
      const { options, directory, port } = await node({ hostKeys });
      const known = hostKeys.find((key) => typeOf(key).includes(type));
      const file = join(directory, 'one-type');
      writeFileSync(file, `[127.0.0.1]:${port} ${known && typeOf(known)} ${known?.public.toString('base64')}\n`);
      expect(await greet({ ...options, knownHosts: [file] })).toBe('hi\n');
    },
  );

  it('is refused when the file that should keep it stays locked, however short the time for the login', async () => {
    const { options, directory } = await node();
    const known = join(directory, 'new');
    writeFileSync(`${known}.lock`, '');
    const error = await failure({ ...options, knownHosts: [known], unknownHostKey: 'accept-new', connectSeconds: 1 });
    expect([error.code, error.message]).toEqual(['HOST_KEY_UNKNOWN', expect.stringContaining(`${known}.lock is held`)]);
  });

  it('cannot be judged when known_hosts cannot be read', async () => {
    const { options, directory } = await node();
    await expect(greet({ ...options, knownHosts: [directory] })).rejects.toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
      message: expect.stringContaining('cannot be read'),
    });
  });
});

describe('the login', () => {
  it('tries several keys, from files and from memory', async () => {
    const { options, directory, identity } = await node();
    const file = join(directory, 'id');
    writeFileSync(file, identity.private);
    const wrong = { key: makeKey('rsa').private, label: 'old key' };
    expect(await greet({ ...options, identities: [wrong, { file: join(directory, 'none') }, { file }] })).toBe('hi\n');
  });

  it('asks for a passphrase when the turn of an encrypted key has come', async () => {
    const locked = makeKey('ed25519', 'open sesame');
    const { options } = await node({ authenticate: (attempt) => acceptKey(attempt, locked, 'open sesame') });
    const passphrase = vi.fn(async () => 'open sesame');
    expect(await greet({ ...options, identities: [{ key: locked.private, label: 'locked' }], passphrase })).toBe(
      'hi\n',
    );
    expect(passphrase.mock.calls).toEqual([['locked']]);
  });

  it('says what was tried when nobody lets it in, and tells no secret', async () => {
    const locked = makeKey('ed25519', 'open sesame');
    const { options, directory } = await node({ authenticate: (attempt) => attempt.reject(['publickey', 'password']) });
    const error = await failure({
      ...options,
      identities: [
        { key: makeKey('ed25519').private, label: 'good key' },
        { key: locked.private, label: 'locked' },
        { file: join(directory, 'missing') },
        { key: 'no key at all, hunter3', label: 'nonsense' },
      ],
      passphrase: async () => 'hunter2 is wrong',
      password: async () => 'hunter2',
    });
    expect(error.code).toBe('HOST_AUTHENTICATION');
    expect(error.message).toContain('key good key, key locked (the passphrase does not open it), key ');
    expect(error.message).toContain('password');
    const everything = JSON.stringify([error.message, error.remedy, String(error.cause), error.stack, error]);
    expect(everything).not.toMatch(/hunter|PRIVATE|open sesame/);
  });

  it('asks for the password only when the node takes one and no key did', async () => {
    const password = vi.fn(async () => 'secret');
    const byKey = await node();
    expect(await greet({ ...byKey.options, password })).toBe('hi\n');
    const keysOnly = await node({ authenticate: (attempt) => attempt.reject(['publickey']) });
    expect((await failure({ ...keysOnly.options, password })).code).toBe('HOST_AUTHENTICATION');
    expect(password).not.toHaveBeenCalled();
    const byPassword = await node({
      authenticate: (attempt) => {
        if (attempt.method === 'password' && attempt.password === 'secret') attempt.accept();
        else attempt.reject(['publickey', 'password']);
      },
    });
    expect(await greet({ ...byPassword.options, password })).toBe('hi\n');
    expect(password.mock.calls).toEqual([["root@127.0.0.1's password:"]]);
  });

  it('answers a node that asks for the password with a question of its own', async () => {
    const { options } = await node({
      authenticate: (attempt) => {
        if (attempt.method !== 'keyboard-interactive') return attempt.reject(['keyboard-interactive']);
        attempt.prompt([{ prompt: "root's Password: ", echo: false }], (answers) =>
          answers[0] === 'secret' ? attempt.accept() : attempt.reject(['keyboard-interactive']),
        );
      },
    });
    const password = vi.fn(async () => 'secret');
    expect(await greet({ ...options, password })).toBe('hi\n');
    expect(password.mock.calls).toEqual([["root's Password: "]]);
  });

  it('tries a wrong password once', async () => {
    const { options } = await node({ authenticate: (attempt) => attempt.reject(['password', 'keyboard-interactive']) });
    const password = vi.fn(async () => 'wrong');
    expect((await failure({ ...options, password })).code).toBe('HOST_AUTHENTICATION');
    expect(password).toHaveBeenCalledTimes(1);
  });

  it('does not count the time that a person takes to answer', async () => {
    const { options } = await node({
      authenticate: (attempt) => {
        if (attempt.method === 'password') attempt.accept();
        else attempt.reject(['password']);
      },
    });
    const password = () => new Promise<string>((resolve) => setTimeout(resolve, 1500, 'secret'));
    expect(await greet({ ...options, connectSeconds: 1, password })).toBe('hi\n');
    const asking = await node({
      authenticate: (attempt) => {
        if (attempt.method !== 'keyboard-interactive') return attempt.reject(['keyboard-interactive']);
        attempt.prompt([{ prompt: 'Password: ', echo: false }], () => attempt.accept());
      },
    });
    expect(await greet({ ...asking.options, connectSeconds: 1, password })).toBe('hi\n');
  });

  it('fails when the callback does', async () => {
    const { options } = await node({ authenticate: (attempt) => attempt.reject(['password']) });
    const error = await failure({ ...options, password: () => Promise.reject(new Error('no terminal')) });
    expect(error).toMatchObject({ code: 'HOST_AUTHENTICATION', cause: { message: 'no terminal' } });
  });

  it.skipIf(!existsSync(agentProgram))('uses an agent, and goes on without one that is dead', async () => {
    const { options, directory, identity } = await node();
    const socket = join(directory, 'agent');
    const agent: ChildProcess = spawn(agentProgram, ['-D', '-a', socket], { stdio: 'ignore' });
    afterwards(() => agent.kill());
    await vi.waitUntil(() => existsSync(socket));
    writeFileSync(join(directory, 'id'), identity.private, { mode: 0o600 });
    execFileSync(addProgram, ['-q', join(directory, 'id')], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    expect(await greet({ ...options, identities: [], agent: socket })).toBe('hi\n');
    const dead = await failure({ ...options, identities: [], agent: join(directory, 'dead') });
    expect(dead).toMatchObject({ code: 'HOST_AUTHENTICATION', message: expect.stringContaining('agent') });
    expect(await greet({ ...options, agent: join(directory, 'dead') })).toBe('hi\n');
  });

  it('goes on without a key whose file hands nothing out', async () => {
    const { options, directory } = await node();
    const mute = join(directory, 'mute');
    execFileSync('mkfifo', [mute]);
    afterwards(() => writeFileSync(mute, ''));
    const error = await failure({ ...options, identities: [{ file: mute }], connectSeconds: 1 });
    expect([error.code, error.message]).toEqual([
      'HOST_AUTHENTICATION',
      expect.stringContaining(`tried key ${mute} (nothing came of it within 1 seconds)`),
    ]);
    expect(
      await greet({ ...options, identities: [{ file: mute }, ...(options.identities ?? [])], connectSeconds: 1 }),
    ).toBe('hi\n');
  });

  it('goes on without an agent that says nothing, and tells of it', async () => {
    const { options, directory } = await node();
    const socket = join(directory, 'silent');
    const held = new Set<Socket>();
    const silent = createServer((asker) => {
      held.add(
        asker
          .on('error', () => {})
          .on('close', () => held.delete(asker))
          .resume(),
      );
    }).listen(socket);
    await once(silent, 'listening');
    afterwards(() => silent.close());
    const stranger = { key: makeKey('ed25519').private, label: 'stranger' };
    const error = await failure({ ...options, identities: [stranger], agent: socket, connectSeconds: 1 });
    expect([error.code, error.message]).toEqual([
      'HOST_AUTHENTICATION',
      expect.stringContaining(`tried key stranger, agent ${socket} (no answer within 1 seconds)`),
    ]);
    await vi.waitUntil(() => held.size === 0);
  });

  it.skipIf(!existsSync(agentProgram))('says of an agent that it holds no key', async () => {
    const { options, directory } = await node();
    const socket = join(directory, 'agent');
    const agent = spawn(agentProgram, ['-D', '-a', socket], { stdio: 'ignore' });
    afterwards(() => agent.kill());
    await vi.waitUntil(() => existsSync(socket));
    const error = await failure({ ...options, identities: [], agent: socket });
    expect(error.message).toContain(`tried agent ${socket} (it holds no key that may be offered)`);
    expect(error.remedy).toContain(`SSH_AUTH_SOCK=${socket} ssh-add`);
  });

  it('passes over a banner and a login script that prints rubbish', async () => {
    const { options } = await node({
      banner: 'Authorised use only\n',
      profile: 'echo Welcome; echo "You have mail" >&2',
    });
    expect(await greet(options)).toBe('hi\n');
    const stream = await hostOver(options).stream(reads('printf', 'archive'), { timeoutSeconds: 10 });
    expect(Buffer.concat(await stream.stdout.toArray()).toString()).toBe('archive');
  });
});

describe('an unreachable node', () => {
  it('is one that refuses', async () => {
    const { options, stop } = await startNode();
    await stop();
    const error = await failure({ ...options, knownHosts: [] });
    expect(error).toMatchObject({ code: 'HOST_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') });
  });

  it('is one whose name is not known', async () => {
    const { options } = await node();
    const error = await failure({ ...options, address: 'no-such-node.invalid', connectSeconds: 15 });
    expect(error.code).toBe('HOST_UNREACHABLE');
  });

  it('is one that takes the connection and says nothing', async () => {
    const { options } = await node();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterwards(() => server.close());
    const error = await failure({ ...options, port: (server.address() as AddressInfo).port, connectSeconds: 1 });
    expect(error).toMatchObject({ code: 'HOST_UNREACHABLE', message: expect.stringContaining('within 1 seconds') });
  });

  it('is one that says goodbye, in words that control no terminal', async () => {
    const words = Buffer.from('\x1b[2J\x1b]0;all is well\x07no\u202e');
    const payload = Buffer.concat([Buffer.from([1, 0, 0, 0, 2, 0, 0, 0, words.length]), words, Buffer.alloc(4)]);
    const padding = 4 + ((8 - ((5 + payload.length + 4) % 8)) % 8);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(1 + payload.length + padding);
    head[4] = padding;
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), head, payload, Buffer.alloc(padding)]));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterwards(() => server.close());
    const { options } = await node();
    const error = await failure({ ...options, port: (server.address() as AddressInfo).port });
    expect(error.message).toMatch(/: \?\[2J\?\]0;all is well\?no\?$/);
  });

  it('is one that goes while its new key is written down', async () => {
    const gone = await node();
    const known = join(gone.directory, 'new');
    writeFileSync(`${known}.lock`, '');
    const failing = failure({ ...gone.options, knownHosts: [known], unknownHostKey: 'accept-new' });
    await vi.waitUntil(() => gone.connections() === 1);
    // Until the key has come and waits for the lock.
    await delay(500);
    gone.cut();
    expect((await failing).code).toBe('HOST_UNREACHABLE');
    rmSync(`${known}.lock`);
    await vi.waitUntil(() => existsSync(known));
    await delay(100);
  });

  it('is one to which the jump host finds no way in time', async () => {
    const [jump, far] = [await node({ silentForwards: true }), await node()];
    const error = await failure({ ...far.options, connectSeconds: 1, jumps: [jump.options] });
    expect([error.code, error.message]).toEqual([
      'HOST_UNREACHABLE',
      expect.stringMatching(/through the jump host: no connection within 1 seconds$/),
    ]);
  });

  it.each(['HTTP/1.0 400 Bad Request\r\n\r\n', ''])('is one that speaks no SSH: %j', async (answer) => {
    const { options } = await node();
    const server = createServer((socket) => socket.on('error', () => {}).end(answer)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterwards(() => server.close());
    const error = await failure({ ...options, port: (server.address() as AddressInfo).port, connectSeconds: 5 });
    expect(error.code).toBe('HOST_UNREACHABLE');
  });
});
