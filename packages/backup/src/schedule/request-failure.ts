/**
 * Why a request came to no answer: in words, and the code that a person can search for. No part of the address is in it, since
 * that is a secret, and messages of the network are full of it.
 */
export function requestFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'TimeoutError') return 'no answer within the deadline';
  // What fetch rejects with says "fetch failed", and keeps what failed as its cause.
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  if (code !== undefined) {
    const words = meanings.find(([pattern]) => pattern.test(code))?.[1];
    return words === undefined ? code : `${words} (${code})`;
  }
  return /^[a-z ]+$/i.test(cause.message) ? cause.message : cause.name;
}

const meanings: readonly (readonly [code: RegExp, words: string])[] = [
  [/^ECONNREFUSED$/, 'nothing listens there'],
  [/^ENOTFOUND$/, 'its name is not known'],
  [/^EAI_AGAIN$/, 'names cannot be looked up now'],
  [/^(?:EHOSTUNREACH|ENETUNREACH)$/, 'no way leads there'],
  [/^(?:ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/, 'no connection in time'],
  [/^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'the connection was cut'],
  [/^CERT_HAS_EXPIRED$/, 'its certificate has expired'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'its certificate is for another name'],
  [/CERT|^UNABLE_TO_VERIFY/, 'its certificate is not trusted'],
  [/^(?:ERR_SSL_|EPROTO$)/, 'it does not speak TLS as we do'],
];
