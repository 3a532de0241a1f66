import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localHost } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { scratch } from '../test/tools.ts';
import { backup, backupByInode, cpio, dd, preflightProblems, tar } from './index.ts';

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
    expect(backupByInode.preflight({ fileSystem: '/data', level: 0, dumpdates: 'leave' }, '7200')).toEqual([]);
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
});
