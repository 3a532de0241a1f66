import { once } from 'node:events';
import { type ProcessExit, type RemoteProcess, type Transport, TransportError } from '@splitmirror/host';
import { hangUp, type NodeProcess, type Processes } from './processes.ts';
import { commandLine } from './shims.ts';

/** Transports to one node that need no ssh, and what becomes of them when the node does. */
export interface LocalLinks {
  transport(): Transport;
  /** Loses every process that was started through a transport, as a broken connection does. */
  drop(): void;
}

/** @param isUp Whether the node accepts anything. */
export function localLinks(
  name: string,
  processes: Processes,
  login: { readonly shell: string; readonly profile: string },
  isUp: () => boolean,
): LocalLinks {
  const losing = new Set<() => void>();
  return {
    transport: () => {
      const own = new Set<() => void>();
      return {
        async open(text) {
          if (!isUp()) {
            throw new TransportError('HOST_UNREACHABLE', name, 'the node is down', {
              remedy: 'Start it again with lab.recover().',
            });
          }
          const child = processes.start(commandLine(login.shell, login.profile, text));
          try {
            await once(child, 'spawn');
          } catch (cause) {
            throw new TransportError('HOST_START', name, `${login.shell} could not be started`, {
              remedy: 'Give the lab the path of a shell that exists.',
              cause,
            });
          }
          return remoteProcess(child, (lose) => {
            for (const links of [losing, own]) links.add(lose);
            child.once('close', () => {
              for (const links of [losing, own]) links.delete(lose);
            });
          });
        },
        async close() {
          for (const lose of own) lose();
        },
      };
    },
    drop() {
      for (const lose of losing) lose();
    },
  };
}

function remoteProcess(child: NodeProcess, onLoss: (lose: () => void) => void): RemoteProcess {
  const exit = new Promise<ProcessExit>((resolve) => {
    child.on('close', (code, signal) => {
      resolve(code === null ? { kind: 'signalled', signal: String(signal) } : { kind: 'exited', code });
    });
    onLoss(() => {
      resolve({ kind: 'lost', reason: 'the connection was cut' });
      hangUp(child);
    });
  });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exit,
    destroy: () => hangUp(child),
  };
}
