import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quote } from '@splitmirror/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debtExitCodes, debtScript, eventScript, type HookCommand, releaseScript } from '../src/index.ts';
import { runScript, shells, toolbox } from './shells.ts';

const tools = 'awk sed cat rm mkdir sleep mv cmp grep date tr sort uname kill'.split(' ');

let folder: string;
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hacmp-events-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function newRoot(): string {
  const root = join(folder, String(++count));
  mkdirSync(root);
  return root;
}

function install(root: string, name: string, text: string): string {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
}

describe.concurrent.each(shells)('event script under %s', (shell) => {
  it('leaves a marker with what it was called with, readable for its owner only, and ends with 0', async () => {
    const root = newRoot();
    const commands = await toolbox(join(root, 'bin'), {}, tools);
    const spool = join(root, 'var/events');
    const script = install(root, 'event', eventScript({ path: '/opt/event', spool, commands }));
    const words = ['node_down_remote', 'db 2', '-n', 'a\\c$(reboot)`x`'];
    const ran = await Promise.all([1, 2, 3].map(() => runScript(shell, script, words)));
    expect(ran).toEqual(ran.map(() => ({ code: 0, stdout: '', stderr: '' })));
    const markers = readdirSync(spool);
    expect(markers).toHaveLength(3);
    for (const marker of markers) {
      expect(marker).toMatch(/^event\.\d+\.\d{14}$/);
      expect(statSync(join(spool, marker)).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(spool, marker), 'utf8')).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\nnode_down_remote db 2 -n acrebootx\n$/,
      );
    }
  });

  it('ends with 0 and says so where no marker can be left', async () => {
    const root = newRoot();
    const commands = await toolbox(join(root, 'bin'), {}, tools);
    writeFileSync(join(root, 'var'), 'a file');
    const script = install(
      root,
      'event',
      eventScript({ path: '/opt/event', spool: join(root, 'var/events'), commands }),
    );
    const ran = await runScript(shell, script, ['x']);
    expect(ran).toMatchObject({ code: 0, stdout: '' });
    expect(ran.stderr).toContain('/opt/event: no marker could be left in');
    const bare = install(
      root,
      'bare',
      eventScript({ path: '/opt/event', spool: join(root, 'x'), commands: '/nowhere' }),
    );
    expect((await runScript(shell, bare, ['x'])).code).toBe(0);
  });
});

/** A node with volume groups, mounts, and a log of what was done to them. */
async function releaseOn(
  mounts: readonly (readonly [device: string, mountPoint: string])[],
  { busy = [], list }: { busy?: readonly string[]; list?: string } = {},
) {
  const root = newRoot();
  const log = join(root, 'log');
  const table = join(root, 'mounts');
  const row = (cells: readonly string[]) =>
    `         ${cells[0]?.padEnd(24)} ${cells[1]?.padEnd(32)} jfs2   Nov 22 09:30 ro\n`;
  writeFileSync(
    table,
    `  node       mounted        mounted over    vfs       date        options\n-------- ---- ---- --- --- ---\n${mounts.map(row).join('')}nfsbox   /dev/smk3f9q2201     /splitmirror/k3f9q2/x nfs3 Nov 22 09:30 ro\n`,
  );
  for (const device of busy) writeFileSync(join(root, `busy.${device}`), '');
  writeFileSync(log, '');
  const place = quote(root);
  const commands = await toolbox(
    join(root, 'bin'),
    {
      mount: `cat ${quote(table)}`,
      umount: `echo "umount $*" >>${quote(log)}
v=$(awk -v p="$1" '$2 == p { print substr($1, 6) }' ${quote(table)})
[ -n "$v" ] && [ ! -f ${place}/busy.$v ] || exit 1
grep -v " $1 " ${quote(table)} >${place}/left; mv ${place}/left ${quote(table)}`,
      fuser: `echo "fuser $*" >>${quote(log)}; rm -f ${place}/busy."\${2#/dev/}"`,
      lsvg:
        list ??
        `[ "$1 $2" = "-L -l" ] || exit 1
case $3 in
payvg) printf '%s\\n' payvg: 'LV NAME TYPE LPs PPs PVs LV STATE MOUNT POINT' 'paylv jfs2 8 16 2 open/syncd /pay' 'smk3f9q2201 jfs2 8 8 1 open/syncd /splitmirror/k3f9q2/paylv' 'smk3f9q2202 raw 8 8 1 closed/syncd N/A' 'small jfs2 8 8 1 open/syncd /small' ;;
*) echo "0516-306 lsvg: Unable to find volume group" >&2; exit 1 ;;
esac`,
    },
    tools,
  );
  const script = install(
    root,
    'release',
    releaseScript({ path: '/opt/release', commands, timeoutSeconds: list === undefined ? 20 : 2 }),
  );
  return async (shell: string, ...args: string[]) => {
    const ran = await runScript(shell, script, args, { TMPDIR: root });
    expect(readdirSync(root).filter((name) => name.startsWith('splitmirror-release'))).toEqual([]);
    return { ...ran, did: readFileSync(log, 'utf8').trim().split('\n') };
  };
}

