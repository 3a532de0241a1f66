import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ParseError } from '@splitmirror/host';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeKey } from '../../test/node.ts';
import {
  fingerprint,
  judgeKey,
  type KeyVerdict,
  keyType,
  knownHostsLine,
  knownName,
  linesFor,
  parseKnownHosts,
} from './known-hosts.ts';

const keygen = '/usr/bin/ssh-keygen';
const [first, second] = [makeKey('ed25519').public, makeKey('ed25519').public];
const rsa = makeKey('rsa').public;
const encoded = (key: Buffer) => `${keyType(key)} ${key.toString('base64')}`;
const judge = (text: string, name: string, key: Buffer): KeyVerdict['kind'] =>
  judgeKey(linesFor(parseKnownHosts(text, 'known_hosts'), name), key).kind;

describe('parseKnownHosts', () => {
  it('reads names, types, markers and where each line stands', () => {
    const text = `# comment\n\nnodea,10.0.0.1 ${encoded(first)} op@admin\r\n\t@revoked * ${encoded(rsa)}\n`;
    expect(parseKnownHosts(text, 'known_hosts')).toEqual([
      { marker: 'trusted', names: 'nodea,10.0.0.1', type: 'ssh-ed25519', key: first, at: 'known_hosts:3' },
      { marker: 'revoked', names: '*', type: 'ssh-rsa', key: rsa, at: 'known_hosts:4' },
    ]);
  });

  it.each([
    ['a line of protocol 1', 'nodea 1024 35 1234567'],
    ['a key that is no base64', 'nodea ssh-ed25519 %%%'],
    ['a key of another type than the line says', `nodea ssh-rsa ${first.toString('base64')}`],
    ['a name alone', 'nodea'],
  ])('trusts nobody for %s', (_, line) => {
    expect(parseKnownHosts(line, 'known_hosts')).toEqual([]);
  });

  it.each([
    ['a revocation that cannot be read', '@revoked * ssh-ed25519 %%%'],
    ['an unknown marker', `@trusted nodea ${encoded(first)}`],
  ])('refuses %s', (_, line) => {
    expect(() => parseKnownHosts(`\n${line}\n`, 'known_hosts')).toThrow(ParseError);
    expect(() => parseKnownHosts(`\n${line}\n`, 'known_hosts')).toThrow('known_hosts:2:1');
  });

  it('throws nothing but ParseError, whatever the file holds', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('@revoked', '|1|a|b', 'ssh-rsa', rsa.toString('base64'), ' ', '\n'),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        try {
          linesFor(parseKnownHosts(words.join(' '), 'known_hosts'), 'nodea');
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });
});

describe('linesFor', () => {
  it.each([
    ['nodea', 'nodea', true],
    ['NodeA', 'nodea', true],
    ['nodeb,nodea', 'nodea', true],
    ['node?', 'nodea', true],
    ['node?', 'node', false],
    ['*.cluster', 'nodea.cluster', true],
    ['*', '[nodea]:2222', true],
    ['no*ea', 'nodea', true],
    ['*,!nodea', 'nodea', false],
    ['!nodea,*', 'nodea', false],
    ['!nodeb', 'nodea', false],
    ['[nodea]:2222', '[nodea]:2222', true],
    ['[nodea]:2222', 'nodea', false],
    ['nodea', '[nodea]:2222', false],
    ['fe80::1', 'fe80::1', true],
  ])('%s matches %s: %s', (names, name, matches) => {
    expect(linesFor(parseKnownHosts(`${names} ${encoded(first)}`, 'k'), name)).toHaveLength(matches ? 1 : 0);
  });

  it('does not take exponential time for a hostile pattern', () => {
    const line = `${'*a'.repeat(200)}b ${encoded(first)}`;
    expect(linesFor(parseKnownHosts(line, 'k'), 'a'.repeat(250))).toEqual([]);
  });

  it.skipIf(!existsSync(keygen))('finds names that ssh-keygen -H has hashed', () => {
    const directory = mkdtempSync(join(tmpdir(), 'splitmirror-known-'));
    const file = join(directory, 'known_hosts');
    writeFileSync(file, `nodea ${encoded(first)}\n[nodea]:2222 ${encoded(second)}\n`);
    execFileSync(keygen, ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const text = readFileSync(file, 'utf8');
    rmSync(directory, { recursive: true });
    expect(text).not.toContain('nodea');
    expect(judge(text, 'nodea', first)).toBe('trusted');
    expect(judge(text, knownName('NodeA', 2222), second)).toBe('trusted');
    expect(judge(text, 'nodeb', first)).toBe('unknown');
  });
});

describe('judgeKey', () => {
  it('trusts any of several keys', () => {
    const text = `nodea ${encoded(first)}\nnodea ${encoded(rsa)}\n`;
    expect([judge(text, 'nodea', first), judge(text, 'nodea', rsa)]).toEqual(['trusted', 'trusted']);
  });

  it('tells a changed key from an unknown one', () => {
    expect(judge(`nodea ${encoded(first)}`, 'nodea', second)).toBe('changed');
    expect(judge(`nodea ${encoded(rsa)}`, 'nodea', second)).toBe('changed');
    expect(judge(`nodea ${encoded(first)}`, 'nodeb', first)).toBe('unknown');
  });

  it('refuses a revoked key although it is trusted elsewhere', () => {
    expect(judge(`nodea ${encoded(first)}\n@revoked * ${encoded(first)}\n`, 'nodea', first)).toBe('revoked');
  });

  it('does not take the key of an authority for the key of a node', () => {
    expect(judge(`@cert-authority * ${encoded(first)}`, 'nodea', first)).toBe('unknown');
  });
});

describe('fingerprint', () => {
  it.skipIf(!existsSync(keygen))('is what ssh-keygen prints', () => {
    const directory = mkdtempSync(join(tmpdir(), 'splitmirror-known-'));
    writeFileSync(join(directory, 'key.pub'), `${encoded(first)}\n`);
    const printed = execFileSync(keygen, ['-l', '-f', join(directory, 'key.pub')]).toString();
    rmSync(directory, { recursive: true });
    expect(printed).toContain(` ${fingerprint(first)} `);
  });
});

describe('knownHostsLine', () => {
  it('makes the key trusted', () => {
    expect(judge(knownHostsLine(knownName('nodea', 2222), first), '[nodea]:2222', first)).toBe('trusted');
  });
});
