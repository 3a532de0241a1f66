import type { ArchiveFormat } from '../catalogue/catalogue.ts';
import { cpioForm } from './cpio.ts';
import { checksumHolds } from './tar-header.ts';

/**
 * Tells the format of an archive from how it starts.
 *
 * @param start Its first bytes: 512 are enough.
 * @returns `raw` where nothing is known of it: any volume may start like that.
 */
export function detectFormat(start: Uint8Array): ArchiveFormat {
  const bytes = Buffer.concat([start.subarray(0, 512)], 512);
  if (start.length >= 72 && bytes[1] === 0 && bytes[0] === 9 && bytes.readUInt16LE(2) === 60_011) return 'backup';
  if (start.length >= 512 && checksumHolds(bytes, 0)) return 'tar';
  if (start.length >= 26 && cpioForm(bytes, 0) !== undefined) return 'cpio';
  if (start.length >= 32 && bytes.readInt32BE(0) === 1 && bytes.readInt32BE(24) === 60_012) return 'backup-inode';
  return 'raw';
}
