import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What the link behind a relay is like. */
export interface LinkSettings {
  /** Milliseconds that a byte takes one way; half of the round trip. Default 0. */
  readonly delayMs?: number;
  /** Bytes per second each way; default as many as there are. */
  readonly bytesPerSecond?: number;
  /** Bytes that are sent each way before the other side has confirmed them, as by a socket buffer; default 4 MiB. */
  readonly bufferBytes?: number;
}

/** A TCP relay on loopback in front of a server. */
export interface Relay {
  readonly port: number;
  /** Connections accepted so far. */
  connections(): number;
  /** Drops every connection. */
  cut(): void;
  /** Drops a connection when it has passed so many more bytes to the client, most likely within a packet. */
  cutAfter(bytes: number): void;
  /** Changes one bit when so many more bytes have passed to the client. */
  flipAfter(bytes: number): void;
  /** From now on nothing passes any more, and nobody is told. */
  pause(): void;
  /** What was held back since {@link Relay.pause} passes now, and everything after it. */
  resume(): void;
  close(): void;
}

/** One direction of the link, which all connections share. */
interface Way {
  busyUntil: number;
}

/** One direction of a connection. */
interface Lane {
  pause(): void;
  resume(): void;
}

/** Passes bytes to and fro, as a link with these settings does, until it is told to fail. */
export async function startRelay(target: number, settings: LinkSettings = {}): Promise<Relay> {
  const sockets = new Set<Socket>();
  const lanes = new Set<Lane>();
  const [there, back]: [Way, Way] = [{ busyUntil: 0 }, { busyUntil: 0 }];
  let connections = 0;
  let left = Number.POSITIVE_INFINITY;
  let whole = Number.POSITIVE_INFINITY;
  const server = createServer((near) => {
    connections += 1;
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    const pair = [openLane(near, far, there, settings, (chunk) => chunk), openLane(far, near, back, settings, cutting)];
    for (const lane of pair) lanes.add(lane);
    const end = () => {
      near.destroy();
      far.destroy();
      for (const lane of pair) lanes.delete(lane);
    };
    near.on('close', end);
    far.on('close', end);

    function cutting(chunk: Buffer): Buffer {
      const passed = chunk.subarray(0, left);
      if (whole < passed.length) passed[whole] = (passed[whole] ?? 0) ^ 1;
      whole = whole < passed.length ? Number.POSITIVE_INFINITY : whole - passed.length;
      left -= chunk.length;
      // After the last bytes have left.
      if (left <= 0) setTimeout(end, (settings.delayMs ?? 0) + 20);
      return passed;
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    cutAfter(bytes) {
      left = bytes;
    },
    flipAfter(bytes) {
      whole = bytes;
    },
    pause() {
      for (const lane of lanes) lane.pause();
    },
    resume() {
      for (const lane of lanes) lane.resume();
    },
    close: () => server.close(),
  };
}

/** `filter` sees each piece before it goes; what it returns goes. */
function openLane(from: Socket, to: Socket, way: Way, settings: LinkSettings, filter: (chunk: Buffer) => Buffer): Lane {
  const { delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY, bufferBytes = 4 << 20 } = settings;
  /** Pieces in their order; without a chunk, the end. */
  const queue: { readonly chunk: Buffer | null; readonly due: number; sent: boolean }[] = [];
  let isPaused = false;
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    // A drained socket may come before its time.
    clearTimeout(timer);
    timer = undefined;
    if (isPaused) return;
    const now = performance.now();
    for (const piece of queue) {
      if (piece.sent) continue;
      if (piece.due > now || to.writableNeedDrain) break;
      piece.sent = true;
      if (piece.chunk === null) to.end();
      else to.write(filter(piece.chunk));
    }
    // A byte is confirmed when it has arrived and the word of it has come back.
    for (let [first] = queue; first?.sent && first.due + delayMs <= now; [first] = queue) {
      queue.shift();
      underWay -= first.chunk?.length ?? 0;
    }
    if (underWay < bufferBytes && from.isPaused()) from.resume();
    const next = queue.find(({ sent }) => !sent)?.due ?? (queue[0]?.due ?? Number.NaN) + delayMs;
    if (!Number.isNaN(next) && !to.writableNeedDrain) timer = setTimeout(flush, Math.max(0, next - now));
    else if (queue.length > 0) timer = setTimeout(flush, 1);
  }

  from.on('data', (chunk: Buffer) => {
    const now = performance.now();
    way.busyUntil = Math.max(now, way.busyUntil) + (chunk.length / bytesPerSecond) * 1000;
    queue.push({ chunk, due: way.busyUntil + delayMs, sent: false });
    underWay += chunk.length;
    if (underWay >= bufferBytes) from.pause();
    if (timer === undefined || delayMs === 0) flush();
  });
  from.on('end', () => {
    queue.push({ chunk: null, due: Math.max(performance.now(), way.busyUntil) + delayMs, sent: false });
    flush();
  });
  to.on('drain', flush);
  return {
    pause() {
      isPaused = true;
      from.pause();
    },
    resume() {
      isPaused = false;
      from.resume();
      flush();
    },
  };
}
