import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SshOptions } from '../src/index.ts';
import { type KeyPair, makeKey, typeOf } from './node.ts';
import { startRelay } from './relay.ts';

/** OpenSSH's server, run as the current user on a high port of loopback. */
export interface Sshd {
  readonly options: SshOptions;
  /** Reaches it without the relay. */
  readonly direct: SshOptions;
  readonly identity: KeyPair;
  readonly hostKey: KeyPair;
  /** For files of the test; removed at the end. */
  readonly directory: string;
  cut(): void;
  /** From now on nothing passes any more, and nobody is told. */
  pause(): void;
  stop(): Promise<void>;
}

export async function startSshd(settings: readonly string[] = []): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), 'splitmirror-sshd-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const [hostKey, identity] = [makeKey('ed25519'), makeKey('ed25519')];
  const port = await freePort();
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${file('host_key', hostKey.private)}`,
    `AuthorizedKeysFile ${file('authorized_keys', `${typeOf(identity)} ${identity.public.toString('base64')}\n`)}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    ...settings,
  ];
  // Where sshd shuts itself in when it is started by root.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  // Into a file: a pipe that nobody reads for a while, as in a benchmark, would fill up and stop the server.
  const log = file('sshd.log', '');
  const sshd = spawn('/usr/sbin/sshd', ['-D', '-E', log, '-f', file('sshd_config', `${config.join('\n')}\n`)], {
    stdio: 'ignore',
  });
  while (!readFileSync(log, 'utf8').includes('Server listening')) {
    if (sshd.exitCode !== null) throw new Error(`sshd ended: ${readFileSync(log, 'utf8')}`);
    await delay(10);
  }
  const relay = await startRelay(port);
  const knownHosts = file(
    'known_hosts',
    [relay.port, port]
      .map((at) => `[127.0.0.1]:${at} ${typeOf(hostKey)} ${hostKey.public.toString('base64')}\n`)
      .join(''),
  );
  const options: SshOptions = {
    address: '127.0.0.1',
    port: relay.port,
    user: userInfo().username,
    identities: [{ key: identity.private, label: 'test key' }],
    agent: false,
    knownHosts: [knownHosts],
  };
  return {
    options,
    direct: { ...options, port },
    identity,
    hostKey,
    directory,
    cut: relay.cut,
    pause: relay.pause,
    async stop() {
      relay.cut();
      relay.close();
      sshd.kill();
      await once(sshd, 'close');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
