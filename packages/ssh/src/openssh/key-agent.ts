import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ParsedKey } from 'ssh2';

/** Message types of the agent protocol (draft-ietf-sshm-ssh-agent). */
const [failure, listRequest, listAnswer, signRequest, signAnswer] = [5, 11, 12, 13, 14] as const;
/** Hash that an RSA key has to sign with, by the request's flag. */
const rsaHashes: readonly (readonly [flag: number, hash: 'sha256' | 'sha512', format: string])[] = [
  [2, 'sha256', 'rsa-sha2-256'],
  [4, 'sha512', 'rsa-sha2-512'],
];
/** Longest message that is taken; a request to sign is far shorter. */
const maxMessageBytes = 256 << 10;

/**
 * Answers the system's ssh client with keys that are only in memory, so that no opened key and no passphrase is ever in a
 * file. What it does not hold itself, it asks of the agent behind it.
 *
 * @param path Socket in a directory that only this user may enter.
 * @param upstream Socket of the agent behind it, or `false` for none.
 */
export async function serveKeys(path: string, keys: readonly ParsedKey[], upstream: string | false): Promise<Server> {
  const server = createServer((client) => {
    client.on('error', () => client.destroy());
    let last = Promise.resolve();
    messages(client, (message) => {
      last = last.then(async () => {
        const answer = await answerTo(message, keys, upstream).catch(() => Buffer.from([failure]));
        client.write(frame(answer));
      });
    });
  });
  // Later on it is a connection that could not be taken: ssh then has no agent, and says so.
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(path, resolve));
  return server.unref();
}

async function answerTo(message: Buffer, keys: readonly ParsedKey[], upstream: string | false): Promise<Buffer> {
  if (message[0] === listRequest) {
    const entries = keys.map((key) =>
      Buffer.concat([string(key.getPublicSSH()), string(Buffer.from(key.comment ?? ''))]),
    );
    const theirs = upstream === false ? undefined : await ask(upstream, message).catch(() => undefined);
    const [count, rest] =
      theirs?.[0] === listAnswer ? [theirs.readUInt32BE(1), theirs.subarray(5)] : [0, Buffer.alloc(0)];
    return Buffer.concat([Buffer.from([listAnswer]), number(entries.length + count), ...entries, rest]);
  }
  if (message[0] === signRequest) {
    const [wanted, data, flags] = signRequestOf(message);
    const key = keys.find((one) => one.getPublicSSH().equals(wanted));
    if (key !== undefined) return Buffer.concat([Buffer.from([signAnswer]), string(signature(key, data, flags))]);
  }
  return upstream === false ? Buffer.from([failure]) : ask(upstream, message);
}

function signRequestOf(message: Buffer): [key: Buffer, data: Buffer, flags: number] {
  const keyEnd = 5 + message.readUInt32BE(1);
  const dataEnd = keyEnd + 4 + message.readUInt32BE(keyEnd);
  return [message.subarray(5, keyEnd), message.subarray(keyEnd + 4, dataEnd), message.readUInt32BE(dataEnd)];
}

function signature(key: ParsedKey, data: Buffer, flags: number): Buffer {
  const [, hash, format] = (key.type === 'ssh-rsa' && rsaHashes.find(([flag]) => (flags & flag) !== 0)) || [];
  const signed = key.sign(data, hash);
  if (signed instanceof Error) throw signed;
  const body = key.type.startsWith('ecdsa-') ? fromDer(signed) : signed;
  return Buffer.concat([string(Buffer.from(format ?? key.type)), string(body)]);
}

/** The two numbers of an ECDSA signature: OpenSSL's DER sequence as SSH's two strings. */
function fromDer(der: Buffer): Buffer {
  // A sequence of more than 127 bytes (P-521) has one more byte of length.
  const start = (der[1] ?? 0) === 0x81 ? 3 : 2;
  const firstEnd = start + 2 + (der[start + 1] ?? 0);
  return Buffer.concat([string(der.subarray(start + 2, firstEnd)), string(der.subarray(firstEnd + 2))]);
}

/** One question to another agent. */
function ask(path: string, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(frame(message)));
    messages(socket, (answer) => {
      resolve(answer);
      socket.destroy();
    });
    socket.on('error', reject).on('close', () => reject(new Error('the agent does not answer')));
  });
}

function messages(socket: Socket, take: (message: Buffer) => void): void {
  let held: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 4) {
      const end = 4 + held.readUInt32BE(0);
      if (end > maxMessageBytes) {
        socket.destroy();
        return;
      }
      if (held.length < end) return;
      take(held.subarray(4, end));
      held = held.subarray(end);
    }
  });
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(bytes: Buffer): Buffer {
  return Buffer.concat([number(bytes.length), bytes]);
}

const frame = string;
