import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeKey } from '../../test/node.ts';
import { acceptNew } from './accept-key.ts';
import { judgeKey, parseKnownHosts } from './known-hosts.ts';

describe('acceptNew', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'splitmirror-accept-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Accepts a key as one process among several would, reading the file anew. */
  async function accept(key: Buffer, name = 'nodea', patienceMs = 10_000): Promise<string> {
    const file = join(directory, 'ssh', 'known_hosts');
    const read = async () => parseKnownHosts(await readFile(file, 'utf8').catch(() => ''), file);
    return judgeKey(await acceptNew({ host: 'nodea', name, file, key, read, patienceMs }), key).kind;
  }

  it('accepts one of two keys that come at the same time', async () => {
    const keys = Array.from({ length: 6 }, () => makeKey('ed25519').public);
    const verdicts = await Promise.all(keys.map((key) => accept(key)));
    expect(verdicts.toSorted()).toEqual(['changed', 'changed', 'changed', 'changed', 'changed', 'trusted']);
    expect(
      readFileSync(join(directory, 'ssh', 'known_hosts'), 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(1);
    expect(readdirSync(join(directory, 'ssh'))).toEqual(['known_hosts']);
  });

  it('loses no key of several hosts, and begins a line of its own', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `node${index}`);
    await accept(makeKey('ed25519').public, 'first');
    const file = join(directory, 'ssh', 'known_hosts');
    writeFileSync(file, `${readFileSync(file, 'utf8')}# a remark without an end`);
    const verdicts = await Promise.all(names.map((name) => accept(makeKey('ed25519').public, name)));
    expect(new Set(verdicts)).toEqual(new Set(['trusted']));
    expect(
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => /^node\d+ /.test(line)),
    ).toHaveLength(12);
  });

  it('writes down nothing that could be a line of its own', async () => {
    const type = Buffer.from('ssh-ed25519\n* ssh-ed25519 AAAA');
    const key = Buffer.concat([Buffer.from([0, 0, 0, type.length]), type, Buffer.alloc(40)]);
    expect(await accept(key)).toBe('unknown');
    await accept(makeKey('ed25519').public, 'first');
    expect(readFileSync(join(directory, 'ssh', 'known_hosts'), 'utf8')).toMatch(/^first ssh-ed25519 \S+\n$/);
  });

  it('gives up when the file stays locked, and names the lock', async () => {
    await accept(makeKey('ed25519').public, 'first');
    const file = join(directory, 'ssh', 'known_hosts');
    writeFileSync(`${file}.lock`, '');
    const error = await accept(makeKey('ed25519').public, 'nodea', 200).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
      message: expect.stringContaining(`${file}.lock is held`),
    });
  });
});
