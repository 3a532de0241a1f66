import { once } from 'node:events';
import { TransportError } from './errors.ts';
import { createHost, type Host, type HostOptions } from './host.ts';
import type { ProcessExit, RemoteProcess, Transport } from './transport.ts';

/** The node on which this very process runs: Node.js runs on AIX too. */
export function localHost(name: string, options: HostOptions = {}): Host {
  return createHost(name, localTransport(name), options);
}

/**
 * Starts each command line with `/bin/sh -c`, in a session of its own as sshd does. Closed, it hangs up on what is under way,
 * as a link that ends.
 */
export function localTransport(name: string): Transport {
  const hangUps = new Set<() => void>();
  return {
    async open(commandLine): Promise<RemoteProcess> {
      // Not at the top: every part imports this package, and most of them run nothing here.
      const { spawn } = process.getBuiltinModule('node:child_process');
      const child = spawn('/bin/sh', ['-c', commandLine], { detached: true, stdio: 'pipe' });
      const exit = Promise.withResolvers<ProcessExit>();
      child.on('exit', (code, signal) => {
        exit.resolve(code === null ? { kind: 'signalled', signal: String(signal) } : { kind: 'exited', code });
      });
      try {
        await once(child, 'spawn');
      } catch (cause) {
        throw new TransportError('HOST_START', name, 'the shell could not be started', {
          remedy: 'Check that /bin/sh exists and that a process can be started.',
          cause,
        });
      }
      const destroy = () => {
        child.stdin.destroy();
        child.stdout.destroy();
        child.stderr.destroy();
      };
      const hangUp = () => {
        child.kill('SIGHUP');
        destroy();
        child.unref();
        exit.resolve({ kind: 'lost', reason: 'the host was closed' });
      };
      hangUps.add(hangUp);
      void exit.promise.then(() => hangUps.delete(hangUp));
      // A command that ends without reading its input is not an error of this side.
      child.stdin.on('error', () => {});
      return {
        stdin: child.stdin,
        stdout: child.stdout,
        stderr: child.stderr,
        exit: exit.promise,
        destroy,
      };
    },
    async close() {
      for (const hangUp of hangUps) hangUp();
    },
  };
}
