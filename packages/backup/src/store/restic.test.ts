import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeBackup, makeSource, requireSameBytes, requireSameTree } from '../../test/real-backup.ts';
import { archiveOf, manifestOf } from '../../test/stored.ts';
import { restoreBackup, verifyBackup } from '../restore/restore.ts';
import type { ArchiveRecord } from './manifest.ts';
import { adoptBackups, resticVault } from './restic.ts';
import type { ResticOptions } from './restic-program.ts';
import { retainBackups } from './retention.ts';
import { openStore, type Store } from './store.ts';

const program = 'restic';
const hasRestic = (() => {
  try {
    execFileSync(program, ['version']);
    return true;
  } catch {
    return false;
  }
})();

let base: string;
let options: ResticOptions;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'splitmirror-restic-'));
  options = await repository('main');
});

/** A new repository with its references. */
async function repository(name: string, place = join(base, name)): Promise<ResticOptions> {
  await writeFile(join(base, `${name}.repository`), `${place}\n`);
  await writeFile(join(base, `${name}.password`), 'correct horse\n');
  execFileSync(program, ['init', '--quiet', '-r', place], {
    env: { ...process.env, RESTIC_PASSWORD: 'correct horse' },
  });
  return { repository: { file: join(base, `${name}.repository`) }, password: { file: join(base, `${name}.password`) } };
}

const restic = (...args: string[]) =>
  execFileSync(program, ['-r', join(base, 'main'), ...args], {
    env: { ...process.env, RESTIC_PASSWORD: 'correct horse' },
    encoding: 'utf8',
  });

/** A run with one archive of these bytes. */
async function storeRun(store: Store, run: string, bytes: Buffer, day = 22): Promise<ArchiveRecord> {
  const createdAt = `2026-11-${day}T10:00:00.000Z`;
  const stored = await store.begin('g', run, createdAt);
  await stored.journal.write({ at: createdAt, kind: 'plan' });
  const sink = await stored.openArchive('rawlv.dd');
  // As ssh brings it; what is released too early is stored as zeros.
  for (let at = 0; at < bytes.length; at += 32_768) {
    const chunk = Buffer.from(bytes.subarray(at, at + 32_768));
    await sink.write(chunk, () => void chunk.fill(0));
  }
  const { snapshot } = await sink.finish();
  const sha256 = execFileSync('sha256sum', { input: bytes, encoding: 'utf8' }).slice(0, 64);
  const archive = archiveOf('rawlv', {
    tool: 'dd',
    mountPoint: null,
    file: 'rawlv.dd',
    catalogue: null,
    bytes: bytes.length,
    sha256,
    stored: { bytes: bytes.length, sha256 },
    snapshot,
  });
  await stored.commit(manifestOf(run, { createdAt, archives: [archive] }));
  await stored.journal.close();
  return archive;
}

