import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localHost, localTransport } from '@splitmirror/host';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { beforeEach, describe, expect, it } from 'vitest';
import { asOrdinaryUser } from '../../test/ordinary-user.ts';
import { makeBackup, makeSource } from '../../test/real-backup.ts';
import { storeError } from '../store/durable.ts';
import { listBackups } from '../store/listing.ts';
import type { DrillRecord } from '../store/records.ts';
import { openStore, type Store, type StoredBackup } from '../store/store.ts';
import { type DrillRequest, drillBackup, drillsDue } from './drill.ts';

let base: string;
let store: Store;
let backup: StoredBackup;
let scratch: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'splitmirror-drill-'));
  await makeSource(join(base, 'source'));
  store = openStore(join(base, 'store'));
  backup = await makeBackup(store, join(base, 'source'));
  scratch = join(base, 'scratch');
  await mkdir(scratch);
});

const now = () => new Date('2026-11-23T10:00:00.000Z');
const probe = (text: string) => ({ argv: ['sh', '-c', text, 'probe'] as [string, ...string[]], timeoutSeconds: 20 });
const opens = probe('test -s "$1/datalv/readme" && test "$(wc -c <"$1/rawlv")" -eq 500000');
const place = () => ({ kind: 'directory', directory: scratch }) as const;
const node = (): NonNullable<DrillRequest['place']> => {
  const path = '/usr/bin:/bin';
  const mountPoint = execFileSync('df', ['-k', base], { encoding: 'utf8' }).trim().split(/\s/).at(-1) ?? '';
  const target = { host: localHost('a', { path }), transport: localTransport('a'), path };
  return { kind: 'node', target, directory: scratch, mountPoint };
};

/** A node whose link is lost at this step of a script. */
function lostAt(step: string): NonNullable<DrillRequest['place']> {
  const there = node();
  if (there.kind !== 'node') throw new Error('a node');
  const { host } = there.target;
  const run: typeof host.run = async (script, how) =>
    script.steps.some(({ id }) => id === step)
      ? { kind: 'unknown', reason: 'link lost', steps: [] }
      : host.run(script, how);
  return { ...there, target: { ...there.target, host: { ...host, run } } };
}

