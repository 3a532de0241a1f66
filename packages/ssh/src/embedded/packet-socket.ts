import { Socket } from 'node:net';

/** Most bytes taken from the kernel at once. */
const readBytes = 256 << 10;
let shared: Buffer | undefined;

/**
 * A TCP socket for ssh2, which leaves Nagle's algorithm on: 40 ms for each of the small packets of a login. What is
 * written in one turn leaves as one piece, since ssh2 writes each packet in three. What arrives is read into one buffer for
 * all connections: a `data` event shows a view of it, valid until the listener returns.
 *
 * @param isTransient Whether the listener keeps nothing of what it is shown; otherwise it gets a copy.
 */
export function packetSocket(isTransient: () => boolean): Socket {
  // Windows fills the buffers of all sockets at the same time, everyone else one after another.
  const buffer = process.platform === 'win32' ? Buffer.allocUnsafeSlow(readBytes) : sharedBuffer();
  const socket = new Socket({
    onread: {
      buffer,
      callback(bytes) {
        const view = buffer.subarray(0, bytes);
        socket.emit('data', isTransient() ? view : Buffer.from(view));
        return true;
      },
    },
  });
  socket.setNoDelay(true);
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]) => {
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    return write(...args);
  };
  return socket;
}

function sharedBuffer(): Buffer {
  shared ??= Buffer.allocUnsafeSlow(readBytes);
  return shared;
}
