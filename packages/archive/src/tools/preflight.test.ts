import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localHost, renderCommand } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { scratch } from '../../test/tools.ts';
import { backup, backupByInode, cpio, dd, preflightProblems, tar } from '../index.ts';

describe('preflight', () => {
  const ids = (tool: { preflight: typeof tar.preflight }, level: string) =>
    tool.preflight({ directory: '/data' }, level).map(({ id, run }) => [id, 'pipe' in run ? '|' : run.argv.at(-2)]);

  it('asks for what the tool cannot carry at that level', () => {
    expect(ids(tar, '4330')).toEqual([
      ['large-files', '+4194303'],
      ['long-names', '|'],
    ]);
    expect(ids(tar, '7100-02-04-1341')).toEqual([
      ['large-files', '+16777215'],
      ['long-names', '|'],
    ]);
    expect(ids(tar, '7100-03')).toEqual([['long-names', '|']]);
    expect(ids(cpio, '7200-05')).toEqual([
      ['large-files', '+4194303'],
      ['long-names', '|'],
      ['line-feeds', '*\n*'],
    ]);
    expect(ids(backup, '4330')).toEqual([
      ['long-names', '|'],
      ['line-feeds', '*\n*'],
    ]);
    const byInode = (level: string) =>
      backupByInode
        .preflight({ fileSystem: '/data', level: 0, dumpdates: 'leave' }, level)
        .map(({ run }) => renderCommand(run));
    expect(byInode('7200-05')).toEqual(["find /data -xdev -exec ls -dn '{}' + | awk '$3 > 65535 || $4 > 65535'"]);
    expect(byInode('4330')[0]).toContain("-exec ls -dn '{}' ';'");
    expect(dd.preflight({ device: '/dev/rx', lvcb: 'keep' }, '7200')).toEqual([]);
  });

  it('finds them with real commands, in one round trip', async () => {
    using root = scratch();
    writeFileSync(join(root.path, 'a\nb'), '');
    const host = localHost('here', { path: process.env.PATH });
    const checks = cpio.preflight({ directory: root.path }, '7200-05');
    const outcome = await host.run({ steps: checks.map(({ id, run }) => ({ id, run, timeoutSeconds: 20 })) });
    await host.close();
    const answers = new Map(outcome.steps.map((step) => [step.id, 'stdout' in step ? step.stdout : 'no answer']));
    expect(preflightProblems(checks, answers)).toEqual([
      {
        code: 'NAME_HAS_LINE_FEED',
        message: 'names with a line feed',
        seen: `${root.path}/a, b`,
        remedy: expect.stringContaining('tar'),
      },
    ]);
    const many = new Map([['large-files', '/a\n/b\n/c\x1b\n/d\n/e\n']]);
    expect(preflightProblems(checks, many)).toMatchObject([
      { code: 'FILE_TOO_LARGE', seen: '/a, /b, /c\\x1b, and 2 more' },
    ]);
  });

  it.skipIf(process.getuid?.() !== 0)('finds owners that an archive by inode would cut', async () => {
    using root = scratch();
    for (const [name, uid, gid] of [
      ['a', 65_535, 65_535],
      ['b', 65_536, 1],
      ['c', 1, 388_113],
    ] as const) {
      writeFileSync(join(root.path, name), '');
      chownSync(join(root.path, name), uid, gid);
    }
    const host = localHost('here', { path: process.env.PATH });
    for (const level of ['4330', '7200-05']) {
      const checks = backupByInode.preflight({ fileSystem: root.path, level: 0, dumpdates: 'leave' }, level);
      const outcome = await host.run({ steps: checks.map(({ id, run }) => ({ id, run, timeoutSeconds: 20 })) });
      const answers = new Map(outcome.steps.map((step) => [step.id, 'stdout' in step ? step.stdout : 'no answer']));
      const [problem, ...others] = preflightProblems(checks, answers);
      expect(problem).toMatchObject({ code: 'OWNER_TOO_LARGE', remedy: expect.stringContaining('by name') });
      expect(
        problem?.seen
          .split(', ')
          .map((line) => line.slice(-2))
          .sort(),
      ).toEqual(['/b', '/c']);
      expect(others).toEqual([]);
    }
    await host.close();
  });
});
