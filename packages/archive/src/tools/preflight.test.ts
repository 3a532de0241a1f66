import { spawnSync } from 'node:child_process';
import { chownSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localHost, renderCommand } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { scratch } from '../../test/tools.ts';
import { backup, backupByInode, cpio, dd, preflightProblems, tar } from '../index.ts';

describe('preflight', () => {
  const ids = (tool: { preflight: typeof tar.preflight }, level: string) =>
    tool.preflight({ directory: '/data' }, level).map(({ id, run }) => [id, 'pipe' in run ? '|' : run.argv.at(-2)]);

  it('asks for what the tool cannot carry at that level', () => {
    const ofTar = [
      ['long-names', '|'],
      ['long-links', '+100c'],
      ['long-hard-links', '|'],
    ];
    expect(ids(tar, '4330')).toEqual([['large-files', '+4194303'], ...ofTar]);
    expect(ids(tar, '7100-02-04-1341')).toEqual([['large-files', '+16777215'], ...ofTar]);
    expect(ids(tar, '7100-03')).toEqual(ofTar);
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

  it('finds exactly the names and links that a header of tar does not hold, as a tar that writes plain ustar does', async () => {
    using root = scratch();
    const directory = join(root.path, 'it');
    const path = (...parts: readonly string[]) => join(directory, ...parts);
    for (const bytes of [99, 100]) mkdirSync(path('d'.repeat(bytes), 'sub'), { recursive: true });
    for (const bytes of [100, 101]) {
      writeFileSync(path('f'.repeat(bytes)), '');
      symlinkSync('t'.repeat(bytes), path(`link-to-${bytes}`));
    }
    // Behind "./" a prefix of 155 bytes is full.
    for (const bytes of [153, 154]) {
      const deep = path('a'.repeat(90), 'b'.repeat(bytes - 91));
      mkdirSync(deep, { recursive: true });
      writeFileSync(join(deep, 'c'.repeat(100)), '');
    }
    mkdirSync(path('linked'));
    writeFileSync(path('linked', 'g'.repeat(100)), 'x');
    linkSync(path('linked', 'g'.repeat(100)), path('linked', 'h'.repeat(100)));

    const checks = tar.preflight({ directory }, '7200-05');
    const host = localHost('here', { path: process.env.PATH });
    const outcome = await host.run({ steps: checks.map(({ id, run }) => ({ id, run, timeoutSeconds: 20 })) });
    await host.close();
    const found = outcome.steps.flatMap((step) => ('stdout' in step ? step.stdout.trimEnd().split('\n') : []));
    const relative = [...new Set(found)].map((line) => line.slice(directory.length + 1)).sort();

    const { stderr } = spawnSync('tar', ['--format=ustar', '-cf', '/dev/null', '-C', directory, '.'], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    });
    const refused = [...stderr.matchAll(/^tar: \.\/(\S+?)\/?: .*(?:too long|cannot be split)/gm)].map(
      ([, name]) => name,
    );
    // Which of two names comes first is the order of the directory: the second refers to it.
    expect(relative).toEqual(expect.arrayContaining(refused));
    expect(relative).toEqual(
      [
        `${'a'.repeat(90)}/${'b'.repeat(63)}/${'c'.repeat(100)}`,
        'd'.repeat(100),
        'f'.repeat(101),
        `linked/${'g'.repeat(100)}`,
        `linked/${'h'.repeat(100)}`,
        'link-to-101',
      ].sort(),
    );
    const answers = new Map(outcome.steps.map((step) => [step.id, 'stdout' in step ? step.stdout : 'no answer']));
    expect(preflightProblems(checks, answers).map(({ code, seen }) => [code, seen.split(', ').length])).toEqual([
      ['NAME_TOO_LONG', 3],
      ['LINK_TOO_LONG', 1],
      ['LINK_TOO_LONG', 2],
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