describe('drillBackup', () => {
  it.each(['bytes', 'contents', 'application'] as const)('passes %s, records it, and leaves nothing', async (level) => {
    const record = await drillBackup(store, backup, { level, place: place(), probe: opens }, now);
    expect(record).toMatchObject({ level, outcome: 'passed', at: now().toISOString(), problems: [], unrecorded: null });
    expect(await readdir(scratch)).toEqual([]);
    const [listed] = await listBackups(store, 'g', new Date('2026-11-25T22:00:00.000Z'));
    expect(listed).toMatchObject({ health: 'good', proven: { level, ageDays: 2.5 } });
  });

  it('tells what it found also where the store takes no record', async () => {
    const readOnly: Store = {
      ...store,
      record: async () => {
        throw storeError(backup.directory, new Error('EROFS: read-only file system'));
      },
    };
    const fails = probe('exit 4');
    const told = await drillBackup(readOnly, backup, { level: 'application', place: place(), probe: fails }, now);
    expect(told).toMatchObject({ outcome: 'failed', unrecorded: { code: 'STORE_UNUSABLE' } });
    expect((await store.find('g')).records).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'passes for an ordinary user what he cannot write or read as it was archived, and leaves nothing (needs root)',
    async () => {
      const source = join(base, 'source', 'fs', 'accounts', '2026');
      await chmod(join(source, 'november'), 0o000);
      await chmod(source, 0o600);
      const locked = await makeBackup(store, join(base, 'source'), { run: 'cccccc' });
      await asOrdinaryUser(base, async () => {
        const record = await drillBackup(store, locked, { level: 'contents', place: place() }, now);
        expect(record).toMatchObject({ outcome: 'passed', problems: [], left: null });
      });
      expect(await readdir(scratch)).toEqual([]);
      expect((await store.find('g', 'cccccc')).records).toHaveLength(1);
    },
  );

  it('records what it found, and says where it is, also where what was restored cannot be removed', async () => {
    await chmod(scratch, 0o700);
    const stays = probe(`chmod 500 ${scratch}; exit 4`);
    const found = await asOrdinaryUser(base, () =>
      drillBackup(store, backup, { level: 'application', place: place(), probe: stays }, now),
    );
    const [name = ''] = await readdir(scratch);
    expect(found).toMatchObject({
      outcome: 'failed',
      left: {
        code: 'DRILL_LEFT',
        message: expect.stringContaining(`${join(scratch, name)} could not be removed: EACCES`),
        remedy: expect.stringContaining(`rm -rf ${join(scratch, name)}`),
      },
    });
    expect((await store.find('g')).records).toHaveLength(1);
  });

  it('passes on a node, through its own tools', async () => {
    const request = { level: 'application', place: node(), probe: opens } as const;
    expect(await drillBackup(store, backup, request, now)).toMatchObject({
      outcome: 'passed',
      where: 'a',
      program: 'sh',
    });
    expect(await readdir(scratch)).toEqual([]);
    const left = join(scratch, 'splitmirror-drill-aaaaaa');
    await mkdir(left);
    await expect(drillBackup(store, backup, request, now)).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringMatching(/^a: mkdir: .*splitmirror-drill-aaaaaa.*: File exists$/),
      remedy: expect.stringContaining(`rm -r ${left}`),
    });
    expect(await readdir(scratch)).toHaveLength(1);
    const nowhere = { ...node(), directory: join(scratch, 'nowhere') };
    await expect(drillBackup(store, backup, { ...request, place: nowhere }, now)).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringMatching(/No such file or directory$/),
    });
    expect((await store.find('g')).records).toHaveLength(1);
  });

  it.each([
    ['here', place],
    ['on a node', node],
  ])('records that the application did not open it (%s)', async (_, where) => {
    const fails = probe('echo cannot open the books >&2; exit 4');
    const record = await drillBackup(store, backup, { level: 'application', place: where(), probe: fails }, now);
    expect(record).toMatchObject({ outcome: 'failed', problems: ['sh ended with 4: cannot open the books'] });
    expect(await readdir(scratch)).toEqual([]);
    const [listed] = await listBackups(store, 'g', now());
    expect(listed).toMatchObject({ health: 'damaged', proven: null, reasons: record.problems });
  });

  it('ends a probe that ignores its deadline', async () => {
    const stubborn = { ...probe('trap "" TERM; sleep 15 & while :; do wait; done'), timeoutSeconds: 1 };
    const request = { level: 'application', place: place(), probe: stubborn } as const;
    const { outcome, problems } = await drillBackup(store, backup, request, now);
    expect({ outcome, problems }).toMatchObject({ outcome: 'failed', problems: ['sh ended with its deadline: '] });
  }, 10_000);

  it('does not take a fault of the place for one of the backup', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const read: StoredBackup['read'] = (record) => {
      if (record.volume === 'rawlv') throw full;
      return backup.read(record);
    };
    const request = { level: 'contents', place: place() } as const;
    await expect(drillBackup(store, { ...backup, read }, request, now)).rejects.toMatchObject({
      code: 'RESTORE_PARTIAL',
    });
    expect((await store.find('g')).records).toEqual([]);
  });

  it('records what was done to the archives since', async () => {
    const file = join(backup.directory, 'datalv.tar');
    const bytes = await readFile(file);
    bytes[bytes.indexOf('read me')] = 0x52;
    await writeFile(file, bytes);
    for (const level of ['bytes', 'contents'] as const) {
      const record = await drillBackup(store, backup, { level, place: place() }, now);
      expect(record.outcome).toBe('failed');
    }
    expect((await store.find('g')).records).toHaveLength(2);
  });

  it('records why a volume did not come back where others did', async () => {
    await writeFile(join(backup.directory, 'datalv.tar'), 'cut off');
    const { problems } = await drillBackup(store, backup, { level: 'contents', place: place() }, now);
    expect(problems).toEqual([expect.stringMatching(/^datalv: .*datalv\.tar /)]);
    const [listed] = await listBackups(store, 'g', now());
    expect(listed).toMatchObject({ health: 'damaged', reasons: problems });
  });

  it.each(['datalv.tar', 'rawlv.dd', 'datalv.tar.catalogue.ndjson'])('records that %s is gone', async (name) => {
    await rm(join(backup.directory, name));
    for (const level of ['bytes', 'contents'] as const) {
      const record = await drillBackup(store, backup, { level, place: place() }, now);
      expect(record.outcome).toBe('failed');
    }
  });

  it('records nothing when the key or the request is at fault', async () => {
    const form = { recipients: [await identityToRecipient(await generateIdentity())] };
    const encrypted = await makeBackup(store, join(base, 'source'), { run: 'bbbbbb', form });
    const request = { level: 'contents', place: place() } as const;
    await expect(drillBackup(store, encrypted, request, now)).rejects.toMatchObject({ code: 'IDENTITY_MISSING' });
    const identities = [await generateIdentity()];
    await expect(drillBackup(store, encrypted, { ...request, identities }, now)).rejects.toMatchObject({
      code: 'STORED_IDENTITY',
    });
    await expect(drillBackup(store, backup, { level: 'application' }, now)).rejects.toThrow(RangeError);
    expect((await store.find('g', 'bbbbbb')).records).toEqual([]);
    expect(await readdir(scratch)).toEqual([]);
  });
});

