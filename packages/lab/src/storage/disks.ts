import { closeSync, mkdirSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A disk: a sparse file of this machine. */
export interface Disk {
  /** Name of the device, the same on every node that sees it. */
  readonly name: string;
  /** Physical volume identifier, 16 hexadecimal digits. */
  readonly pvid: string;
  /** Nodes that are wired to it. */
  readonly nodes: readonly string[];
  readonly file: string;
  readonly bytes: number;
  /** Takes space back: partitions that are freed read as zeroes from AIX 7.2 on. */
  readonly thin: boolean;
  /** Does not answer any more: what is written misses it. */
  failed: boolean;
}

/** Makes the file behind a disk. */
export function makeDisk(disk: Omit<Disk, 'failed'>): Disk {
  mkdirSync(dirname(disk.file), { recursive: true });
  writeFileSync(disk.file, '');
  truncateSync(disk.file, disk.bytes);
  return { ...disk, failed: false };
}

/** Reads bytes of a disk; what was never written reads as zeroes. */
export function readDisk(disk: Disk, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const file = openSync(disk.file, 'r');
  try {
    let done = 0;
    while (done < length) {
      const count = readSync(file, bytes, done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}

/** Writes bytes of a disk. */
export function writeDisk(disk: Disk, offset: number, bytes: Uint8Array): void {
  const file = openSync(disk.file, 'r+');
  try {
    let done = 0;
    while (done < bytes.length) done += writeSync(file, bytes, done, bytes.length - done, offset + done);
  } finally {
    closeSync(file);
  }
}
