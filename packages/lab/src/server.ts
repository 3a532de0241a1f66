import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import ssh2, { type AuthContext, type Connection, type Session } from 'ssh2';
import { hangUp, type NodeProcess, type Processes } from './processes.ts';
import { commandLine } from './shims.ts';
import { attachTerminal } from './terminal.ts';

/** The ssh server of one node. */
export interface NodeServer {
  readonly port: number;
  /** Closes every connection at once, without a word, as a broken link does. New ones are accepted. */
  drop(): void;
  /** Nothing passes its connections any more, neither those that are there nor new ones; `false` takes it back. */
  mute(silent: boolean): void;
  /** Refuses connections from now on, as a node that is down; `up` takes it back. The port stays reserved. */
  down(): void;
  up(): void;
  close(): Promise<void>;
}

interface ServerSettings {
  readonly hostKey: string;
  /** The one public key that may log in as root, in OpenSSH format. */
  readonly userKey: string;
  readonly processes: Processes;
  /** Absolute path of the shell that runs command lines. */
  readonly shell: string;
  /** File that an interactive shell reads first. */
  readonly profile: string;
  /** Most sessions of one connection at a time. */
  readonly maxSessions: number;
}

/** Starts the ssh server of a node on a free port of 127.0.0.1. */
export async function serveNode(settings: ServerSettings): Promise<NodeServer> {
  const connections = new Set<Connection>();
  let isUp = true;
  let isMute = false;
  const server = new ssh2.Server({ hostKeys: [settings.hostKey], ident: 'OpenSSH_8.1' }, (connection) => {
    connections.add(connection);
    // ssh2 writes a packet in pieces: without this each answer waits for a delayed ACK of 40 ms.
    socketOf(connection)?.setNoDelay(true);
    // One listener for each session that is open.
    connection.setMaxListeners(0);
    connection.on('error', () => {});
    connection.on('close', () => connections.delete(connection));
    if (!isUp) {
      cut(connection);
      return;
    }
    silence(connection, isMute);
    connection.on('authentication', (context) => authenticate(context, settings.userKey));
    connection.on('ready', () => {
      let sessions = 0;
      connection.on('session', (accept, reject) => {
        if (sessions >= settings.maxSessions) {
          reject();
          return;
        }
        sessions++;
        const session = accept();
        session.on('close', () => {
          sessions--;
        });
        serveSession(connection, session, settings);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const drop = () => {
    for (const connection of connections) cut(connection);
  };
  return {
    port: (server.address() as { port: number }).port,
    drop,
    mute(silent) {
      isMute = silent;
      for (const connection of connections) silence(connection, silent);
    },
    down() {
      isUp = false;
      drop();
    },
    up() {
      isUp = true;
    },
    async close() {
      drop();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Ends the TCP connection without the goodbye of ssh. */
function cut(connection: Connection): void {
  const socket = socketOf(connection);
  if (socket === undefined) connection.end();
  else socket.destroy();
}

/** What arrives is not read, and what is written stays here: to the other side the network swallows everything. */
function silence(connection: Connection, silent: boolean): void {
  const socket = socketOf(connection);
  if (silent) {
    socket?.pause();
    socket?.cork();
  } else {
    socket?.uncork();
    socket?.resume();
  }
}

/** The TCP connection, which ssh2 keeps to itself. */
function socketOf(connection: Connection): Socket | undefined {
  return (connection as unknown as { _sock?: Socket })._sock;
}

function authenticate(context: AuthContext, userKey: string): void {
  const allowed = ssh2.utils.parseKey(userKey);
  if (context.username !== 'root' || context.method !== 'publickey' || allowed instanceof Error) {
    context.reject(['publickey']);
    return;
  }
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest();
  const known = timingSafeEqual(digest(context.key.data), digest(allowed.getPublicSSH()));
  const signed =
    context.signature === undefined ||
    (context.blob !== undefined && allowed.verify(context.blob, context.signature, context.hashAlgo) === true);
  if (known && signed) context.accept();
  else context.reject(['publickey']);
}

function serveSession(connection: Connection, session: Session, { processes, shell, profile }: ServerSettings): void {
  let terminal = false;
  session.on('pty', (accept) => {
    terminal = true;
    accept?.();
  });
  session.on('window-change', (accept) => accept?.());
  session.on('env', (accept) => accept?.());
  session.on('exec', (accept, _reject, { command }) => {
    serve(accept(), processes.start(commandLine(shell, profile, command)));
  });
  session.on('shell', (accept) => {
    const channel = accept();
    // Job control needs a real terminal; +m keeps the shell from complaining that there is none.
    const argv: [string, ...string[]] = terminal ? [shell, '+m', '-i'] : [shell];
    serve(channel, processes.start(argv, terminal ? { PS1: '# ', TERM: 'vt100', ENV: profile } : {}));
  });

  function serve(channel: ssh2.ServerChannel, child: NodeProcess): void {
    let errors = Promise.resolve();
    if (terminal) {
      attachTerminal(channel, child);
    } else {
      channel.pipe(child.stdin);
      child.stdout.pipe(channel, { end: false });
      errors = sendErrors(child.stderr, channel);
    }
    const onEnd = () => hangUp(child);
    channel.on('error', () => {});
    channel.on('close', onEnd);
    connection.on('close', onEnd);
    session.on('signal', (accept, _reject, { name }) => {
      accept?.();
      signal(child, `SIG${name}` as NodeJS.Signals);
    });
    child.on('error', () => {
      channel.exit(127);
      channel.end();
    });
    child.on('close', (code, name) => {
      channel.off('close', onEnd);
      connection.off('close', onEnd);
      void errors.finally(() => {
        if (code !== null) channel.exit(code);
        else channel.exit(String(name).replace(/^SIG/, ''), false, '');
        channel.end();
      });
    });
  }
}

/**
 * Sends what a process writes on stderr. ssh2 1.17 keeps one note of what waits for the window, and sends old stdout again
 * when it is stderr that waited: so stderr is handed over only when it fits into the window at once.
 */
async function sendErrors(stderr: Readable, channel: ssh2.ServerChannel): Promise<void> {
  const { outgoing } = channel as unknown as { readonly outgoing: { readonly window: number; readonly state: string } };
  try {
    for await (const chunk of stderr as AsyncIterable<Buffer>) {
      while (outgoing.window < chunk.length && outgoing.state === 'open') await delay(1);
      if (outgoing.state === 'open') channel.stderr.write(chunk);
    }
  } catch {
    // The process is gone; its exit tells the rest.
  }
}

/** Signals the group of a session's leader. */
function signal(child: NodeProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined || !(name in constants.signals)) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // Nobody left in the group.
  }
}