describe('a drill that is asked to end', () => {
  const gone = async (file: string) => {
    const pid = Number(await readFile(file, 'utf8'));
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
  };

  it.each([
    ['bytes', place],
    ['contents', place],
    ['contents', node],
  ] as const)('at level %s leaves nothing and records nothing', async (level, where) => {
    const ending = new AbortController();
    async function* half(record: Parameters<StoredBackup['read']>[0], signal?: AbortSignal): AsyncGenerator<Buffer> {
      for await (const chunk of backup.read(record, signal)) {
        yield chunk.subarray(0, 1000);
        ending.abort();
        yield chunk.subarray(1000);
      }
    }
    const request = { level, place: where(), signal: ending.signal } as const;
    await expect(drillBackup(store, { ...backup, read: half }, request, now)).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(await readdir(scratch)).toEqual([]);
    expect((await store.find('g')).records).toEqual([]);
  });

  it.each([
    ['here', place],
    ['on a node', node],
  ])('ends its probe with all that it has started (%s)', async (_, where) => {
    const ending = new AbortController();
    const pid = join(base, 'pid');
    const waits = probe(`sleep 600 & echo $! >${pid}.new; mv ${pid}.new ${pid}; wait`);
    const request = { level: 'application', place: where(), probe: waits, signal: ending.signal } as const;
    const drilling = drillBackup(store, backup, request, now);
    await expect.poll(() => existsSync(pid), { timeout: 20_000 }).toBe(true);
    ending.abort();
    await expect(drilling).rejects.toMatchObject({ name: 'AbortError' });
    await gone(pid);
    expect(await readdir(scratch)).toEqual([]);
    expect((await store.find('g')).records).toEqual([]);
  });
});

