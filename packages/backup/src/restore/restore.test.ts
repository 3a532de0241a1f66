import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import {
  appendFile,
  chmod,
  chown,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { beforeEach, describe, expect, it } from 'vitest';
import { asOrdinaryUser } from '../../test/ordinary-user.ts';
import { makeBackup, makeSource, requireSameBytes, requireSameTree } from '../../test/real-backup.ts';
import type { BackupError } from '../errors.ts';
import { manifestSchema } from '../store/manifest.ts';
import { openStore, type Store, type StoredBackup } from '../store/store.ts';
import { formProblems } from '../store/stored-form.ts';
import { requireRoom, restoreBackup, verifyBackup } from './restore.ts';
import { previewRestore } from './selection.ts';

let base: string;
let source: string;
let store: Store;
let into: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'splitmirror-restore-'));
  source = join(base, 'source');
  into = join(base, 'into');
  await makeSource(source);
  store = openStore(join(base, 'store'));
});

describe('restoreBackup', () => {
  it('brings everything back but the notes of splitmirror', async () => {
    const backup = await makeBackup(store, source);
    const { volumes } = await restoreBackup(backup, into);
    expect(volumes.map(({ volume, files, bytes }) => [volume, files, bytes])).toEqual([
      ['datalv', 3, 200_017],
      ['rawlv', 1, 500_000],
    ]);
    requireSameTree(join(source, 'fs'), join(into, 'datalv'));
    requireSameBytes(join(source, 'raw'), join(into, 'rawlv'));
    expect(await readdir(join(into, 'datalv'))).not.toContain('.splitmirror');
    expect((await stat(into)).mode & 0o777).toBe(0o700);
    expect((await stat(join(into, 'datalv/accounts/2026/november'))).mode & 0o777).toBe(0o640);
  });

  it('leaves alone what somebody puts in its way meanwhile', async () => {
    const backup = await makeBackup(store, source);
    const read: typeof backup.read = (record) => {
      if (record.volume === 'datalv') writeFileSync(join(into, 'rawlv'), 'mine');
      return backup.read(record);
    };
    await expect(restoreBackup({ ...backup, read }, into)).rejects.toMatchObject({
      code: 'RESTORE_PARTIAL',
      problems: [{ code: 'RESTORE_TARGET', message: expect.stringMatching(/^rawlv: .*EEXIST/) }],
    });
    expect(await readFile(join(into, 'rawlv'), 'utf8')).toBe('mine');
  });

  it.each([
    [['/data/accounts'], ['accounts', 'accounts/2026', 'accounts/2026/november', 'accounts/index']],
    [['/data/**/nov*'], ['accounts', 'accounts/2026', 'accounts/2026/november']],
    [
      ['/data/read?e', '/data/[k-m]atest'],
      ['latest', 'readme'],
    ],
  ])('restores %j with the directories above', async (select, expected) => {
    const backup = await makeBackup(store, source);
    await restoreBackup(backup, into, { select });
    expect(await readdir(into)).toEqual(['datalv']);
    expect((await readdir(join(into, 'datalv'), { recursive: true })).sort()).toEqual(expected);
    expect((await stat(join(into, 'datalv'))).mode).toBe((await stat(join(source, 'fs'))).mode);
  });

  it('restores a volume by its name, and shows beforehand what would come', async () => {
    const backup = await makeBackup(store, source);
    expect(await previewRestore(backup, { select: ['rawlv', '/data/accounts/*'], mostPaths: 2 })).toEqual({
      volumes: [
        {
          volume: 'datalv',
          mountPoint: '/data',
          entries: 3,
          files: 2,
          bytes: 200_009,
          paths: expect.arrayContaining([expect.stringMatching(/^\/data\/accounts\//)]),
        },
        { volume: 'rawlv', mountPoint: null, entries: 1, files: 1, bytes: 500_000, paths: [] },
      ],
      unmatched: [],
    });
    const { volumes } = await restoreBackup(backup, into, { select: ['rawlv'] });
    expect(volumes.map(({ volume }) => volume)).toEqual(['rawlv']);
  });

  it('takes no set of characters over a slash, and no pattern that is none', async () => {
    const backup = await makeBackup(store, source);
    const { unmatched } = await previewRestore(backup, { select: ['/data/accounts[!x]index', '/data[!x]readme'] });
    expect(unmatched).toEqual(['/data/accounts[!x]index', '/data[!x]readme']);
    await expect(previewRestore(backup, { select: ['/data/[z-a]'] })).rejects.toMatchObject({
      code: 'RESTORE_UNKNOWN_PATH',
      message: '/data/[z-a] is no pattern',
    });
  });

  it('restores nothing when something that was asked for is not there', async () => {
    const backup = await makeBackup(store, source);
    const select = ['/data/readme', '/data/.splitmirror/lock', '/elsewhere'];
    await expect(restoreBackup(backup, into, { select })).rejects.toMatchObject({
      code: 'RESTORE_UNKNOWN_PATH',
      message: expect.stringContaining('/data/.splitmirror/lock, /elsewhere'),
    });
    await expect(readdir(into)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('overwrites nothing, and looks for room first', async () => {
    const backup = await makeBackup(store, source);
    await mkdir(into);
    await writeFile(join(into, 'mine'), '');
    await expect(restoreBackup(backup, into)).rejects.toMatchObject({ code: 'RESTORE_TARGET' });
    expect(() => requireRoom([{ bytes: 900, entries: 1 }], 4999, '/x')).not.toThrow();
    expect(() => requireRoom([{ bytes: 904, entries: 1 }], 4999, '/x')).toThrow(/4999 bytes free/);
  });

  it.each([
    ['is a file', (at: string) => writeFile(at, ''), '', /is no directory/],
    ['lies below a file', (at: string) => writeFile(at, ''), '/x', /ENOTDIR/],
    ['is a link that leads nowhere', (at: string) => symlink('nowhere/at/all', at), '', /ENOENT/],
    ['lies below a link to itself', (at: string) => symlink(at, at), '/x', /ELOOP/],
    ['has a name that is too long', async () => {}, 'x'.repeat(300), /ENAMETOOLONG/],
  ])('says that a place which %s cannot be used', async (_, prepare, behind, message) => {
    const backup = await makeBackup(store, source);
    await prepare(into);
    await expect(restoreBackup(backup, `${into}${behind}`)).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringMatching(message),
    });
  });

  it('gives owners only where it can, and says so before anything is restored', async () => {
    const backup = await makeBackup(store, source);
    const refused = asOrdinaryUser(base, () => restoreBackup(backup, into, { owners: 'numeric' }));
    await expect(refused).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringMatching(/owners.*EPERM/),
      remedy: expect.stringMatching(/as root.*--owners/),
    });
    expect(await readdir(into)).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)('gives each file its owner by number (needs root)', async () => {
    await chown(join(source, 'fs', 'readme'), 1234, 5678);
    const { uid, gid } = await stat(base);
    await restoreBackup(await makeBackup(store, source), into, { owners: 'numeric' });
    expect(await stat(join(into, 'datalv', 'readme'))).toMatchObject({ uid: 1234, gid: 5678 });
    expect(await stat(into)).toMatchObject({ uid, gid });
  });

  it.skipIf(process.platform !== 'linux')('says so of a place where no directory can be made, and ends', async () => {
    const backup = await makeBackup(store, source);
    await expect(restoreBackup(backup, '/proc/splitmirror')).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringMatching(/the file system of \/proc makes no directories/),
    });
  });

  const canMount = process.getuid?.() === 0 && process.platform === 'linux';
  it.skipIf(!canMount)('says so of a place that is read-only, before it tries (needs root)', async () => {
    const backup = await makeBackup(store, source);
    await mkdir(into);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', into]);
    try {
      for (const place of [into, join(into, 'a', 'b')]) {
        await expect(restoreBackup(backup, place)).rejects.toMatchObject({
          code: 'RESTORE_TARGET',
          message: expect.stringMatching(/EROFS/),
        });
      }
    } finally {
      execFileSync('umount', [into]);
    }
  });

  it.each(['datalv.tar', 'datalv.tar.catalogue.ndjson', 'rawlv.dd'])(
    'says of %s that it cannot be read, which is no damage and no defect',
    async (name) => {
      const backup = await makeBackup(store, source);
      await chmod(join(backup.directory, name), 0o000);
      const unreadable = {
        code: 'STORE_UNUSABLE',
        message: expect.stringMatching(new RegExp(`${name} cannot be read: EACCES`)),
        remedy: expect.stringMatching(/Let this user read/),
      };
      await asOrdinaryUser(base, async () => {
        const ways = [
          () => verifyBackup(backup),
          () => restoreBackup(backup, into, { select: [name.startsWith('datalv') ? 'datalv' : 'rawlv'] }),
        ];
        for (const way of ways) await expect(way()).rejects.toMatchObject(unreadable);
        if (name.endsWith('.ndjson')) await expect(previewRestore(backup)).rejects.toMatchObject(unreadable);
      });
    },
  );

  it('says what could not be written to its place, which is no defect', async () => {
    const backup = await makeBackup(store, source);
    const read: typeof backup.read = (record) => {
      chmodSync(into, 0o500);
      return backup.read(record);
    };
    const restored = asOrdinaryUser(base, () => restoreBackup({ ...backup, read }, into, { select: ['datalv'] }));
    await expect(restored).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringMatching(/datalv.*: EACCES/),
      remedy: expect.stringMatching(/another file system/),
    });
  });

  it('restores the volumes that it can, and says which it could not', async () => {
    const backup = await makeBackup(store, source);
    const file = join(backup.directory, 'rawlv.dd');
    await truncate(file, 1000);
    await expect(restoreBackup(backup, into)).rejects.toMatchObject({
      code: 'RESTORE_PARTIAL',
      restored: ['datalv'],
      problems: [{ code: 'BACKUP_DAMAGED', message: expect.stringContaining('rawlv') }],
    });
    expect(await readdir(into)).toEqual(['datalv']);
    await rm(into, { recursive: true });
    await expect(restoreBackup(backup, into, { select: ['rawlv'] })).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  });

  describe('to a disk that takes no more', () => {
    it.skipIf(!canMount)('says so when it has filled up meanwhile (needs root, for a small tmpfs)', async () => {
      const backup = await makeBackup(store, source);
      await mkdir(into);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', into]);
      try {
        // Others write there, too, when the room was looked at.
        const read: typeof backup.read = (record) => {
          writeFileSync(join(base, 'into/others'), Buffer.alloc(900_000));
          return backup.read(record);
        };
        const restoring = restoreBackup({ ...backup, read }, into);
        await expect(restoring).rejects.toMatchObject({
          code: 'RESTORE_NO_SPACE',
          message: expect.stringMatching(/datalv is not whole: .*ENOSPC/),
          remedy: expect.stringContaining(`Take ${join(into, 'datalv')} away`),
        });
      } finally {
        execFileSync('umount', [into]);
      }
    });

    const canThin =
      canMount && spawnSync('losetup', ['-f']).status === 0 && spawnSync('mkfs.ext4', ['-V']).status === 0;
    // As on thinly provisioned storage: what lies below the disk is full, and nobody hears of it when something is written.
    it.skipIf(!canThin).each(['datalv', 'rawlv'])(
      'restores nothing of %s that only memory has taken (needs root, for a thin disk)',
      async (volume) => {
        const backup = await makeBackup(store, source);
        const thin = join(base, 'thin');
        for (const each of [thin, into]) await mkdir(each);
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', thin]);
        try {
          const image = join(thin, 'image');
          await writeFile(image, '');
          await truncate(image, 20 << 20);
          execFileSync('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
          execFileSync('mount', ['-o', 'loop', image, into]);
          try {
            await writeFile(join(thin, 'others'), Buffer.alloc(8 << 20)).catch(() => {});
            const within = join(into, 'restored');
            await expect(restoreBackup(backup, within, { select: [volume] })).rejects.toMatchObject({
              // Which of the two the system says is its affair.
              code: expect.stringMatching(/^RESTORE_(?:NO_SPACE|TARGET)$/),
              message: expect.stringMatching(/lv is not whole: .*(?:no space left|i(?:nput)?\/o(?:utput)? error)/i),
            });
          } finally {
            execFileSync('umount', [into]);
          }
        } finally {
          execFileSync('umount', [thin]);
        }
      },
    );

    /** Runs with another `sync` than that of this machine, or with none. */
    const withSync = async <T>(script: string | null, work: () => Promise<T>): Promise<T> => {
      const programs = await mkdtemp(join(base, 'programs-'));
      if (script !== null) await writeFile(join(programs, 'sync'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const { PATH } = process.env;
      process.env.PATH = script === null ? programs : `${programs}:${PATH}`;
      try {
        return await work();
      } finally {
        process.env.PATH = PATH;
      }
    };

    it('has each volume on the disk before it counts as restored', async () => {
      const backup = await makeBackup(store, source);
      const seen = join(base, 'seen');
      const script = `printf '%s %s %s\\n' "$1" "\${2##*/}" "$(find "$2" | wc -l)" >> ${seen}; exec /usr/bin/sync "$@"`;
      const { volumes } = await withSync(script, () => restoreBackup(backup, into));
      expect(volumes.map(({ volume, onDisk }) => [volume, onDisk])).toEqual([
        ['datalv', true],
        ['rawlv', true],
      ]);
      expect(await readFile(seen, 'utf8')).toBe('-f datalv 7\n-f rawlv 1\n');
    });

    it.each([
      ['No space left on device', 'RESTORE_NO_SPACE'],
      ['Disk quota exceeded', 'RESTORE_NO_SPACE'],
      ['Input/output error', 'RESTORE_TARGET'],
    ])('keeps what others have restored: %s', async (said, code) => {
      const backup = await makeBackup(store, source);
      const script = `case $2 in *rawlv) echo "sync: error syncing '$2': ${said}" >&2; exit 1;; esac`;
      // The name of the place says nothing of the command.
      into = join(base, 'sync: invalid option');
      await expect(withSync(script, () => restoreBackup(backup, into))).rejects.toMatchObject({
        code: 'RESTORE_PARTIAL',
        restored: ['datalv'],
        problems: [{ code, message: expect.stringContaining(said), remedy: expect.stringContaining('Take ') }],
      });
    });

    it.each([
      ['there is none', null],
      ['it does not know that word', `echo "sync: invalid option -- 'f'" >&2; exit 1`],
    ])('says that it may not be on the disk where the system cannot say so: %s', async (_, script) => {
      const backup = await makeBackup(store, source);
      const { volumes } = await withSync(script, () => restoreBackup(backup, into));
      expect(volumes.map(({ onDisk }) => onDisk)).toEqual([false, false]);
      requireSameTree(join(source, 'fs'), join(into, 'datalv'));
    });

    it('ends when it is asked to while the disk is waited for', async () => {
      const backup = await makeBackup(store, source);
      const ending = new AbortController();
      const { signal } = ending;
      const waiting = join(base, 'waiting');
      const restoring = withSync(`: > ${waiting}; exec sleep 60`, () => restoreBackup(backup, into, { signal }));
      void expect
        .poll(() => existsSync(waiting), { timeout: 20_000 })
        .toBe(true)
        .then(() => ending.abort());
      await expect(restoring).rejects.toMatchObject({ code: 'INTERRUPTED', restored: [] });
    });
  });

  it('says what is whole and what is not when it is interrupted', async () => {
    const backup = await makeBackup(store, source);
    const ending = new AbortController();
    const { signal } = ending;
    const interrupted: StoredBackup = {
      ...backup,
      read(record, ...more) {
        if (record.volume === 'rawlv') ending.abort();
        return backup.read(record, ...more);
      },
    };
    await expect(restoreBackup(interrupted, into, { signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
      message: 'interrupted: restored: datalv; of rawlv a part may have been written',
      restored: ['datalv'],
    });
    await expect(restoreBackup(backup, join(into, 'again'), { signal })).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('verifyBackup', () => {
  it.each(['datalv.tar', 'rawlv.dd'])('notices what was done to %s', async (file) => {
    const backup = await makeBackup(store, source);
    expect((await verifyBackup(backup)).volumes.map(({ level }) => level)).toEqual(['contents', 'contents']);
    await appendFile(join(backup.directory, file), Buffer.alloc(512));
    await expect(verifyBackup(backup)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  });

  it('tells of every archive that is damaged or gone', async () => {
    const backup = await makeBackup(store, source);
    await rm(join(backup.directory, 'datalv.tar'));
    await appendFile(join(backup.directory, 'rawlv.dd'), 'x');
    await expect(verifyBackup(backup)).rejects.toMatchObject({
      code: 'BACKUP_DAMAGED',
      message: expect.stringMatching(/datalv\.tar.*; .*rawlv\.dd/),
    });
  });
});

describe('a catalogue that is damaged', () => {
  const commandOfCli = /splitmirror list g/;
  const notForAnOperator = /\w+\(\)/;

  it.each([
    ['restore', (backup: StoredBackup) => restoreBackup(backup, into)],
    ['preview', (backup: StoredBackup) => previewRestore(backup)],
    ['verification', (backup: StoredBackup) => verifyBackup(backup)],
  ])('makes the backup a damaged one for a %s, with a remedy for who operates it', async (_, read) => {
    const backup = await makeBackup(store, source);
    await appendFile(join(backup.directory, 'datalv.tar.catalogue.ndjson'), '{"path":"x"}\n');
    const error = await read(backup).then(
      () => undefined,
      (failed: BackupError) => failed,
    );
    expect(error).toMatchObject({ code: 'BACKUP_DAMAGED', remedy: expect.stringMatching(commandOfCli) });
    expect(error?.message).toMatch(/datalv\.tar\.catalogue\.ndjson/);
    expect(JSON.stringify([error?.remedy, error?.problems])).not.toMatch(notForAnOperator);
  });

  it('is told as damage too where its entries are those of another archive', async () => {
    const backup = await makeBackup(store, source);
    await writeFile(join(source, 'fs', 'readme'), 'READ ME\n');
    const other = await makeBackup(store, source, { run: 'bbbbbb' });
    const name = 'datalv.tar.catalogue.ndjson';
    await copyFile(join(other.directory, name), join(backup.directory, name));
    await expect(restoreBackup(backup, into, { select: ['datalv'] })).rejects.toMatchObject({
      code: 'BACKUP_DAMAGED',
      remedy: expect.stringMatching(commandOfCli),
    });
  });
});

describe('what this machine does not take', () => {
  it('is the fault of the place and not of the backup', async () => {
    execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', join(source, 'fs', 'pipe')]);
    const backup = await makeBackup(store, source);
    await expect(restoreBackup(backup, into, { select: ['datalv'] })).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringContaining('pipe'),
      remedy: expect.stringMatching(/--node/),
    });
  });
});

describe('compressed and encrypted archives', () => {
  it.each(['gzip', 'zstd'] as const)('come back from %s and age, and only with an identity', async (compression) => {
    const identity = await generateIdentity();
    const form = { compression, recipients: [await identityToRecipient(identity)] };
    const backup = await makeBackup(store, source, { form });
    const extension = { gzip: 'gz', zstd: 'zst' }[compression];
    expect(backup.manifest.archives.map(({ file }) => file)).toEqual([
      `datalv.tar.${extension}.age`,
      `rawlv.dd.${extension}.age`,
    ]);
    expect(JSON.stringify(backup.manifest)).not.toContain('SECRET');
    await expect(restoreBackup(backup, into)).rejects.toMatchObject({ code: 'IDENTITY_MISSING' });
    await rm(into, { recursive: true });
    const other = await generateIdentity();
    await expect(restoreBackup(backup, into, { identities: [other] })).rejects.toMatchObject({
      code: 'STORED_IDENTITY',
    });
    await rm(into, { recursive: true });
    await restoreBackup(backup, into, { identities: [identity] });
    requireSameTree(join(source, 'fs'), join(into, 'datalv'));

    expect((await verifyBackup(backup)).volumes.map(({ level }) => level)).toEqual(['stored', 'stored']);
    expect((await verifyBackup(backup, { identities: [identity] })).volumes[0]?.level).toBe('contents');
    await truncate(join(backup.directory, `datalv.tar.${extension}.age`), 5000);
    await expect(verifyBackup(backup)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    await expect(verifyBackup(backup, { identities: [identity] })).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  });

  it('are refused before a mirror is split when they could not be made, without quoting what might be a secret', async () => {
    expect(await formProblems({ compression: 'gzip' })).toEqual([]);
    const [problem] = await formProblems({ recipients: ['AGE-SECRET-KEY-1XYZ'] });
    expect(problem).toMatchObject({ code: 'STORED_FORM' });
    expect(JSON.stringify(problem)).not.toContain('1XYZ');
  });
});

describe('a backup read without splitmirror', () => {
  it('is checked and extracted by the commands of its own README.txt', async () => {
    const backup = await makeBackup(store, source, { form: { compression: 'gzip' } });
    const guide = await readFile(join(backup.directory, 'README.txt'), 'utf8');
    const commands = guide.split('\n').filter((line) => /^ {2}(?:sha256sum|cat) /.test(line));
    expect(commands).toHaveLength(3);
    await mkdir(join(into, 'tree'), { recursive: true });
    for (const command of commands) {
      const line = command.replace('DIRECTORY', join(into, 'tree')).replace('DEVICE', join(into, 'raw'));
      execFileSync('sh', ['-ec', line], { cwd: backup.directory, stdio: 'pipe' });
    }
    requireSameTree(join(source, 'fs'), join(into, 'tree'));
    requireSameBytes(join(source, 'raw'), join(into, 'raw'));
  });
});

describe('manifests of version 1', () => {
  it('are still read, restored and verified', async () => {
    const backup = await makeBackup(store, source);
    const { leftOut, suspicions, judgedAgainst, parent, ...manifest } = backup.manifest;
    const { volumes, ...redundancy } = manifest.redundancy;
    const { groups, ...consistency } = manifest.consistency;
    const archives = manifest.archives.map(
      ({ compression, recipients, stored, snapshot, seconds, ...record }) => record,
    );
    const first = { ...manifest, splitmirror: 1, redundancy, consistency, archives };
    await writeFile(join(backup.directory, 'manifest.json'), JSON.stringify(first));
    const again = await store.find('g');
    expect(again.manifest).toMatchObject({ splitmirror: 2, suspicions: [], parent: null });
    expect(manifestSchema.parse(again.manifest)).toEqual(again.manifest);
    await verifyBackup(again);
    await restoreBackup(again, into);
  });
});

describe('damage beside a volume that cannot be read', () => {
  /** The file system is damaged, and the raw volume cannot be read, in this order or the other one. */
  const spoilt = async (order: 'damage first' | 'damage last'): Promise<StoredBackup> => {
    const backup = await makeBackup(store, source);
    await writeFile(join(backup.directory, 'datalv.tar'), 'cut off');
    const read: StoredBackup['read'] = (record, signal) => {
      if (record.volume === 'rawlv') throw new Error('EIO: i/o error');
      return backup.read(record, signal);
    };
    const { archives } = backup.manifest;
    const sorted = order === 'damage first' ? archives : [...archives].reverse();
    return { ...backup, read, manifest: { ...backup.manifest, archives: sorted } };
  };
  const told = {
    code: 'BACKUP_DAMAGED',
    message: expect.stringMatching(/datalv\.tar .*; rawlv: EIO: i\/o error$/),
    problems: expect.arrayContaining([expect.objectContaining({ message: expect.stringMatching(/^rawlv: EIO/) })]),
  };

  it.each(['damage first', 'damage last'] as const)('is told, and the other with it: %s', async (order) => {
    const backup = await spoilt(order);
    await expect(verifyBackup(backup)).rejects.toMatchObject(told);
    await expect(restoreBackup(backup, into)).rejects.toMatchObject(told);
  });
});
