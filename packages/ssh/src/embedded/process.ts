import type { ProcessExit, RemoteProcess } from '@splitmirror/host';
import type { ClientChannel } from 'ssh2';
import { makeDisposable } from './packet-memory.ts';

/** The connection under a channel. */
export interface Ground {
  /** Why it has ended, or `null` while it stands. */
  readonly lost: () => string | null;
  /** What is done when it ends. */
  readonly atEnd: Set<() => void>;
}

/** A channel with a running command, seen as a process. */
export function remoteProcess(channel: ClientChannel, { lost, atEnd }: Ground): RemoteProcess {
  // ssh2 ends stdout and stderr when the link dies, as if the command had: only an exit status proves that it did.
  const exit = new Promise<ProcessExit>((resolve) => {
    channel.on('exit', (code: number | null, signal?: string) => {
      resolve(code === null ? { kind: 'signalled', signal: signal ?? 'unknown' } : { kind: 'exited', code });
    });
    const giveUp = () => {
      atEnd.delete(giveUp);
      resolve({ kind: 'lost', reason: lost() ?? 'the node closed the channel without an exit status' });
    };
    channel.on('close', giveUp);
    // ssh2 closes a channel that nobody reads never, not even when its connection has ended.
    atEnd.add(giveUp);
  });
  const push = channel.push.bind(channel);
  channel.push = (data: Buffer | null) => {
    if (data !== null) makeDisposable(data);
    return push(data);
  };
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    exit,
    destroy() {
      channel.destroy();
      // Nobody reads what is still under way, and ssh2 closes a channel only when it is read to its end.
      channel.resume();
      channel.stderr.resume();
    },
  };
}
