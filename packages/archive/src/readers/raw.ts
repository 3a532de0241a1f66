import type { ArchiveReader } from '../entry.ts';
import { ArchiveError } from '../errors.ts';
import { latched } from './latch.ts';

/** "Reads" the bytes of a device: nothing in them can be checked but their number. */
export function createRawReader(expectedBytes: number): ArchiveReader {
  let bytes = 0;
  const differs = (message: string) =>
    new ArchiveError('ARCHIVE_SIZE_DIFFERS', message, { offset: bytes, seen: `${bytes} of ${expectedBytes} bytes` });
  return latched({
    push(chunk) {
      bytes += chunk.length;
      if (bytes > expectedBytes) throw differs('more bytes than the volume has');
    },
    end() {
      if (bytes === 0)
        throw new ArchiveError('ARCHIVE_EMPTY', 'not one byte of the volume', { offset: 0, seen: 'nothing' });
      if (bytes !== expectedBytes) throw differs('not the number of bytes that the volume has');
    },
  });
}
