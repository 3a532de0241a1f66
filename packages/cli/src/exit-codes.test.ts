import { readFile, writeFile } from 'node:fs/promises';
import { BackupError, type RunReport } from '@splitmirror/backup';
import { TransportError } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { exitCodeOfCode, exitCodeOfError, exitCodeOfRun, exitCodeOfSeveral, exitCodes } from './exit-codes.ts';

const readme = new URL('../README.md', import.meta.url);

describe('exitCodes', () => {
  it('uses no number twice', () => {
    const numbers = Object.values(exitCodes).map(({ code }) => code);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  // UPDATE_README=1 writes it anew.
  it('is the table in the README', async () => {
    const rows = Object.values(exitCodes).map(({ code, means }) => `| ${code} | ${means} |`);
    const table = ['| code | meaning |', '|---|---|', ...rows].join('\n');
    const text = await readFile(readme, 'utf8');
    const wanted = text.replace(
      /(<!-- exit codes -->\n)[\s\S]*(<!-- \/exit codes -->)/,
      (_, start, end) => `${start}${table}\n${end}`,
    );
    if (process.env.UPDATE_README) await writeFile(readme, wanted);
    else expect(text, 'run with UPDATE_README=1').toBe(wanted);
  });
});

const problem = (code: string) => ({ code, node: null, message: '', seen: '', remedy: '' });
const refused = (code: ConstructorParameters<typeof BackupError>[0], ...problems: string[]) =>
  exitCodeOfError(new BackupError(code, '', { remedy: '', problems: problems.map(problem) }));

describe('exitCodeOfError', () => {
  it('is the code of the error itself', () => {
    expect(refused('GROUP_MOVING')).toBe(12);
    expect(exitCodeOfError(new TransportError('HOST_AUTHENTICATION', 'a', '', { remedy: '' }))).toBe(18);
    expect(exitCodeOfError(new TransportError('HOST_START', 'a', '', { remedy: '' }))).toBe(16);
    expect(exitCodeOfError(new TransportError('HOST_PROTOCOL', 'a', '', { remedy: '' }))).toBe(16);
    expect(exitCodeOfCode('STORED_IDENTITY', [])).toBe(44);
    expect(exitCodeOfError(new Error('bug'))).toBe(1);
  });

  it('is told by the cause where the error only says that something is undecidable or refused', () => {
    expect(refused('GROUP_UNDECIDABLE')).toBe(14);
    expect(refused('GROUP_UNDECIDABLE', 'NO_MAJORITY', 'HOST_KEY_CHANGED', 'HOST_UNREACHABLE')).toBe(17);
    expect(refused('PLAN_REFUSED', 'STALE_PARTITIONS')).toBe(22);
    expect(refused('PLAN_REFUSED', 'POLICY_INVALID')).toBe(2);
  });
});

describe('exitCodeOfSeveral', () => {
  it.each([
    [[0, 0], 0],
    [[0, 34], 34],
    [[0, 12], 35],
    [[34, 12], 35],
    [[12, 12], 12],
    [[22, 12], 22],
  ])('makes %j %i', (codes, code) => expect(exitCodeOfSeveral(codes)).toBe(code));
});

describe('exitCodeOfRun', () => {
  const run = (verdict: RunReport['verdict']) => exitCodeOfRun({ verdict, directory: null, archives: [] });
  const whole = { kind: 'whole', performed: [], unseen: [] } as const;
  const stuck = { kind: 'stuck', problems: [], performed: [] } as const;

  it('is 0 for a good run and nothing else', () => {
    expect(run({ kind: 'good' })).toBe(0);
    expect(run({ kind: 'refused', code: 'GROUP_LOCKED', problems: [] })).toBe(26);
    expect(run({ kind: 'failed', problems: [], committed: true, recovery: stuck })).toBe(31);
    expect(run({ kind: 'failed', problems: [], committed: false, recovery: whole })).toBe(30);
    expect(run({ kind: 'failed', problems: [problem('OWNERSHIP_LOST')], committed: false, recovery: whole })).toBe(32);
    expect(run({ kind: 'interrupted', problems: [], committed: false, recovery: whole })).toBe(130);
    expect(run({ kind: 'interrupted', problems: [], committed: false, recovery: stuck })).toBe(31);
  });
});
