import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deadMansPing } from './notices.ts';

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
    expect(result).toEqual({ kind: 'failed', attempts: 2, detail: 'ECONNREFUSED' });
    for (const bad of ['file:///etc/passwd', 'secret-uuid']) expect(() => deadMansPing(bad)).toThrow(/^not an http/);
  });
});
