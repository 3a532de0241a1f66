import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Transport } from '@splitmirror/host';
import type { Ran } from './cluster/resources.ts';
import type { Commands } from './command.ts';
import { type Answering, receiveCalls } from './dispatcher.ts';
import type { Faults } from './faults.ts';
import type { KeyPair } from './keys.ts';
import { type NodeProcess, nodeProcesses } from './processes.ts';
import { serveNode } from './server.ts';
import { writeProfile, writeShims } from './shims.ts';
import { localLinks } from './transport.ts';

/** One machine of the lab: directories, commands in its PATH, an ssh server, and what runs on it. */
export interface NodeMachine {
  readonly name: string;
  /** Its `/`, on this machine. */
  readonly root: string;
  /** Its PATH: the directory of its commands. */
  readonly path: string;
  readonly port: number;
  transport(): Transport;
  /** Runs a command without a shell; a program of this machine is really run. */
  run(argv: readonly [string, ...string[]], stdin?: Uint8Array): Promise<Ran>;
  /** Cuts its connections. */
  drop(): void;
  /** Its connections stay, and nothing passes them any more; `false` lets everything pass again. */
  mute(silent: boolean): void;
  /** Loses its power: processes and connections are gone, nothing answers. */
  powerOff(): Promise<void>;
  powerOn(): void;
  close(): Promise<void>;
}

interface NodeSettings {
  readonly name: string;
  readonly directory: string;
  readonly commands: Commands;
  readonly faults: Faults;
  readonly hostKey: KeyPair;
  readonly userKey: KeyPair;
  readonly shell: string;
}

/** Directory of this machine that is a node's `/`. */
export function rootOf(labDirectory: string, node: string): string {
  return join(labDirectory, 'nodes', node, 'root');
}

/** File that the shells of a node read before a command line. */
export function profileOf(labDirectory: string, node: string): string {
  return join(labDirectory, 'nodes', node, 'exchange', 'profile');
}

/** What is left of a command when its node has lost its power. */
const lost: Ran = { code: 255, stdout: '', stderr: 'the node is down\n' };

/** Starts a machine. */
export async function startNode({
  name,
  directory,
  commands,
  faults,
  hostKey,
  userKey,
  shell,
}: NodeSettings): Promise<NodeMachine> {
  const home = join(directory, 'nodes', name);
  const root = rootOf(directory, name);
  const path = join(home, 'bin');
  const exchange = join(home, 'exchange');
  for (const each of [exchange, ...['tmp', 'etc', 'dev', 'var/hacmp/log'].map((part) => join(root, part))]) {
    mkdirSync(each, { recursive: true });
  }
  const profile = profileOf(directory, name);
  writeProfile(profile, root);
  writeShims(path, Object.keys(commands), '/bin/sh', exchange);

  const answering: Answering = async (program, args, stdin, directory = root) => {
    const handler = Object.hasOwn(commands, program) ? commands[program] : undefined;
    const call = { node: name, program, args, stdin, directory };
    return faults.perform(call, async () => {
      if (handler === undefined) return { kind: 'exit', code: 127, stderr: `ksh: ${program}:  not found.\n` };
      return handler(call);
    });
  };

  let isUp = true;
  let loss = Promise.withResolvers<Ran>();
  const processes = nodeProcesses(name, root, path);
  const links = localLinks(name, processes, { shell, profile }, () => isUp);
  const stopReceiving = receiveCalls(exchange, answering);
  const server = await serveNode({
    hostKey: hostKey.privateKey,
    userKey: userKey.publicKey,
    processes,
    shell,
    profile,
  });

  return {
    name,
    root,
    path,
    port: server.port,
    transport: links.transport,
    async run([program, ...args], stdin = new Uint8Array()) {
      const performed = async (): Promise<Ran> => {
        const answer = await answering(program, args, async () => Buffer.from(stdin));
        if (answer.kind === 'run') return finished(processes.start(answer.argv), stdin);
        // What hangs ends with the node.
        if (answer.kind === 'hang') return loss.promise;
        return { code: answer.code, stdout: answer.stdout ?? '', stderr: answer.stderr ?? '' };
      };
      return isUp ? Promise.race([performed(), loss.promise]) : lost;
    },
    drop() {
      server.drop();
      links.drop();
    },
    mute: server.mute,
    async powerOff() {
      isUp = false;
      loss.resolve(lost);
      server.down();
      links.drop();
      await processes.killAll();
    },
    powerOn() {
      isUp = true;
      loss = Promise.withResolvers();
      server.up();
    },
    async close() {
      isUp = false;
      loss.resolve(lost);
      links.drop();
      await server.close();
      await processes.killAll();
      stopReceiving();
      rmSync(exchange, { recursive: true, force: true });
    },
  };
}

async function finished(child: NodeProcess, stdin: Uint8Array): Promise<Ran> {
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.end(stdin);
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? 143)));
  return { code, stdout: Buffer.concat(stdout).toString('utf8'), stderr: Buffer.concat(stderr).toString('utf8') };
}