const copy = ['/dev/smk3f9q2201', '/splitmirror/k3f9q2/paylv'] as const;
const foreign = [
  ['/dev/paylv', '/pay'],
  ['/dev/small', '/small'],
  // Our name, mounted by somebody at a place of their own; and a place of ours with another volume.
  ['/dev/smaaaaaa201', '/mnt'],
  ['/dev/smbbbbbb201', '/splitmirror/cccccc/x'],
  ['/dev/smk3f9q22011', '/splitmirror/k3f9q2/long'],
] as const;

describe.concurrent.each(shells)('release script under %s', (shell) => {
  it('unmounts the copies of the volume group and touches nothing else', async () => {
    const other = ['/dev/smz9z9z9201', '/splitmirror/z9z9z9/weblv'] as const;
    const release = await releaseOn([...foreign, copy, other]);
    const { code, stdout, did } = await release(shell, 'payvg');
    expect([code, stdout]).toEqual([0, '']);
    expect(did).toEqual([
      'umount /splitmirror/k3f9q2/paylv',
      'fuser -k /dev/rsmk3f9q2201',
      'fuser -k /dev/rsmk3f9q2202',
    ]);
  });

  it.each(['a', 'd', 'f'])('unmounts a copy whose name ends with %s, as its strategy has it', async (letter) => {
    const made = [`/dev/smk3f9q2201${letter}`, '/splitmirror/k3f9q2/paylv'] as const;
    const release = await releaseOn([...foreign, made]);
    expect((await release(shell)).did).toEqual([
      'umount /splitmirror/k3f9q2/paylv',
      `fuser -k /dev/rsmk3f9q2201${letter}`,
    ]);
  });

  it('ends what reads a copy, by device and never by directory', async () => {
    const release = await releaseOn([...foreign, copy], { busy: ['smk3f9q2201'] });
    const { code, did, stderr } = await release(shell, 'payvg');
    expect(code).toBe(0);
    expect(did.slice(0, 3)).toEqual([
      'umount /splitmirror/k3f9q2/paylv',
      'fuser -k /dev/smk3f9q2201',
      'umount /splitmirror/k3f9q2/paylv',
    ]);
    expect(stderr).toContain('umount /splitmirror/k3f9q2/paylv ended with 0');
    expect(did.join('\n')).not.toMatch(/fuser .*\/splitmirror/);
  });

  it('lets every copy go when a volume group cannot be listed', async () => {
    const release = await releaseOn([...foreign, copy], { list: 'exec sleep 600' });
    const { code, did, stderr } = await release(shell, 'payvg');
    expect(code).toBe(0);
    expect(stderr).toContain('payvg cannot be listed: every copy on this node is let go');
    expect(did).toEqual(['umount /splitmirror/k3f9q2/paylv', 'fuser -k /dev/rsmk3f9q2201']);
  });

  it('does nothing where there is no copy', async () => {
    const release = await releaseOn(foreign);
    expect(await release(shell)).toEqual({ code: 0, stdout: '', stderr: '', did: [''] });
  });
});

describe('release script', () => {
  it('ends with 0 and tells what it could not unmount', async () => {
    const release = await releaseOn([copy], { busy: ['smk3f9q2201', 'x'] });
    const root = join(folder, String(count));
    await toolbox(join(root, 'bin'), { fuser: 'exit 0' }, []);
    const { code, stderr } = await release(shells[0] ?? 'sh', 'payvg');
    expect(code).toBe(0);
    expect(stderr).toContain('smk3f9q2201 is still mounted on /splitmirror/k3f9q2/paylv');
  });
});

/** As the backup package writes them: `quiesceSteps` and `takeLock` of @splitmirror/backup. */
const resume = [
  ['payctl', 'resume'],
  ['payctl', 'say', "it's on\\"],
] as const;
const noteOf = (hooks: unknown = resume, node?: string) =>
  `${JSON.stringify({ splitmirror: 1, run: 'k3f9q2', ...(node && { node }), resume: hooks })}\n`;
