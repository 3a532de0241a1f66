import { SplitmirrorError } from '@splitmirror/host';
import { Decrypter, Encrypter } from 'age-encryption';
import { createTally, requireDigest, type StoredDigest, StoredError } from './stored.ts';

/** None of the identities opens a stored archive. */
export class IdentityError extends SplitmirrorError {
  readonly code = 'STORED_IDENTITY';

  constructor() {
    super('none of the identities belongs to a recipient of this archive', {
      remedy: 'Give the identity (AGE-SECRET-KEY-...) of one of the recipients that it was encrypted to.',
    });
  }
}

/** What is added to a file's name. */
export const encryptionExtension = '.age';

/**
 * Encrypts in the age format as bytes flow, with backpressure. Chunks may be read a little ahead: their memory must not
 * be used again.
 *
 * @param recipients Public keys, `age1...`: the controller that archives needs nothing secret.
 * @param onEnd Called at the end with the digest of what was handed out.
 * @throws RangeError without recipients, and for one that is none. What it was is not told: it might be a secret.
 */
export async function* encrypt(
  plain: AsyncIterable<Uint8Array>,
  recipients: readonly string[],
  onEnd?: (stored: StoredDigest) => void,
): AsyncGenerator<Buffer> {
  const encrypter = new Encrypter();
  each(recipients, 'recipient (age1...)', (recipient) => encrypter.addRecipient(recipient));
  const tally = createTally();
  const source = plain[Symbol.asyncIterator]();
  try {
    for await (const chunk of await encrypter.encrypt(streamOf(source))) {
      tally.add(chunk);
      yield asBuffer(chunk);
    }
  } finally {
    await source.return?.();
  }
  onEnd?.(tally.digest());
}

/**
 * Gives back what was encrypted. Every piece that is handed out is authentic; that it was all is known at the end only.
 *
 * @param identities Secret keys, `AGE-SECRET-KEY-...`, read from a file by the caller: never an argument of a command.
 * @param expected What {@link encrypt} told of it: compared after the last byte was handed out.
 * @throws IdentityError; StoredError when the stored bytes are damaged, cut short, or followed by others; RangeError for
 * an identity that is none.
 */
export async function* decrypt(
  stored: AsyncIterable<Uint8Array>,
  identities: readonly string[],
  expected?: StoredDigest,
): AsyncGenerator<Buffer> {
  const decrypter = new Decrypter();
  each(identities, 'identity (AGE-SECRET-KEY-...)', (identity) => decrypter.addIdentity(identity));
  const tally = createTally();
  let fault: unknown;
  async function* counted() {
    try {
      for await (const chunk of withHeader(stored)) {
        tally.add(chunk);
        yield chunk;
      }
    } catch (error) {
      fault = error;
      throw error;
    }
  }
  const source = counted();
  try {
    for await (const chunk of await decrypter.decrypt(streamOf(source))) yield asBuffer(chunk);
  } catch (error) {
    if (fault !== undefined) throw fault;
    const message = error instanceof Error ? error.message : String(error);
    if (message.startsWith('no identity matched')) throw new IdentityError();
    throw new StoredError(`not a whole age stream: ${message}`, error);
  } finally {
    await source.return(undefined);
  }
  requireDigest(tally.digest(), expected);
}

/** Most bytes of a header: some hundred recipients. The library itself would keep one of any length. */
const mostHeaderBytes = 1 << 16;

/** The chunks, once it is seen that a header ends within the first of them. */
async function* withHeader(stored: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let start = Buffer.alloc(0);
  let isSeen = false;
  for await (const chunk of stored) {
    if (isSeen) yield chunk;
    else {
      start = Buffer.concat([start, chunk]);
      isSeen = start.subarray(0, mostHeaderBytes).includes('\n--- ');
      if (isSeen) yield start;
      else if (start.length >= mostHeaderBytes) break;
    }
  }
  if (!isSeen) throw new StoredError('no age header');
}

function each(keys: readonly string[], kind: string, add: (key: string) => void): void {
  if (keys.length === 0) throw new RangeError(`not a single ${kind}`);
  for (const [index, key] of keys.entries()) {
    try {
      add(key);
    } catch {
      // The library's own message, and a cause, might quote a secret.
      throw new RangeError(`number ${index + 1} is no ${kind}`);
    }
  }
}

/** Its own end reaches the source late, when the pipes of the library have heard of it: the caller returns it as well. */
function streamOf(source: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
  return ReadableStream.from({ [Symbol.asyncIterator]: () => source });
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
