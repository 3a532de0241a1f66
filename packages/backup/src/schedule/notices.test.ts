import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deadMansPing, webhook } from './notices.ts';

let server: Server;
let heard: string[];
let answers: (number | 'silence')[];
let url: string;
let authorization: string | undefined;
beforeEach(async () => {
  heard = [];
  answers = [];
  server = createServer(async (request, response) => {
    authorization = request.headers.authorization;
    let body = '';
    for await (const chunk of request) body += chunk;
    heard.push(`${request.method} ${request.url} ${body}`.trim());
    const answer = answers.shift() ?? 200;
    if (answer !== 'silence') response.writeHead(answer).end('OK');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/secret-uuid`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('deadMansPing', () => {
  it('tells start, success and failure', async () => {
    const ping = deadMansPing(url);
    expect(await ping.start()).toEqual({ kind: 'sent', attempts: 1, detail: 'status 200' });
    await ping.success('run abc123 done');
    await ping.fail('ARCHIVE_STALLED');
    expect(heard).toEqual([
      'POST /ping/secret-uuid/start',
      'POST /ping/secret-uuid run abc123 done',
      'POST /ping/secret-uuid/fail ARCHIVE_STALLED',
    ]);
  });

  it('tries again after an error or silence, and not after a refusal', async () => {
    answers = [500, 'silence', 200];
    expect(await deadMansPing(url, { timeoutMs: 100, pauseMs: 1 }).success('')).toMatchObject({
      kind: 'sent',
      attempts: 3,
    });
    answers = [404];
    expect(await deadMansPing(url).success('')).toEqual({ kind: 'failed', attempts: 1, detail: 'status 404' });
  });

  it('logs in where the address says so', async () => {
    const ping = deadMansPing(url.replace('//', '//ops:p%40ss@'), { attempts: 1 });
    expect(await ping.start()).toMatchObject({ kind: 'sent' });
    expect(authorization).toBe(`Basic ${Buffer.from('ops:p@ss').toString('base64')}`);
  });

  it('never throws and never tells the address', async () => {
    server.close();
    server.closeAllConnections();
    const result = await deadMansPing(url, { pauseMs: 1, attempts: 2 }).fail('x');
    expect(result).toEqual({ kind: 'failed', attempts: 2, detail: 'nothing listens there (ECONNREFUSED)' });
    for (const bad of ['file:///etc/passwd', 'secret-uuid']) expect(() => deadMansPing(bad)).toThrow(/^not an http/);
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** Key and certificate that nobody trusts. */
async function selfSigned(): Promise<{ key: Buffer; cert: Buffer }> {
  const directory = await mkdtemp(join(tmpdir(), 'splitmirror-certificate-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
  spawnSync('openssl', ['req', '-x509', ...curve, '-out', cert, '-subj', '/CN=127.0.0.1']);
  return { key: await readFile(key), cert: await readFile(cert) };
}

describe('webhook', () => {
  const why = async (address: string) =>
    (await webhook(`${address}/secret-uuid`, { attempts: 1, timeoutMs: 300 })('{}')).detail;

  it('posts JSON, with the login of the address', async () => {
    expect(await webhook(url.replace('//', '//ops:p%40ss@'))('{"outcome":"good"}')).toMatchObject({ kind: 'sent' });
    expect(heard).toEqual(['POST /ping/secret-uuid {"outcome":"good"}']);
    expect(authorization).toBe(`Basic ${Buffer.from('ops:p@ss').toString('base64')}`);
    expect(() => webhook('hooks.example.com/secret-uuid')).toThrow(/^not an http or https address$/);
  });

  it('says why it could not be told, and nothing of the address', async () => {
    answers = [503, 302, 'silence'];
    expect([await why(url), await why(url), await why(url)]).toEqual([
      'status 503',
      'unexpected redirect',
      'no answer within the deadline',
    ]);
    expect(await why('http://no-such-name.invalid')).toMatch(
      /^(?:its name is not known \(ENOTFOUND\)|names cannot be looked up now \(EAI_AGAIN\))$/,
    );
    expect(await why(url.replace('http:', 'https:'))).toMatch(/^it does not speak TLS as we do \([A-Z_]+\)$/);
    expect(await why('http://127.0.0.1:1')).toBe('bad port');
  });

  it.skipIf(!hasOpenssl)('says that the certificate is not trusted (needs openssl)', async () => {
    const secure = createSecureServer(await selfSigned());
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const { port } = secure.address() as AddressInfo;
    expect(await why(`https://127.0.0.1:${port}`)).toBe('its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)');
    secure.close();
  });
});
