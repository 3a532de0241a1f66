import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import type { SshOptions } from '../src/index.ts';
import { startRelay } from './relay.ts';

/** A key pair made for one test; the private key as PEM, the public one as it travels. */
export interface KeyPair {
  readonly private: string;
  readonly public: Buffer;
}

export function makeKey(type: 'ed25519' | 'rsa' | 'ecdsa', passphrase?: string): KeyPair {
  const options = {
    comment: 'test',
    ...(passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr' }),
    ...(type === 'rsa' ? { bits: 2048 } : {}),
    ...(type === 'ecdsa' ? { bits: 256 } : {}),
  };
  const pair = ssh2.utils.generateKeyPairSync(type, options as never);
  // ssh2 1.17 makes now and then an ed25519 key that it cannot read itself.
  if (ssh2.utils.parseKey(pair.private, passphrase) instanceof Error) return makeKey(type, passphrase);
  const [, encoded = ''] = pair.public.split(' ');
  return { private: pair.private, public: Buffer.from(encoded, 'base64') };
}

export interface NodeSettings {
  readonly hostKeys?: readonly KeyPair[];
  /** Who is let in; default: the key of {@link TestNode.identity}. */
  readonly authenticate?: (attempt: AuthContext) => void;
  /** What the login shell is given before the command line, as a talkative `.profile` would be. */
  readonly profile?: string;
  readonly banner?: string;
  /** Channels refused before the first is granted. */
  readonly refusals?: number;
  /** Starts of a command that are never answered, before the first that is. */
  readonly silentStarts?: number;
  /** Takes wishes to be connected to a further host, and never answers them. */
  readonly silentForwards?: boolean;
  /** Sends whatever there is, granted or not. */
  readonly ignoresWindow?: boolean;
}

/** A real SSH server on loopback that runs commands with /bin/sh, behind a relay which can fail. */
export interface TestNode {
  readonly port: number;
  readonly identity: KeyPair;
  readonly hostKey: KeyPair;
  readonly directory: string;
  /** Options that reach it, its key known. */
  readonly options: SshOptions;
  /** Connections accepted so far. */
  connections(): number;
  /** Cuts every link. */
  cut(): void;
  /** From now on nothing passes any more, and nobody is told. */
  pause(): void;
  stop(): Promise<void>;
}

export async function startNode(settings: NodeSettings = {}): Promise<TestNode> {
  const identity = makeKey('ed25519');
  const hostKeys = settings.hostKeys ?? [makeKey('ed25519')];
  const [hostKey] = hostKeys;
  if (hostKey === undefined) throw new Error('a server has a key');
  const directory = mkdtempSync(join(tmpdir(), 'splitmirror-ssh-'));
  const authenticate = settings.authenticate ?? ((attempt) => acceptKey(attempt, identity));
  let refusals = settings.refusals ?? 0;
  let silentStarts = settings.silentStarts ?? 0;
  let connections = 0;
  const server = new ssh2.Server(
    { hostKeys: hostKeys.map((key) => key.private), ...(settings.banner ? { banner: settings.banner } : {}) },
    (client: Connection) => {
      connections++;
      (client as unknown as { _sock: Socket })._sock.setNoDelay(true);
      client.on('error', () => {});
      client.on('authentication', authenticate);
      if (settings.silentForwards) client.on('tcpip', () => {});
      client.on('session', (accept, reject) => {
        if (refusals > 0) {
          refusals--;
          reject();
          return;
        }
        accept().on('exec', (acceptExec, _reject, { command }) => {
          if (silentStarts > 0) {
            silentStarts--;
            return;
          }
          const channel = acceptExec();
          if (settings.ignoresWindow)
            Object.assign((channel as unknown as { outgoing: object }).outgoing, { window: 1e12 });
          const child = spawn('/bin/sh', ['-c', `${settings.profile ?? ':'}\n${command}`], {
            detached: true,
            stdio: 'pipe',
          });
          serve(child, channel);
        });
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relay = await startRelay((server.address() as AddressInfo).port);
  const knownHosts = join(directory, 'known_hosts');
  writeFileSync(
    knownHosts,
    hostKeys.map((key) => `[127.0.0.1]:${relay.port} ${typeOf(key)} ${key.public.toString('base64')}\n`).join(''),
  );
  return {
    port: relay.port,
    identity,
    hostKey,
    directory,
    options: {
      address: '127.0.0.1',
      port: relay.port,
      user: 'root',
      identities: [{ key: identity.private, label: 'test key' }],
      agent: false,
      knownHosts: [knownHosts],
    },
    connections: () => connections,
    cut: relay.cut,
    pause: relay.pause,
    async stop() {
      relay.cut();
      relay.close();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function typeOf(key: KeyPair): string {
  return key.public.toString('latin1', 4, 4 + key.public.readUInt32BE(0));
}

/** Lets in who proves to have this key. */
export function acceptKey(attempt: AuthContext, identity: KeyPair, passphrase?: string): void {
  if (attempt.method !== 'publickey' || !attempt.key.data.equals(identity.public)) {
    attempt.reject(['publickey']);
    return;
  }
  const parsed = ssh2.utils.parseKey(identity.private, passphrase);
  if (parsed instanceof Error) throw parsed;
  const blob = attempt.blob;
  if (attempt.signature && blob && parsed.verify(blob, attempt.signature, attempt.hashAlgo) !== true) attempt.reject();
  else attempt.accept();
}

function serve(child: ChildProcess, channel: ServerChannel): void {
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) return;
  stdin.on('error', () => {});
  channel.on('error', () => {});
  channel.pipe(stdin);
  const send = lane(channel);
  stdout.on('data', (bytes: Buffer) => send(stdout, channel, bytes));
  stderr.on('data', (bytes: Buffer) => send(stderr, channel.stderr, bytes));
  // Like sshd: when the link is gone, nobody holds the other end of the pipes any more.
  channel.on('close', () => {
    stdin.destroy();
    stdout.destroy();
    stderr.destroy();
  });
  child.on('exit', (code, signal) => {
    if (code === null) channel.exit(String(signal).replace('SIG', ''), false, '');
    else channel.exit(code);
  });
  child.on('close', () => send(null, channel, null));
}

/**
 * Sends one piece after another. ssh2's server (1.17) forgets stderr when both streams wait for the window, and sends old
 * stdout again when stderr alone waits after stdout once did: it keeps the pieces that it has sent.
 */
function lane(channel: ServerChannel): (source: Readable | null, to: Writable, bytes: Buffer | null) => void {
  let last = Promise.resolve();
  return (source, to, bytes) => {
    source?.pause();
    last = last.then(
      () =>
        new Promise((resolve) => {
          if (bytes === null) {
            to.end();
            resolve();
            return;
          }
          to.write(bytes, () => {
            Object.assign(channel, {
              _chunk: undefined,
              _chunkcb: undefined,
              _chunkErr: undefined,
              _chunkcbErr: undefined,
            });
            source?.resume();
            resolve();
          });
        }),
    );
  };
}
