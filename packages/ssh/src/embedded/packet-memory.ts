import type { Chunk } from '@splitmirror/host';

/** Says of the memory of a packet that nothing else lies in it. */
const holdsOnePacket = Symbol('holds one packet');

interface Memory {
  [holdsOnePacket]?: true;
}

/** Less than this costs more to give back than to leave to the garbage collector. */
const leastBytes = 4096;

/** To be called by whoever has opened a packet into memory of its own. */
export function markMemory(packet: Buffer): void {
  (packet.buffer as Memory)[holdsOnePacket] = true;
}

/** Lets the reader of a channel's data give its memory back, where the data was a packet's. */
export function makeDisposable(data: Chunk): void {
  if (data.length < leastBytes || !(data.buffer as Memory)[holdsOnePacket]) return;
  Object.defineProperty(data, Symbol.dispose, { value: giveBack });
}

function giveBack(this: Buffer): void {
  const memory = this.buffer as ArrayBuffer;
  if (!memory.detached) memory.transfer(0);
}
