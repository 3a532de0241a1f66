import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Transport } from '@splitmirror/host';
import type { Ran } from './cluster/resources.ts';
import type { Commands } from './command.ts';
import { type Answering, makeRequestFifos, receiveCalls } from './dispatcher.ts';
import type { Faults } from './faults.ts';
import type { KeyPair } from './keys.ts';
import { mapPath, realProgram } from './posix/paths.ts';
import { unasked } from './posix/programs.ts';
import { type NodeProcess, nodeProcesses } from './processes.ts';
import { serveNode } from './server.ts';
import { scriptLine, writeProfile, writeShims } from './shims.ts';
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
  /** Ends its processes when there is no time for more. */
  abandon(): void;
}

interface NodeSettings {
  readonly name: string;
  /** The lab's. */
  readonly directory: string;
  readonly commands: Commands;
  readonly faults: Faults;
  readonly hostKey: KeyPair;
  readonly userKey: KeyPair;
  readonly shell: string;
  readonly maxSessions: number;
}

/** Places of a node on this machine. */
export interface Places {
  /** Its `/`. */
  readonly root: string;
  /** Its PATH. */
  readonly path: string;
  /** Where its commands meet the lab. */
  readonly exchange: string;
  /** File that its shells read before a command line. */
  readonly profile: string;
}

export function placesOf(labDirectory: string, node: string): Places {
  const home = join(labDirectory, 'nodes', node);
  const exchange = join(home, 'exchange');
  return { root: join(home, 'root'), path: join(home, 'bin'), exchange, profile: join(exchange, 'profile') };
}

/**
 * Lays out the nodes: directories, commands that all of them share, and the FIFOs in which these are heard.
 *
 * @param names Names of the commands.
 */
export function layOut(labDirectory: string, nodes: readonly string[], names: readonly string[]): void {
  const shared = join(labDirectory, 'bin');
  writeShims(
    shared,
    names.filter((name) => !unasked.has(name)),
    '/bin/sh',
  );
  for (const name of names.filter((name) => unasked.has(name))) {
    symlinkSync(realProgram(name) ?? name, join(shared, name));
  }
  const places = nodes.map((node) => placesOf(labDirectory, node));
  for (const { root, path, exchange, profile } of places) {
    for (const part of ['tmp', 'etc', 'dev', 'var/hacmp/log']) mkdirSync(join(root, part), { recursive: true });
    mkdirSync(exchange);
    symlinkSync(shared, path);
    writeProfile(profile, root);
  }
  makeRequestFifos(places.map(({ exchange }) => exchange));
}

/** What is left of a command when its node has lost its power. */
const lost: Ran = { code: 255, stdout: '', stderr: 'the node is down\n' };

/** Starts a machine that was laid out. */
export async function startNode({
  name,
  directory,
  commands,
  faults,
  hostKey,
  userKey,
  shell,
  maxSessions,
}: NodeSettings): Promise<NodeMachine> {
  const { root, path, exchange, profile } = placesOf(directory, name);
  const answering: Answering = async (program, args, stdin, directory = root) => {
    const handler = Object.hasOwn(commands, program) ? commands[program] : undefined;
    const script = program.startsWith('/') ? mapPath(root, program) : undefined;
    // What an operator has put on the node: a script of its own, read by the node's shell.
    if (script !== undefined && existsSync(script)) {
      return { kind: 'run', argv: scriptLine(shell, profile, script, args) };
    }
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
    maxSessions,
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
    abandon: () => void processes.killFound(),
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
