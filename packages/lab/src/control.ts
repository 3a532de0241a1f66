import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Fault } from './faults.ts';
import type { Lab } from './lab.ts';

/** What a lab tells about itself. */
export interface LabStatus {
  readonly directory: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly up: boolean;
    /** State word of its cluster manager. */
    readonly manager: string;
    readonly services: 'up' | 'down' | 'unmanaged';
  }[];
  /** State of each group on each node, as the first node that is up knows it. */
  readonly groups: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Node on which the ledger runs, and its bookings so far. */
  readonly ledger: { readonly node: string | null; readonly bookings: number };
}

/** A lab that runs in another process. Every call ends when its effect is complete. */
export interface LabControl {
  status(): Promise<LabStatus>;
  move(group: string, node: string): Promise<void>;
  crash(node: string): Promise<void>;
  recover(node: string): Promise<void>;
  partition(): Promise<void>;
  heal(): Promise<void>;
  /** Cuts the connections of a node; it accepts new ones at once. */
  drop(node: string): Promise<void>;
  /** The network swallows what the node's ssh connections carry. */
  mute(node: string, state: 'on' | 'off'): Promise<void>;
  fault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  /** Stops the lab. */
  close(): Promise<void>;
  /** Lets go of the lab, which goes on. */
  disconnect(): void;
}

type Call = Exclude<keyof LabControl, 'disconnect'>;

interface Request {
  readonly id: number;
  readonly call: Call;
  readonly arguments: readonly unknown[];
}

function socketPath(directory: string): string {
  return join(directory, 'control.sock');
}

/** Serves the calls of {@link LabControl} over a Unix socket in the lab's directory, one JSON object a line. */
export async function serveControl(lab: Lab): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    createInterface({ input: socket }).on('line', (line) => void answer(lab, line, socket));
  });
  server.listen(socketPath(lab.directory));
  await once(server, 'listening');
  return async () => {
    for (const socket of sockets) socket.end();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, 100).unref();
    });
  };
}

async function answer(lab: Lab, line: string, socket: Socket): Promise<void> {
  let id: number | null = null;
  try {
    const request = JSON.parse(line) as Request;
    id = request.id;
    const calls: Readonly<Record<Call, (...words: never[]) => unknown>> = {
      status: () => lab.status(),
      move: (group: string, node: string) => lab.move(group, node),
      crash: (node: string) => lab.crash(node),
      recover: (node: string) => lab.recover(node),
      partition: () => lab.partition(),
      heal: () => lab.heal(),
      drop: (node: string) => lab.drop(node),
      mute: (node: string, state: 'on' | 'off') => lab.mute(node, state),
      fault: (fault: Fault) => void lab.fault(fault),
      clearFaults: () => lab.clearFaults(),
      close: () => undefined,
    };
    const call = Object.hasOwn(calls, request.call) ? calls[request.call] : undefined;
    if (call === undefined) throw new RangeError(`no call ${request.call}`);
    const result = await call(...(request.arguments as never[]));
    socket.write(`${JSON.stringify({ id, result: result ?? null })}\n`);
    if (request.call === 'close') await lab.close();
  } catch (error) {
    socket.write(`${JSON.stringify({ id, error: error instanceof Error ? error.message : String(error) })}\n`);
  }
}

/**
 * Takes hold of a lab that another process has started.
 *
 * @param directory The lab's directory.
 * @throws when no lab runs there.
 */
export async function connectLab(directory: string): Promise<LabControl> {
  const socket = connect(socketPath(directory));
  await once(socket, 'connect');
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let lastId = 0;
  createInterface({ input: socket }).on('line', (line) => {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    const waiting = pending.get(id);
    pending.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error));
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    for (const { reject } of pending.values()) reject(new Error('the lab is gone'));
    pending.clear();
  });
  const ask = (call: Call, ...words: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      pending.set(id, { resolve, reject });
      socket.write(`${JSON.stringify({ id, call, arguments: words })}\n`);
    });
  const tell = async (call: Call, ...words: unknown[]): Promise<void> => {
    await ask(call, ...words);
  };
  return {
    status: async () => (await ask('status')) as LabStatus,
    move: (group, node) => tell('move', group, node),
    crash: (node) => tell('crash', node),
    recover: (node) => tell('recover', node),
    partition: () => tell('partition'),
    heal: () => tell('heal'),
    drop: (node) => tell('drop', node),
    mute: (node, state) => tell('mute', node, state),
    fault: (fault) => tell('fault', fault),
    clearFaults: () => tell('clearFaults'),
    async close() {
      await tell('close');
      await new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));
    },
    disconnect: () => void socket.end(),
  };
}