describe('what says nothing of the backup', () => {
  it('is a probe that cannot be run, or a place that is none', async () => {
    const file = join(base, 'probe');
    await writeFile(file, 'no program', { mode: 0o600 });
    const script = join(base, 'script');
    await writeFile(script, '#!/no/such/interpreter\n', { mode: 0o700 });
    const nowhere = { kind: 'directory', directory: join(base, 'nowhere') } as const;
    await expect(drillBackup(store, backup, { level: 'contents', place: nowhere }, now)).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
    });
    for (const program of [file, script, join(base, 'nowhere')]) {
      const request = { level: 'application', place: place(), probe: { argv: [program], timeoutSeconds: 5 } } as const;
      await expect(drillBackup(store, backup, request, now)).rejects.toMatchObject({
        code: 'DRILL_PROBE',
        message: expect.stringContaining(`${program} cannot be run`),
      });
    }
    expect((await store.find('g')).records).toEqual([]);
  });

  it('is a node that is lost while the probe runs', async () => {
    const lost = lostAt('probe');
    const drilling = drillBackup(store, backup, { level: 'application', place: lost, probe: opens }, now);
    await expect(drilling).rejects.toMatchObject({ code: 'RESTORE_NODE_FAILED' });
    expect((await store.find('g')).records).toEqual([]);
    expect(await readdir(scratch)).toEqual([]);
  });

  it('is what a node would not let go: that is told', async () => {
    const lost = lostAt('tidy');
    const drilling = drillBackup(store, backup, { level: 'contents', place: lost }, now);
    await expect(drilling).rejects.toMatchObject({
      code: 'RESTORE_UNSETTLED',
      message: expect.stringContaining('could not be removed'),
      problems: [],
    });
  });

  it('is what a node would not let go, also where the drill had found what does say something', async () => {
    const request = {
      level: 'application',
      place: lostAt('tidy'),
      probe: probe('echo cannot open >&2; exit 4'),
    } as const;
    await expect(drillBackup(store, backup, request, now)).rejects.toMatchObject({
      code: 'RESTORE_UNSETTLED',
      problems: [{ code: 'BACKUP_DAMAGED', message: 'sh ended with 4: cannot open' }],
    });
    await rm(join(scratch, 'splitmirror-drill-aaaaaa'), { recursive: true });
    await writeFile(join(backup.directory, 'datalv.tar'), 'cut off');
    await expect(drillBackup(store, backup, request, now)).rejects.toMatchObject({
      code: 'RESTORE_UNSETTLED',
      problems: [{ code: 'RESTORE_PARTIAL' }, { code: 'BACKUP_DAMAGED', message: expect.stringMatching(/^datalv: /) }],
    });
  });
});

describe('drillsDue', () => {
  const drilled = (level: DrillRecord['level'], at: string, outcome: DrillRecord['outcome'] = 'passed') => {
    const record: DrillRecord = {
      kind: 'drill',
      at,
      level,
      outcome,
      seconds: 1,
      where: 'a',
      program: null,
      problems: [],
    };
    return { records: [record] };
  };
  const policy = { bytesDays: 7, contentsDays: 30, applicationDays: 90 };

  it('is content with a recent drill of a higher level', () => {
    expect(drillsDue([drilled('application', '2026-11-20T10:00:00.000Z')], policy, now())).toEqual([]);
  });

  it('alarms for what is too old, was never done, failed, or is from the future', () => {
    const old = drillsDue([drilled('contents', '2026-11-01T10:00:00.000Z')], policy, now());
    expect(old.map(({ level, lastAt }) => [level, lastAt])).toEqual([
      ['bytes', '2026-11-01T10:00:00.000Z'],
      ['application', null],
    ]);
    expect(old.map(({ message }) => message)).toEqual([
      'the last passed drill of level bytes was 22 days ago; one is wanted every 7 days',
      'no drill of level application was ever passed; one is wanted every 90 days',
    ]);
    expect(drillsDue([drilled('bytes', '2026-11-22T10:00:00.000Z', 'failed')], { bytesDays: 7 }, now())).toHaveLength(
      1,
    );
    expect(drillsDue([drilled('bytes', '2027-11-22T10:00:00.000Z')], { bytesDays: 7 }, now())).toHaveLength(1);
    expect(drillsDue([], {}, now())).toEqual([]);
  });
});
