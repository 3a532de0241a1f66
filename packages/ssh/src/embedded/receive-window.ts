import type { Readable } from 'node:stream';
import type { ClientChannel } from 'ssh2';

/**
 * Bytes that a node may send before it has to wait for us: 1 Gbit/s times 50 ms. ssh2's own 2 MiB halve the speed of such
 * a link, and much more than it can hold only queues in it.
 */
export const defaultWindowBytes = 6 << 20;

/** More than any packet of ssh2 holds. */
const packetBytes = 64 << 10;

/** What is used of a channel of ssh2 1.17, which has no option for its window. */
interface ChannelInternals extends ClientChannel {
  readonly incoming: { window: number };
  readonly outgoing: { readonly id: number; readonly state: string };
  readonly _client: { readonly _protocol: { channelWindowAdjust(id: number, bytes: number): void } };
}

/**
 * Takes the receive window of a channel over: `bytes` are granted, and granted again as they arrive and are read.
 *
 * @returns `false` when this is not the ssh2 that we know; the window is then ssh2's own.
 */
export function takeWindow(channel: ClientChannel, bytes: number): boolean {
  if (!isKnown(channel)) return false;
  const { incoming, outgoing } = channel;
  const protocol = channel._client._protocol;
  /** What ssh2 sees: always the same, so that it neither grants anything itself nor drops what it did not. */
  const shown = incoming.window;
  let granted = shown;
  Object.defineProperty(incoming, 'window', {
    get: () => shown,
    set(value: number) {
      granted -= shown - value;
      // ssh2 passes over what it did not grant. There is no way on without it, and keeping it would take any memory.
      if (granted < 0) throw new Error('the node sent more than it was granted');
    },
  });
  const grant = () => {
    const more = bytes - granted;
    // Often enough that the node never waits, and seldom enough that it costs nothing.
    if (more < bytes / 8 || isFull(channel) || isFull(channel.stderr) || outgoing.state === 'closed') return;
    granted += more;
    protocol.channelWindowAdjust(outgoing.id, more);
  };
  // Streams ask for more after all that has arrived at once, and when the reader has made room.
  channel._read = grant;
  channel.stderr._read = grant;
  grant();
  return true;
}

/** A stream asks for more before it hands out the chunk that makes it less than full: one packet is allowed for. */
function isFull(stream: Readable): boolean {
  return stream.readableLength >= stream.readableHighWaterMark + packetBytes;
}

function isKnown(channel: ClientChannel): channel is ChannelInternals {
  const { incoming, outgoing, _client } = channel as Partial<ChannelInternals>;
  return (
    typeof incoming?.window === 'number' &&
    incoming.window > 0 &&
    Object.getOwnPropertyDescriptor(incoming, 'window')?.configurable === true &&
    typeof outgoing?.id === 'number' &&
    typeof outgoing.state === 'string' &&
    typeof _client?._protocol?.channelWindowAdjust === 'function'
  );
}