const lockOf = (host: string, pid: number) =>
  `${JSON.stringify({
    splitmirror: 1,
    run: 'k3f9q2',
    group: 'payrg',
    token: '0'.repeat(32),
    controller: { host, pid, birth: null },
    since: '2026-11-22T09:30:00.000Z',
    intended: [{ volume: 'paylv', copies: 2 }],
  })}\n`;

async function debtOn(
  note: string | null,
  lock: string | null,
  options: {
    payctl?: string;
    settleSeconds?: number;
    resume?: readonly HookCommand[];
    restart?: readonly HookCommand[];
  } = {},
) {
  const root = newRoot();
  const notes = join(root, 'pay/.splitmirror');
  mkdirSync(notes, { recursive: true });
  if (note !== null) writeFileSync(join(notes, 'quiesce'), note);
  if (lock !== null) writeFileSync(join(notes, `holder.${'0'.repeat(32)}`), lock);
  const log = join(root, 'log');
  writeFileSync(log, '');
  const commands = await toolbox(
    join(root, 'bin'),
    {
      payctl: `for word in "$@"; do printf '[%s]' "$word"; done >>${quote(log)}; ${options.payctl ?? 'exit 0'}`,
      get_local_nodename: 'echo db2',
    },
    tools,
  );
  const { settleSeconds = 0, resume: hooks = resume, restart } = options;
  const text = debtScript({
    path: '/opt/debt',
    notes,
    resume: hooks,
    restart,
    settleSeconds,
    timeoutSeconds: options.payctl?.includes('sleep') ? 2 : 20,
    commands,
  });
  const script = install(root, 'debt', text);
  return {
    note: join(notes, 'quiesce'),
    async run(shell: string) {
      const start = performance.now();
      const ran = await runScript(shell, script, [], { TMPDIR: root });
      const did = readFileSync(log, 'utf8');
      return { ...ran, did, left: existsSync(join(notes, 'quiesce')), seconds: (performance.now() - start) / 1000 };
    },
  };
}

const resumed = "[resume][say][it's on\\]";

describe.concurrent.each(shells)('debt script under %s', (shell) => {
  it('says and does nothing when nothing is owed', async () => {
    const debt = await debtOn(null, null);
    expect(await debt.run(shell)).toMatchObject({ code: debtExitCodes.settled, stdout: '', stderr: '', did: '' });
  });

  it('resumes, and takes the note away afterwards', async () => {
    const debt = await debtOn(noteOf(), null);
    const ran = await debt.run(shell);
    expect(ran).toMatchObject({ code: debtExitCodes.settled, stdout: '', did: resumed, left: false });
    expect(ran.stderr).toBe('/opt/debt: an application that was left suspended by run k3f9q2 was resumed\n');
    expect(await debt.run(shell)).toMatchObject({ code: debtExitCodes.settled, stderr: '', did: resumed });
  });

  it.each([
    ['on another node', noteOf(resume, 'db1'), lockOf('console', 1)],
    [
      'by a controller on this machine that has ended',
      noteOf(),
      lockOf(spawnSync('uname', ['-n'], { encoding: 'utf8' }).stdout.trim(), spawnSync('true').pid),
    ],
    ['by a run that holds no lock any more', noteOf(), null],
  ])('does not wait for a run that was made %s', async (_, note, lock) => {
    const debt = await debtOn(note, lock, { settleSeconds: 60 });
    const ran = await debt.run(shell);
    expect(ran).toMatchObject({ code: debtExitCodes.settled, did: resumed, left: false });
    expect(ran.seconds).toBeLessThan(45);
  });

  it('leaves a run that is at work its time to pay by itself', async () => {
    for (const note of [noteOf(), noteOf(resume, 'db2')]) {
      const debt = await debtOn(note, lockOf('console', 1), { settleSeconds: 30 });
      setTimeout(() => rmSync(debt.note), 1500);
      expect(await debt.run(shell)).toMatchObject({ code: debtExitCodes.settled, stderr: '', did: '' });
    }
    const late = await debtOn(noteOf(), lockOf('console', 1), { settleSeconds: 2 });
    const ran = await late.run(shell);
    expect(ran).toMatchObject({ code: debtExitCodes.settled, did: resumed, left: false });
    expect(ran.seconds).toBeGreaterThan(1.5);
  });

  it.each([
    ['a command fails', 'echo "no such session" >&2; exit 3', /"payctl resume" ended with 3: no such session/],
    ['a command does not come back', 'exec sleep 600', /"payctl resume" ended with timeout/],
  ])('keeps the note when %s', async (_, payctl, said) => {
    const debt = await debtOn(noteOf(), null, { payctl });
    const ran = await debt.run(shell);
    expect(ran).toMatchObject({ code: debtExitCodes.owed, did: '[resume]', left: true });
    expect(ran.stderr).toMatch(said);
  });

  it.each([
    ['wants other commands', noteOf([['rm', '-rf', '/']]), /wants other commands than this script was made with/],
    ['is cut', noteOf().slice(0, -5), /wants other commands/],
    ['is none of ours', 'stop\n', /is none of our notes/],
    ['is empty', '', /is none of our notes/],
  ])('runs nothing for a note that %s', async (_, note, said) => {
    const debt = await debtOn(note, null);
    const ran = await debt.run(shell);
    expect(ran).toMatchObject({ code: debtExitCodes.owed, did: '', left: true });
    expect(ran.stderr).toMatch(said);
  });
});

