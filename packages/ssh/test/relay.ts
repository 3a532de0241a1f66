import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP relay on loopback in front of a server. */
export interface Relay {
  readonly port: number;
  /** Drops every connection. */
  cut(): void;
  /** From now on nothing passes any more, and nobody is told. */
  pause(): void;
  close(): void;
}

/** Passes bytes to and fro until it is told to fail. */
export async function startRelay(target: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far);
    far.pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    pause() {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    close: () => server.close(),
  };
}