describe.skipIf(!hasRestic)('resticVault (needs restic)', { timeout: 120_000 }, () => {
  it('stores archives as snapshots, reads them back, and brings a lost store back', async () => {
    const root = join(base, 'store');
    const store = openStore(root, await resticVault(options));
    const bytes = Buffer.alloc(3_000_000, 'content');
    const { snapshot } = await storeRun(store, 'aaaaaa', bytes);
    expect(snapshot).toMatch(/^[0-9a-f]{64}$/);
    const backup = await store.find('g');
    expect((await readdir(backup.directory)).sort()).toEqual([
      'README.txt',
      'SHA256SUMS',
      'journal.ndjson',
      'manifest.json',
    ]);
    await verifyBackup(backup);

    // The guide's own commands.
    const guide = await readFile(join(backup.directory, 'README.txt'), 'utf8');
    const [line = ''] = /restic dump \S+ \S+ \| sha256sum/.exec(guide) ?? [];
    const env = { ...process.env, RESTIC_REPOSITORY: join(base, 'main'), RESTIC_PASSWORD: 'correct horse' };
    expect(execFileSync('sh', ['-c', line], { env, encoding: 'utf8' })).toContain(backup.manifest.archives[0]?.sha256);
    expect(guide).not.toContain(base);

    const other = join(base, 'other-store');
    const createdAt = '2026-11-22T10:00:00.000Z';
    const directory = join(other, 'g', '20261122T100000Z-aaaaaa');
    expect(await adoptBackups(other, options)).toEqual({
      adopted: [{ group: 'g', run: 'aaaaaa', createdAt, directory }],
      refused: [],
    });
    expect(await adoptBackups(other, options)).toEqual({ adopted: [], refused: [] });
    const adopted = openStore(other, await resticVault(options));
    await verifyBackup(await adopted.find('g', 'aaaaaa'));

    // An adoption that was killed is begun again.
    const third = join(base, 'third-store');
    await mkdir(join(third, 'g', '.adopting-aaaaaa'), { recursive: true });
    expect((await adoptBackups(third, options)).adopted).toHaveLength(1);
    expect(await readdir(join(third, 'g'))).toEqual(['20261122T100000Z-aaaaaa']);
  });

  it('adopts nothing that would go elsewhere, and all the others', async () => {
    const own = await repository('hostile');
    const env = { ...process.env, RESTIC_PASSWORD: 'correct horse' };
    const victim = join(base, 'victim');
    await mkdir(victim);
    const save = (run: string, manifest: object, name = 'manifest.json') => {
      const tags = ['splitmirror', 'manifest', 'group:g', `run:${run}`].flatMap((tag) => ['--tag', tag]);
      const args = ['-r', join(base, 'hostile'), 'backup', '--quiet', ...tags, '--stdin', '--stdin-filename'];
      execFileSync(program, [...args, name], { env, input: JSON.stringify(manifest) });
    };
    save('x/../../../victim', manifestOf('aaaaaa'));
    const root = join(base, 'lured');
    expect(await adoptBackups(root, own)).toEqual({ adopted: [], refused: [] });
    expect(await readdir(base)).toContain('victim');
    save('aaaaaa', manifestOf('aaaaaa', { createdAt: '../../victim/x' }));
    save('bbbbbb', { neither: 'nor' });
    save('dddddd', manifestOf('dddddd'), 'another.json');
    save('cccccc', manifestOf('cccccc'));
    const { adopted, refused } = await adoptBackups(root, own);
    expect(adopted.map(({ run }) => run)).toEqual(['cccccc']);
    expect(refused.map(({ code }) => code)).toEqual(['BACKUP_DAMAGED', 'BACKUP_DAMAGED', 'BACKUP_DAMAGED']);
    expect(await readdir(victim)).toEqual([]);
    expect(await readdir(join(root, 'g'))).toHaveLength(1);
  });

  it.each(['records.ndjson', 'journal.ndjson'])(
    'adopts no link, through which %s would be written elsewhere',
    async (name) => {
      const own = await repository(`linked-${name}`);
      const env = { ...process.env, RESTIC_PASSWORD: 'correct horse' };
      const made = await mkdtemp(join(base, 'made-'));
      await writeFile(join(made, 'manifest.json'), JSON.stringify(manifestOf('aaaaaa')));
      await symlink(join(base, 'victim-file'), join(made, name));
      const tags = ['splitmirror', 'manifest', 'group:g', 'run:aaaaaa'].flatMap((tag) => ['--tag', tag]);
      const args = ['-r', join(base, `linked-${name}`), 'backup', '--quiet', ...tags, '--', 'manifest.json', name];
      execFileSync(program, args, { env, cwd: made });
      const root = join(base, `lured-${name}`);
      const damaged = [{ code: 'BACKUP_DAMAGED' }];
      expect(await adoptBackups(root, own)).toMatchObject({ adopted: [], refused: damaged });
      await expect(openStore(root).find('g')).rejects.toMatchObject({ code: 'BACKUP_UNKNOWN' });
    },
  );

  it('keeps nothing in memory of what it has sent', async () => {
    const program = await script('case $* in *--stdin*) exec cat >/dev/null;; *) exec restic "$@";; esac');
    const store = openStore(join(base, 'memory-store'), await resticVault({ ...options, program }));
    const stored = await store.begin('g', 'memory', '2026-11-22T11:00:00.000Z');
    const sink = await stored.openArchive('rawlv.dd');
    const chunk = Buffer.alloc(65_536);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heap = async (chunks: number) => {
      for (let at = 0; at < chunks; at++) await sink.write(chunk);
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await heap(1000);
    expect((await heap(20_000)) - before).toBeLessThan(1_000_000);
    await sink.abandon();
    await stored.forget();
    await stored.journal.close();
  });

  it('takes the archives of a run as any other store does, and gives back trees and single files', async () => {
    const source = join(base, 'source');
    await makeSource(source);
    const store = openStore(join(base, 'store'), await resticVault(options));
    const backup = await makeBackup(store, source, { run: 'wholee', createdAt: '2026-11-22T11:30:00.000Z' });
    expect(backup.manifest.archives.every(({ snapshot }) => snapshot !== null)).toBe(true);
    await restoreBackup(backup, join(base, 'restored'));
    requireSameTree(join(source, 'fs'), join(base, 'restored/datalv'));
    requireSameBytes(join(source, 'raw'), join(base, 'restored/rawlv'));
    await restoreBackup(backup, join(base, 'one'), { select: ['/data/readme'] });
    expect(await readdir(join(base, 'one/datalv'))).toEqual(['readme']);
    expect((await verifyBackup(backup)).volumes).toHaveLength(2);
  });

  it('holds no secret in its arguments, its manifest or its messages', async () => {
    const store = openStore(join(base, 'store'), await resticVault(options));
    const { directory } = await storeRun(store, 'secret', Buffer.from('one')).then(() => store.find('g', 'secret'));
    const secrets = new RegExp(`correct horse|${join(base, 'main')}`);
    for (const name of await readdir(directory)) {
      expect(await readFile(join(directory, name), 'utf8')).not.toMatch(secrets);
    }
    const stored = await store.begin('g', 'argvvv', '2026-11-22T12:00:00.000Z');
    const sink = await stored.openArchive('rawlv.dd');
    const running = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(running).toContain('--tag run:argvvv');
    expect(running).not.toContain('correct horse');
    await sink.abandon();
    await stored.forget();
    await stored.journal.close();
    const secret = 'rest:http://user:hunter@two2@127.0.0.1:1/';
    process.env.SPLITMIRROR_TEST_REPOSITORY = secret;
    const error = await resticVault({
      repository: { environment: 'SPLITMIRROR_TEST_REPOSITORY' },
      password: { command: ['printf', 'correct horse'] },
      program: join(
        await script('echo "$RESTIC_REPOSITORY user:hunter@two2@127.0.0.1:1 $RESTIC_PASSWORD: refused" >&2; exit 1'),
      ),
    }).catch((reason: Error) => reason);
    expect(String(error)).toContain('<redacted>');
    expect(String(error)).not.toMatch(/hunter|two2|correct horse/);
  });

  it('leaves no snapshot of an archive that was abandoned', async () => {
    const store = openStore(join(base, 'store'), await resticVault(options));
    const stored = await store.begin('g', 'abandn', '2026-11-22T11:00:00.000Z');
    const sink = await stored.openArchive('rawlv.dd');
    await sink.write(Buffer.alloc(1_000_000, 'x'));
    await sink.abandon();
    await stored.forget();
    await stored.journal.close();
    expect(restic('snapshots', '--tag', 'run:abandn', '--json').trim()).toBe('[]');
    expect(restic('list', 'locks').trim()).toBe('');
  });

  it('is retained by the same rules: snapshots are forgotten and their data pruned', async () => {
    const own = await repository('retained');
    const store = openStore(join(base, 'retained-store'), await resticVault(own));
    await storeRun(store, 'aaaaaa', Buffer.from('one'), 20);
    await storeRun(store, 'bbbbbb', Buffer.from('two'), 21);
    const { removed } = await retainBackups(store, 'g', { last: 1 }, new Date('2026-11-22T12:00:00.000Z'));
    expect(removed).toEqual(['aaaaaa']);
    const env = { ...process.env, RESTIC_PASSWORD: 'correct horse' };
    const left = execFileSync(program, ['-r', join(base, 'retained'), 'snapshots', '--json'], {
      env,
      encoding: 'utf8',
    });
    expect((JSON.parse(left) as { tags: string[] }[]).map(({ tags }) => tags.includes('run:bbbbbb'))).toEqual([
      true,
      true,
    ]);
    await verifyBackup(await store.find('g'));
  });

  it("forgets what its run has stored, and nobody else's snapshot that looks like it", async () => {
    const own = await repository('shared');
    const store = openStore(join(base, 'shared-store'), await resticVault(own));
    const env = { ...process.env, RESTIC_PASSWORD: 'correct horse', TZ: 'UTC' };
    const repo = (...args: string[]) =>
      execFileSync(program, ['-r', join(base, 'shared'), ...args], { env, input: 'x', encoding: 'utf8' });
    await storeRun(store, 'aaaaaa', Buffer.from('one'), 20);
    await storeRun(store, 'bbbbbb', Buffer.from('two'), 21);
    const theirs = [
      ['splitmirror', '2026-11-20 10:00:00', 'archive', 'group:other', '/rawlv.dd'],
      ['elsewhere', '2026-11-20 10:00:00', 'archive', 'group:g', '/rawlv.dd'],
      ['splitmirror', '2026-11-20 10:00:01', 'archive', 'group:g', '/rawlv.dd'],
      ['splitmirror', '2026-11-20 10:00:00', 'archive,keep', 'group:g', '/rawlv.dd'],
      ['splitmirror', '2026-11-20 10:00:00', 'archive', 'group:g', '/home/books'],
    ];
    for (const [host = '', time = '', role = '', group = '', name = ''] of theirs) {
      const tags = `splitmirror,run:aaaaaa,${role},${group}`;
      repo('backup', '--quiet', '--host', host, '--time', time, '--tag', tags, '--stdin', '--stdin-filename', name);
    }
    const { removed } = await retainBackups(store, 'g', { last: 1 }, new Date('2026-11-22T12:00:00.000Z'));
    expect(removed).toEqual(['aaaaaa']);
    const left = JSON.parse(repo('snapshots', '--json')) as { tags: string[] }[];
    expect(left.filter(({ tags }) => tags.includes('run:aaaaaa'))).toHaveLength(theirs.length);
    expect(left).toHaveLength(theirs.length + 2);
    await verifyBackup(await store.find('g'));
  });

  it('says that a snapshot is gone', async () => {
    const own = await repository('gone');
    const store = openStore(join(base, 'gone-store'), await resticVault(own));
    const { snapshot } = await storeRun(store, 'aaaaaa', Buffer.from('one'));
    const env = { ...process.env, RESTIC_PASSWORD: 'correct horse' };
    execFileSync(program, ['-r', join(base, 'gone'), 'forget', snapshot ?? ''], { env });
    await expect(verifyBackup(await store.find('g'))).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  });

  it('refuses a wrong password, a repository that is not there, a program that is not there', async () => {
    await writeFile(join(base, 'wrong'), 'wrong\n');
    const { repository: there, password } = options;
    await expect(resticVault({ repository: there, password: { file: join(base, 'wrong') } })).rejects.toMatchObject({
      code: 'RESTIC_PASSWORD',
    });
    await writeFile(join(base, 'nowhere'), '/nowhere/at/all');
    await expect(resticVault({ repository: { file: join(base, 'nowhere') }, password })).rejects.toMatchObject({
      code: 'RESTIC_REPOSITORY',
    });
    await expect(resticVault({ ...options, program: '/nowhere/restic' })).rejects.toMatchObject({
      code: 'RESTIC_MISSING',
    });
    await expect(resticVault({ ...options, password: { environment: 'NOT_SET_ANYWHERE' } })).rejects.toThrow(
      RangeError,
    );
  });

  it('quotes what restic says, without the stack of its program', async () => {
    const stack = [
      'github.com/restic/restic/internal/backend/local.(*Local).Save.func1',
      '\t/build/restic/internal/backend/local/local.go:144',
      'runtime.main',
      '\truntime/proc.go:250',
      'runtime.goexit',
      '\truntime/asm_amd64.s:1594',
    ];
    const said = ['write /lock: no space left on device', ...stack, 'unable to create lock in backend'].join('\n');
    const program = await script(`cat >&2 <<'E'\n${said}\nE\nexit 1`);
    await expect(resticVault({ ...options, program })).rejects.toMatchObject({
      code: 'STORE_FULL',
      message: 'restic: it ended with 1: write /lock: no space left on device; unable to create lock in backend',
    });
  });

  it('waits for nobody who has locked the repository, and heals a lock whose holder is gone', async () => {
    const own = await repository('locked');
    const vault = await resticVault(own);
    const env = { ...process.env, RESTIC_PASSWORD: 'correct horse' };
    const holder = spawn(program, ['-r', join(base, 'locked'), 'backup', '--stdin', '--quiet'], { env });
    const locks = join(base, 'locked', 'locks');
    while ((await readdir(locks)).length === 0) await delay(50);
    await expect(vault.forget([])).rejects.toMatchObject({ code: 'RESTIC_LOCKED' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(await readdir(locks)).toHaveLength(1);
    await vault.forget([]);
    expect(await readdir(locks)).toEqual([]);
  });

  it('ends an archive whose restic hangs', async () => {
    const program = await script('case $* in *--stdin*) exec sleep 600;; *) exec restic "$@";; esac');
    const store = openStore(join(base, 'hung-store'), await resticVault({ ...options, program }));
    await mkdir(join(base, 'large/fs'), { recursive: true });
    await writeFile(join(base, 'large/fs/file'), Buffer.alloc(5_000_000));
    await writeFile(join(base, 'large/raw'), Buffer.alloc(500_000));
    const running = makeBackup(store, join(base, 'large'), { run: 'hangin', idleSeconds: 2 });
    await expect(running).rejects.toThrow(/"code":"ARCHIVE_STALLED"/);
  });

  it.each([
    ['before it has read the last bytes', 'case $* in *--stdin*) exec sleep 600;; esac'],
    ['at the end of its input', 'case $* in *--stdin*) cat >/dev/null; exec sleep 600;; esac'],
    ['while it shows the snapshot', 'case $* in *snapshots*) exec sleep 600;; esac'],
  ])(
    'ends an archive whose restic hangs %s',
    async (when, hangs) => {
      const started = join(base, `started ${when}`);
      const program = await script(`echo $$ >>'${started}'\n${hangs}\nexec restic "$@"`);
      const store = openStore(join(base, `hung ${when}`), await resticVault({ ...options, program }));
      // Less than a pipe has room for, at first.
      await mkdir(join(base, 'small/fs'), { recursive: true });
      await writeFile(join(base, 'small/fs/file'), 'small');
      await writeFile(join(base, 'small/raw'), Buffer.alloc(500_000));
      const running = makeBackup(store, join(base, 'small'), { run: 'hangin', idleSeconds: 2 });
      await expect(running).rejects.toThrow(/"code":"ARCHIVE_STALLED"/);
      // None is left that could make a snapshot later.
      const pids = (await readFile(started, 'utf8')).trim().split('\n').map(Number);
      await expect.poll(() => pids.filter(isRunning), { timeout: 5000 }).toEqual([]);
    },
    30_000,
  );

  it('fails an archive whose restic was killed', async () => {
    const pid = join(base, 'pid');
    const program = await script(`echo $$ >${pid}; exec restic "$@"`);
    const store = openStore(join(base, 'killed-store'), await resticVault({ ...options, program }));
    const stored = await store.begin('g', 'killed', '2026-11-22T11:00:00.000Z');
    const sink = await stored.openArchive('rawlv.dd');
    await sink.write(Buffer.from('a part'));
    await delay(500);
    process.kill(Number(await readFile(pid, 'utf8')), 'SIGKILL');
    await expect(sink.finish()).rejects.toMatchObject({ code: 'RESTIC_KILLED' });
    await sink.abandon();
    await stored.journal.close();
    expect(restic('snapshots', '--tag', 'run:killed', '--json').trim()).toBe('[]');
  });

  it('makes no snapshot of an archive whose chunks were emptied under its hands', async () => {
    const store = openStore(join(base, 'emptied'), await resticVault(options));
    const stored = await store.begin('g', 'emptied', '2026-11-22T10:00:00.000Z');
    const sink = await stored.openArchive('rawlv.dd');
    // More than the pipe has room for: what comes behind it waits.
    void sink.write(Buffer.alloc(1 << 20));
    const chunk = Buffer.from(new ArrayBuffer(16_384));
    const writing = sink.write(chunk);
    setImmediate(() => (chunk.buffer as ArrayBuffer).transfer(0));
    await writing.catch(() => {});
    const gone = { code: 'RESTIC_FAILED', message: 'bytes of rawlv.dd were gone before restic had them' };
    await expect(sink.finish()).rejects.toMatchObject(gone);
    await sink.abandon();
    await stored.journal.close();
    expect(restic('snapshots', '--tag', 'run:emptied', '--json').trim()).toBe('[]');
  });

  const canMount = process.getuid?.() === 0 && process.platform === 'linux';
  it.skipIf(!canMount)('says that the repository is full (needs root, for a small tmpfs)', async () => {
    const full = join(base, 'full');
    await mkdir(full);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', full]);
    try {
      const store = openStore(join(base, 'full-store'), await resticVault(await repository('full', full)));
      expect(await store.freeBytes()).toBeLessThan(2 << 20);
      const noise = execFileSync('head', ['-c', '20000000', '/dev/urandom'], { maxBuffer: 1 << 26 });
      await mkdir(join(base, 'noise/fs'), { recursive: true });
      await writeFile(join(base, 'noise/fs/file'), noise);
      await writeFile(join(base, 'noise/raw'), Buffer.alloc(500_000));
      // restic 0.14 sometimes hangs on a full target instead: then the archive stalls.
      await expect(makeBackup(store, join(base, 'noise'), { run: 'noisee', idleSeconds: 5 })).rejects.toThrow(
        /"code":"(?:STORE_FULL|ARCHIVE_STALLED)"/,
      );
      expect(await store.list('g')).toEqual([]);
    } finally {
      execFileSync('umount', ['-l', full]);
      await rm(full, { recursive: true });
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function script(text: string): Promise<string> {
  const directory = await mkdtemp(join(base, 'bin-'));
  const file = join(directory, 'restic');
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o755);
  return file;
}