describe('debt script', () => {
  it('keeps a note that another run has written meanwhile', async () => {
    const root = join(folder, String(count + 1));
    const other = noteOf().replace('k3f9q2', 'z9z9z9');
    const payctl = `printf '%s\\n' ${quote(other.trim())} >${quote(join(root, 'pay/.splitmirror/quiesce'))}`;
    const debt = await debtOn(noteOf(), null, { payctl });
    expect(await debt.run(shells[0] ?? 'sh')).toMatchObject({ code: debtExitCodes.owed, left: true });
  });

  it('gives a command its input and its own deadline, and restarts where the application does not run yet', async () => {
    const commands = [{ argv: ['payctl', 'sql'], stdin: 'set "$HOME" on;\n`quit`\n', timeoutSeconds: 9 }] as const;
    const note = noteOf(commands);
    const debt = await debtOn(note, null, { payctl: `cat >>"$0.log"`, resume: commands });
    expect(await debt.run(shells[0] ?? 'sh')).toMatchObject({ code: debtExitCodes.settled, did: '[sql]', left: false });
    expect(readFileSync(join(folder, String(count), 'bin/payctl.log'), 'utf8')).toBe('set "$HOME" on;\n`quit`\n');
    const open = [{ argv: ['payctl', 'sql'], stdin: 'quit' }] as const;
    const ended = await debtOn(noteOf(open), null, { payctl: `cat >>"$0.log"`, resume: open });
    expect(await ended.run(shells[0] ?? 'sh')).toMatchObject({ code: debtExitCodes.settled, left: false });
    expect(readFileSync(join(folder, String(count), 'bin/payctl.log'), 'utf8')).toBe('quit\n');
    const again = await debtOn(noteOf(), null, { restart: [['payctl', 'restart']] });
    expect(await again.run(shells[0] ?? 'sh')).toMatchObject({ code: debtExitCodes.settled, did: '[restart]' });
  });

  it('does not take the lock of one controller for that of all', async () => {
    const host = spawnSync('uname', ['-n'], { encoding: 'utf8' }).stdout.trim();
    const debt = await debtOn(noteOf(), lockOf(host, spawnSync('true').pid), { settleSeconds: 2 });
    writeFileSync(join(folder, String(count), 'pay/.splitmirror', `holder.${'1'.repeat(32)}`), lockOf('console', 1));
    const ran = await debt.run(shells[0] ?? 'sh');
    expect(ran).toMatchObject({ code: debtExitCodes.settled, did: resumed, left: false });
    expect(ran.seconds).toBeGreaterThan(1.5);
  });

  it('is not made without a command, or with what a note could not hold', () => {
    const options = { path: '/opt/debt', notes: '/pay/.splitmirror', settleSeconds: 60 };
    expect(() => debtScript({ ...options, resume: [] })).toThrow(RangeError);
    expect(() => debtScript({ ...options, resume: [['a\nb']] })).toThrow(RangeError);
    for (const stdin of ['splitmirror-end', 'splitmirror-end\n', 'a\0\n']) {
      expect(() => debtScript({ ...options, resume: [{ argv: ['a'], stdin }] })).toThrow(RangeError);
    }
    expect(() => debtScript({ ...options, resume, restart: [] })).toThrow(RangeError);
    expect(() => debtScript({ ...options, resume, settleSeconds: -1 })).toThrow(RangeError);
    expect(() => debtScript({ ...options, resume, notes: 'pay' })).toThrow(RangeError);
  });
});
