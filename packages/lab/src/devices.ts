import { readFileSync } from 'node:fs';
import type { Storage } from './storage/index.ts';

/** Identifier of a disk as `lspv` has it. */
export async function physicalVolumeId(storage: Storage, node: string, disk: string): Promise<string> {
  const answer = await storage.commands.lspv?.({ node, program: 'lspv', args: [], stdin: async () => Buffer.of() });
  const rows = answer?.kind === 'exit' ? (answer.stdout ?? '').split('\n') : [];
  return rows.map((row) => row.split(/\s+/)).find(([name]) => name === disk)?.[1] ?? '';
}

/** A copy of what a device holds now, as a file of this machine; undefined when there is no such device here. */
export function deviceFile(storage: Storage, node: string, path: string): string | undefined {
  if (!/^\/dev\/r?\w+$/.test(path)) return undefined;
  try {
    return storage.deviceFile(node, path);
  } catch {
    return undefined;
  }
}

/** Brings the content of such a file to the device; false when it cannot be written. */
export function storeDevice(storage: Storage, node: string, path: string, file: string): boolean {
  try {
    storage.writeRaw(node, path.replace(/^\/dev\/r?/, ''), 0, readFileSync(file));
    return true;
  } catch {
    return false;
  }
}
