import { SplitmirrorError } from '@splitmirror/host';

/** Why an archive is not whole, or not understood. */
export type ArchiveFault =
  /** Not one byte came. */
  | 'ARCHIVE_EMPTY'
  /** The stream stops inside a header, a body or a block. */
  | 'ARCHIVE_TRUNCATED'
  /** The stream stops between entries: the record that ends every archive is missing. */
  | 'ARCHIVE_END_MISSING'
  /** Something other than filler follows the end record. */
  | 'ARCHIVE_JUNK_AFTER_END'
  /** A header's own checksum, or its magic, is wrong. */
  | 'ARCHIVE_HEADER_DAMAGED'
  /** A length, a number or a name is impossible. */
  | 'ARCHIVE_FIELD_INVALID'
  /** Well formed as far as can be told, but nothing that this reader knows. */
  | 'ARCHIVE_UNSUPPORTED'
  /** The content of a file does not have the sum that the archive states for it. */
  | 'ARCHIVE_DATA_DAMAGED'
  /** More or fewer bytes than the volume has. */
  | 'ARCHIVE_SIZE_DIFFERS';

const remedies: Record<ArchiveFault, string> = {
  ARCHIVE_EMPTY: 'Look at the standard error and the status of the command: it wrote nothing.',
  ARCHIVE_TRUNCATED: 'Archive again: the end of the stream is lost.',
  ARCHIVE_END_MISSING: 'Archive again: whether entries are missing at the end cannot be told.',
  ARCHIVE_JUNK_AFTER_END: 'Archive one source into one stream; two joined archives have to be taken apart first.',
  ARCHIVE_HEADER_DAMAGED: 'Do not trust this archive from the offset on; archive again.',
  ARCHIVE_FIELD_INVALID: 'Do not trust this archive from the offset on; archive again.',
  ARCHIVE_UNSUPPORTED: 'Keep the archive and report the bytes at the offset: nothing is guessed here.',
  ARCHIVE_DATA_DAMAGED: 'Archive again: the content changed while it was read, or on its way.',
  ARCHIVE_SIZE_DIFFERS: 'Compare the size of the volume (lslv) with the bytes read, and archive again.',
};

/** An archive that is not whole or not understood. What was reported before it is no more than a part. */
export class ArchiveError extends SplitmirrorError {
  readonly code: ArchiveFault;
  /** Offset in the stream, in bytes, of what is wrong. */
  readonly offset: number;
  /** What was found there, short and printable. */
  readonly seen: string;

  constructor(code: ArchiveFault, message: string, at: { readonly offset: number; readonly seen: string }) {
    super(`${message} (offset ${at.offset}, seen: ${at.seen})`, { remedy: remedies[code] });
    this.code = code;
    this.offset = at.offset;
    this.seen = at.seen;
  }
}

/** Up to 16 bytes as hexadecimal digits, for `seen`. */
export function hexOf(bytes: Uint8Array): string {
  return bytes.length === 0 ? 'nothing' : Buffer.from(bytes.subarray(0, 16)).toString('hex');
}
