import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { changes, createHost, reads } from '@splitmirror/host';
import ssh2, { type Client, type ClientChannel } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from './index.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await startLab({ contentBytes: 200_000, phaseMs: 5 });
});
afterAll(() => lab.close());

const nodeNamed = (name: string) => {
  const found = lab.nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no node ${name}`);
  return found;
};

async function connected(name: string, options: ssh2.ConnectConfig = {}): Promise<Client> {
  const client = new ssh2.Client();
  client.connect({
    host: '127.0.0.1',
    port: nodeNamed(name).port,
    username: 'root',
    privateKey: readFileSync(lab.identityFile),
    ...options,
  });
  await once(client, 'ready');
  return client;
}

function exec(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
  });
}

interface Finished {
  readonly code: number | null;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Listens from the start: the exit may arrive together with the confirmation. */
function finished(client: Client, command: string): Promise<Finished> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) return reject(error);
      let [stdout, stderr] = ['', ''];
      let exit: [number | null, string | undefined] = [null, undefined];
      channel.on('data', (chunk: Buffer) => {
        stdout += chunk;
      });
      channel.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk;
      });
      channel.on('exit', (code: number | null, signal?: string) => {
        exit = [code, signal];
      });
      channel.on('close', () => resolve({ code: exit[0], signal: exit[1], stdout, stderr }));
    });
  });
}

const hasSsh = (() => {
  try {
    execFileSync('ssh', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('startLab', () => {
  it('names nodes and hosts differently, and keeps its key to itself', () => {
    expect(lab.nodes.map(({ name, host }) => [name, host])).toEqual([
      ['db_node1', 'dbhost1'],
      ['db_node2', 'dbhost2'],
    ]);
    expect(statSync(lab.identityFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(lab.knownHostsFile, 'utf8').split('\n')).toHaveLength(3);
    expect(nodeNamed('db_node1').fingerprint).toMatch(/^SHA256:[\w+/]{43}$/);
  });

  it('runs a script of the host package without ssh', async () => {
    const node = nodeNamed('db_node1');
    const host = createHost(node.name, lab.transport(node.name), { path: node.path });
    const outcome = await host.run({
      steps: [
        { id: 'who', run: reads('get_local_nodename'), timeoutSeconds: 5 },
        { id: 'host', run: reads('hostname'), timeoutSeconds: 5 },
        { id: 'make', run: changes('mkdir', '-p', '/tmp/made here'), timeoutSeconds: 5 },
        { id: 'look', run: reads('ls', '-d', '/tmp/made here'), timeoutSeconds: 5 },
        { id: 'none', run: reads('nosuchcommand'), timeoutSeconds: 5, onFailure: 'continue' },
      ],
    });
    expect(outcome.kind).toBe('completed');
    expect(outcome.steps.map((step) => ('stdout' in step ? step.stdout : step.kind))).toEqual([
      'db_node1\n',
      'dbhost1\n',
      '',
      '/tmp/made here\n',
      '',
    ]);
    expect(outcome.steps[4]).toMatchObject({ exitCode: 127 });
    expect(existsSync(`${node.root}/tmp/made here`)).toBe(true);
  });

  it('runs a script of the node, which sees the root directory of the node where it changes to', async () => {
    const script = 'mkdir -p /var/kept && cd /var/kept && pwd && echo "$@" >"note" || exit 1\nexit 3\n';
    expect(await lab.run('db_node1', ['tee', '/tmp/keep'], script)).toMatchObject({ code: 0 });
    const called = { code: 3, stdout: '/var/kept\n', stderr: '' };
    expect(await lab.run('db_node1', ['/tmp/keep', 'a  b', 'c'])).toEqual(called);
    expect((await lab.run('db_node1', ['cat', '/var/kept/note'])).stdout).toBe('a  b c\n');
    const client = await connected('db_node1');
    expect(await finished(client, 'cd /tmp && sh keep d')).toMatchObject(called);
    expect(await finished(client, 'sh /tmp/keep e')).toMatchObject(called);
    client.end();
    expect((await lab.run('db_node1', ['cat', '/var/kept/note'])).stdout).toBe('e\n');
  });

  it('answers an ssh client as AIX would, with status and signal', async () => {
    const client = await connected('db_node1');
    const volumes = await finished(client, 'lsvg -l ledgervg');
    expect(volumes.code).toBe(0);
    expect(volumes.stdout).toMatch(/^ledgervg:\nLV NAME .*\njournallv /);
    expect(await finished(client, 'echo out; echo err >&2; exit 7')).toMatchObject({
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(await finished(client, 'kill -9 $$')).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect((await finished(client, 'nosuchcommand')).code).toBe(127);
    expect((await finished(client, 'cd /ledger/journal && ls -d closed && pwd')).stdout).toBe(
      'closed\n/ledger/journal\n',
    );
    client.end();
  });

  it('lets nobody in but root with the key of the lab', async () => {
    await expect(connected('db_node1', { username: 'guest' })).rejects.toThrow(/authentication/);
    await expect(
      connected('db_node1', { privateKey: ssh2.utils.generateKeyPairSync('ed25519').private }),
    ).rejects.toThrow(/authentication/);
  });

  it('passes hundreds of MB through, and holds the sender when nobody reads', async () => {
    const client = await connected('db_node1');
    const channel = await exec(client, 'dd if=/dev/zero bs=1024k count=200 2>/dev/null');
    await delay(300);
    const before = process.memoryUsage().rss;
    let bytes = 0;
    channel.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    await once(channel, 'close');
    expect(bytes).toBe(200 << 20);
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
    const sink = await exec(client, 'wc -c');
    const total = 64 << 20;
    for (let sent = 0; sent < total; sent += 1 << 20) {
      if (!sink.write(Buffer.alloc(1 << 20))) await once(sink, 'drain');
    }
    sink.end();
    const [counted] = (await once(sink, 'data')) as [Buffer];
    expect(counted.toString().trim()).toBe(String(total));
    client.end();
  });

  it('hangs up what runs in a session when its connection ends', async () => {
    const client = await connected('db_node2');
    const channel = await exec(client, 'echo $$; sleep 300');
    const [first] = (await once(channel, 'data')) as [Buffer];
    const pid = Number(first.toString());
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    client.end();
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it('refuses more than ten sessions of one connection, as sshd does', async () => {
    const client = await connected('db_node1');
    const open = await Promise.all(Array.from({ length: 10 }, () => exec(client, 'sleep 60')));
    await expect(exec(client, 'hostname')).rejects.toThrow(/[Oo]pen fail/);
    const closed = open.map((channel) => once(channel.resume(), 'close'));
    for (const channel of open) channel.close();
    await Promise.all(closed);
    expect((await finished(client, 'hostname')).stdout).toBe('dbhost1\n');
    client.end();
  });

  it('lets the network swallow what a node sends', async () => {
    const client = await connected('db_node2');
    lab.mute('db_node2', 'on');
    let answered = false;
    const asked = finished(client, 'hostname').then((ran) => {
      answered = true;
      return ran.stdout;
    });
    await expect(connected('db_node2', { readyTimeout: 300 })).rejects.toThrow(/[Tt]imed out/);
    expect(answered).toBe(false);
    lab.mute('db_node2', 'off');
    expect(await asked).toBe('dbhost2\n');
    client.end();
  });

  it.skipIf(!hasSsh)(
    'serves a stock OpenSSH client, also with a terminal (skipped where ssh is not installed)',
    async () => {
      const run = promisify(execFile);
      const options = [
        '-F',
        'none',
        '-o',
        `UserKnownHostsFile=${lab.knownHostsFile}`,
        '-o',
        'StrictHostKeyChecking=yes',
        '-i',
        lab.identityFile,
      ];
      const target = ['-p', String(nodeNamed('db_node2').port), 'root@127.0.0.1'];
      const { stdout } = await run('ssh', [...options, ...target, 'clRGinfo -s']);
      expect(stdout).toMatch(/^ledger_rg:ONLINE:db_node1:/);
      const child = execFile('ssh', [...options, '-tt', ...target]);
      let seen = '';
      child.stdout?.on('data', (chunk: string) => {
        seen += chunk;
      });
      child.stdin?.write('hostnamx\x7fe\nexit 3\n');
      const [code] = (await once(child, 'close')) as [number];
      expect(code).toBe(3);
      expect(seen).toContain('dbhost2\r\n');
    },
  );
});

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
