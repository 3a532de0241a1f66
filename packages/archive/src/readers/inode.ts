import type { ArchiveReader } from '../entry.ts';
import { ArchiveError, hexOf } from '../errors.ts';
import { createFrames } from './frames.ts';
import { latched } from './latch.ts';

const recordBytes = 1024;
const magic = 60_012;
/** What the 32-bit words of a record have to sum up to. */
const wordSum = 84_446;

/**
 * Checks the first record of AIX `backup` by inode. What follows it has layouts that are not documented: it passes
 * unread, and that it is whole cannot be told.
 */
export function createInodeReader(): ArchiveReader {
  const frames = createFrames();
  frames.gather(recordBytes, (bytes, at, offset) => {
    let sum = 0;
    for (let i = at; i < at + recordBytes; i += 4) sum = (sum + bytes.readInt32BE(i)) | 0;
    if (bytes.readInt32BE(at) !== 1 || bytes.readInt32BE(at + 24) !== magic || sum !== wordSum) {
      throw new ArchiveError('ARCHIVE_HEADER_DAMAGED', 'not the first record of a backup by inode', {
        offset,
        seen: hexOf(bytes.subarray(at, at + 16)),
      });
    }
    frames.pass(Number.MAX_SAFE_INTEGER, undefined, () => {});
    return recordBytes;
  });
  return latched({
    push: frames.push,
    end() {
      const bytes = frames.bytes();
      const at = { offset: bytes, seen: 'the end of the stream' };
      if (bytes === 0) throw new ArchiveError('ARCHIVE_EMPTY', 'not one byte of an archive', at);
      if (bytes % recordBytes !== 0)
        throw new ArchiveError('ARCHIVE_TRUNCATED', 'the archive stops within a record', at);
    },
  });
}
