import { setTimeout as delay } from 'node:timers/promises';
import { longestTimerMs, requireWhole } from '@splitmirror/host';
import { requestFailure } from './request-failure.ts';

/** Whether a notice was taken. It is news, and never decides anything. */
export interface NoticeResult {
  readonly kind: 'sent' | 'failed';
  readonly attempts: number;
  /** Status or error of the last attempt; never the address, which is a secret. */
  readonly detail: string;
}

/** A dead man's switch: a monitor that raises the alarm when it is not told in time. */
export interface DeadMansPing {
  start(): Promise<NoticeResult>;
  success(text: string): Promise<NoticeResult>;
  fail(text: string): Promise<NoticeResult>;
}

/** How a notice is sent. */
export interface NoticeOptions {
  /** Milliseconds for each attempt; default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Attempts before it is given up, 1 to 10; default 3. */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second attempt, doubled before each further one; default 1000. */
  readonly pauseMs?: number | undefined;
}

/**
 * Tells a monitor in the way of healthchecks.io: `URL/start`, `URL`, `URL/fail`, with a text as the body. Nothing here throws
 * or rejects once it is made: a monitor that is down must not fail a backup.
 *
 * @throws RangeError when this is no http or https address, or an option is out of its bounds.
 */
export function deadMansPing(url: string, options: NoticeOptions = {}): DeadMansPing {
  requireOptions(options);
  const { base, headers } = addressOf(url);
  const send = (signal: '' | '/start' | '/fail', text: string) => {
    const target = new URL(base);
    target.pathname = `${target.pathname.replace(/\/$/, '')}${signal}`;
    return post(target, { headers, body: text.slice(0, mostText) }, options);
  };
  return { start: () => send('/start', ''), success: (text) => send('', text), fail: (text) => send('/fail', text) };
}

/**
 * Tells a webhook: what is returned posts JSON to it, and neither throws nor rejects.
 *
 * @throws RangeError when this is no http or https address, or an option is out of its bounds.
 */
export function webhook(url: string, options: NoticeOptions = {}): (json: string) => Promise<NoticeResult> {
  requireOptions(options);
  const { base, headers } = addressOf(url);
  // What was meant for one address is given to no other.
  const request = { headers: { ...headers, 'content-type': 'application/json' }, redirect: 'error' } as const;
  return (body) => post(base, { ...request, body }, options);
}

function requireOptions({ timeoutMs, attempts, pauseMs }: NoticeOptions): void {
  requireWhole('timeoutMs', timeoutMs, 1, longestTimerMs);
  requireWhole('attempts', attempts, 1, 10);
  // Doubled before each further attempt.
  requireWhole('pauseMs', pauseMs, 0, longestTimerMs >> 8);
}

/** Characters of a text that are sent; healthchecks.io keeps no more than 100 kB. */
const mostText = 10_000;

/** An address without the login in it, which no request takes there, and the header that takes its place. */
function addressOf(url: string): { readonly base: URL; readonly headers: Readonly<Record<string, string>> } {
  const base = URL.parse(url);
  if (base === null || !/^https?:$/.test(base.protocol)) throw new RangeError('not an http or https address');
  const { username, password } = base;
  const login = [username, password].map(decodeURIComponent).join(':');
  base.username = base.password = '';
  return {
    base,
    headers: username === '' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
  };
}

async function post(
  target: URL,
  request: Omit<RequestInit, 'method' | 'signal'>,
  { timeoutMs = 10_000, attempts = 3, pauseMs = 1000 }: NoticeOptions,
): Promise<NoticeResult> {
  let detail = '';
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (attempt > 1) await delay(pauseMs * 2 ** (attempt - 2));
    try {
      const answer = await fetch(target, { ...request, method: 'POST', signal: AbortSignal.timeout(timeoutMs) });
      await answer.body?.cancel();
      detail = `status ${answer.status}`;
      if (answer.ok) return { kind: 'sent', attempts: attempt, detail };
      // Another try would be told the same.
      if (answer.status < 500 && answer.status !== 429) return { kind: 'failed', attempts: attempt, detail };
    } catch (error) {
      detail = requestFailure(error);
    }
  }
  return { kind: 'failed', attempts, detail };
}
