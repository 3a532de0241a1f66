import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, localHost } from '@splitmirror/host';
import { beforeEach, describe, expect, it } from 'vitest';
import { plan as modelPlan } from '../../test/model.ts';
import type { BackupContext } from '../context.ts';
import type { BackupEvent } from '../events.ts';
import type { PlannedArchive, RunPlan } from '../plan/run-plan.ts';
import type { Confirmation, PlannedVolume } from '../ports.ts';
import { systemSurroundings } from '../surroundings.ts';
import { archiveVolumes, planArchive } from './archiving.ts';
import { openSink, type Sink } from './sink.ts';

let base: string;
let source: string;
let store: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'splitmirror-archiving-'));
  source = join(base, 'source');
  store = join(base, 'store');
  await mkdir(join(source, 'sub'), { recursive: true });
  await mkdir(store);
  await writeFile(join(source, 'one'), 'one\n');
  await writeFile(join(source, 'sub', 'two'), Buffer.alloc(3_000_000, 'x'));
});

const volume = (path: string): PlannedVolume => ({
  volume: 'datalv',
  strategy: 'model',
  copy: 'smabc123201',
  source: { kind: 'directory', mountPoint: '/data', path },
  bytes: 4_000_000,
  copies: 2,
  copiesLeft: 1,
  partitionsToResync: 1,
});

function planOf(archives: readonly PlannedArchive[], policy: Partial<RunPlan['policy']> = {}): RunPlan {
  return { ...modelPlan, archives, policy: { ...modelPlan.policy, archiveSeconds: 20, proofMs: 60_000, ...policy } };
}

const tree = () => planArchive(volume(source), { ...modelPlan.policy, archiveSeconds: 20 });
const command = (...argv: [string, ...string[]]): PlannedArchive => ({
  ...planArchive(volume('/unused'), { ...modelPlan.policy, archiveSeconds: 20 }),
  source: { argv, effect: 'reads' } satisfies Command,
});

const place = (directory: string) => ({ directory, openArchive: (file: string) => openSink(join(directory, file)) });

function contextWith(confirm: () => Confirmation = () => ({ kind: 'holds', proof: modelPlan.proof })) {
  const events: BackupEvent[] = [];
  const context: BackupContext = {
    hosts: new Map([['a', localHost('a', { path: '/usr/bin:/bin' })]]),
    cluster: { nodes: ['a'], locate: () => Promise.reject(new Error('not asked')), confirm: async () => confirm() },
    mirror: new Proxy({} as BackupContext['mirror'], {}),
    audit: () => Promise.reject(new Error('not asked')),
    store: new Proxy({} as BackupContext['store'], {}),
    surroundings: systemSurroundings(),
    onEvent: (event) => events.push(event),
  };
  return { context, events };
}

describe('archiveVolumes', () => {
  it('stores whole archives under their names, with digest and catalogue', async () => {
    const raw = join(base, 'raw');
    await writeFile(raw, Buffer.alloc(1_000_000, 'r'));
    const device: PlannedArchive = {
      ...command('cat', raw),
      volume: 'rawlv',
      tool: 'dd',
      mountPoint: null,
      file: 'rawlv.dd',
      expectedBytes: 1_000_000,
    };
    const { context, events } = contextWith();
    const result = await archiveVolumes(context, planOf([tree(), device], { parallel: 2 }), place(store), undefined);
    if (result.kind !== 'archived') throw new Error(JSON.stringify(result));
    expect((await readdir(store)).sort()).toEqual(['datalv.tar', 'datalv.tar.catalogue.ndjson', 'rawlv.dd']);
    const [tar, dd] = result.archives;
    expect(tar).toMatchObject({ volume: 'datalv', tool: 'tar', file: 'datalv.tar', entries: 4, warnings: [] });
    const [digest] = execFileSync('sha256sum', [join(store, 'datalv.tar')], { encoding: 'utf8' }).split(' ');
    expect(tar?.sha256).toBe(digest);
    expect(dd).toMatchObject({ volume: 'rawlv', bytes: 1_000_000, catalogue: null });
    expect(
      execFileSync('tar', ['-tf', join(store, 'datalv.tar')], { encoding: 'utf8' })
        .split('\n')
        .sort(),
    ).toEqual(['', './', './one', './sub/', './sub/two'].sort());
    expect(events.map(({ type }) => type)).toContain('archive-end');
  });

  it.each([
    ['a command that fails', command('sh', '-c', 'exit 3'), 'ARCHIVE_STATUS'],
    ['a tree without a file', command('sh', '-c', 'd=$(mktemp -d) && tar -cf - -C "$d" .'), 'ARCHIVE_NO_FILES'],
    ['an archive that is cut', command('sh', '-c', 'printf x'), 'ARCHIVE_NOT_WHOLE'],
    ['a command that overruns its time', { ...command('sleep', '60'), timeoutSeconds: 1 }, 'ARCHIVE_TIMED_OUT'],
  ] as const)('stores nothing of %s', async (_, archive, code) => {
    const { context } = contextWith();
    const result = await archiveVolumes(context, planOf([archive]), place(store), undefined);
    expect(result).toMatchObject({
      kind: 'failed',
      problems: expect.arrayContaining([expect.objectContaining({ code })]),
    });
    expect(await readdir(store)).toEqual([]);
  });

  it('says what an operator can do about what speaks against an archive, and names no setting that there is none of', async () => {
    const { context } = contextWith();
    const told = 'echo odd >&2; echo "tar: ./s: socket ignored" >&2';
    const empty = command('sh', '-c', `${told}; d=$(mktemp -d) && tar -cf - -C "$d" .`);
    const result = await archiveVolumes(context, planOf([empty]), place(store), undefined);
    if (result.kind !== 'failed') throw new Error(JSON.stringify(result));
    expect(result.problems.map(({ code }) => code)).toEqual([
      'ARCHIVE_STDERR_UNKNOWN',
      'ARCHIVE_STDERR_WARNING',
      'ARCHIVE_NO_FILES',
    ]);
    for (const { remedy } of result.problems) {
      expect(remedy).toMatch(/leaveOut/);
      expect(remedy).not.toMatch(/accept/i);
    }
  });

  it('ends an archive from which nothing comes any more', async () => {
    const { context } = contextWith();
    const result = await archiveVolumes(
      context,
      planOf([command('sleep', '60')], { idleSeconds: 1 }),
      place(store),
      undefined,
    );
    expect(result).toMatchObject({ kind: 'failed', problems: [{ code: 'ARCHIVE_STALLED', seen: 'no byte for 1 s' }] });
    expect(await readdir(store)).toEqual([]);
  });

  it('ends all volumes at the first failure', async () => {
    const { context } = contextWith();
    const slow = { ...command('sleep', '60'), volume: 'slowlv', file: 'slowlv.tar' };
    const started = Date.now();
    const result = await archiveVolumes(
      context,
      planOf([slow, command('sh', '-c', 'exit 3')], { parallel: 2 }),
      place(store),
      undefined,
    );
    expect(result).toMatchObject({ kind: 'failed' });
    expect(Date.now() - started).toBeLessThan(15_000);
    expect(await readdir(store)).toEqual([]);
  });

  it('ends in order when an archive cannot even be opened', async () => {
    let asked = 0;
    const { context } = contextWith(() => {
      asked++;
      return { kind: 'holds', proof: modelPlan.proof };
    });
    const openArchive = () => Promise.reject(Object.assign(new Error('no inode is left'), { code: 'ENOSPC' }));
    const unopened = { directory: store, openArchive };
    const result = await archiveVolumes(context, planOf([tree()], { proofMs: 20 }), unopened, undefined);
    expect(result).toMatchObject({ kind: 'failed', problems: [{ code: 'STORE_FULL' }] });
    expect(await readdir(store)).toEqual([]);
    const then = asked;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(asked).toBe(then);
  });

  it('waits for no sink that hangs, whatever it is asked', async () => {
    const never = () => new Promise<never>(() => {});
    const sink: Sink = {
      write: async () => {},
      finish: async () => ({ snapshot: null }),
      abandon: never,
      interrupt() {},
    };
    const results = await Promise.all(
      [never, async () => ({ ...sink, write: never }), async () => ({ ...sink, finish: never })].map(
        async (openArchive, index) => {
          const directory = join(store, `${index}`);
          await mkdir(directory);
          const to = { directory, openArchive };
          return archiveVolumes(contextWith().context, planOf([tree()], { idleSeconds: 1 }), to, undefined);
        },
      ),
    );
    for (const result of results)
      expect(result).toMatchObject({ kind: 'failed', problems: [{ code: 'ARCHIVE_STALLED' }] });
  });

  it('ends a sink that hangs when it is asked to end', async () => {
    const openArchive = () => new Promise<never>(() => {});
    const to = { directory: store, openArchive };
    const result = await archiveVolumes(contextWith().context, planOf([tree()]), to, AbortSignal.timeout(100));
    expect(result).toMatchObject({ kind: 'failed', problems: [{ code: 'INTERRUPTED' }] });
  });

  it.each([
    [
      new Error('no such bucket'),
      { code: 'STORE_UNUSABLE', message: 'what takes the archives failed: no such bucket' },
    ],
    [Object.assign(new Error('i/o error'), { code: 'EIO' }), { code: 'STORE_UNUSABLE' }],
    [Object.assign(new Error('disk quota exceeded'), { code: 'EDQUOT' }), { code: 'STORE_FULL' }],
  ])('does not take what a sink throws (%s) for a defect of ours', async (error, problem) => {
    const write = () => Promise.reject(error);
    const openArchive = async (): Promise<Sink> => ({
      write,
      finish: async () => ({ snapshot: null }),
      abandon: write,
      interrupt() {},
    });
    const to = { directory: store, openArchive };
    const result = await archiveVolumes(contextWith().context, planOf([tree()]), to, undefined);
    expect(result, 'which lies on no node').toMatchObject({ kind: 'failed', problems: [{ ...problem, node: null }] });
  });

  it('stops when ownership is lost while the archive streams', async () => {
    const { context } = contextWith(() => ({ kind: 'lost', changed: [{ fact: 'node', before: 'a', after: 'b' }] }));
    const result = await archiveVolumes(
      context,
      planOf([command('sleep', '60')], { proofMs: 50 }),
      place(store),
      undefined,
    );
    expect(result).toMatchObject({ kind: 'failed', problems: [{ code: 'OWNERSHIP_LOST', seen: 'node is b' }] });
    expect(await readdir(store)).toEqual([]);
  });

  it('ends with a problem where the clock is of no use', async () => {
    const { context } = contextWith();
    const sleep = () => Promise.reject(new Error('no clock'));
    const broken = { ...context, surroundings: { ...context.surroundings, sleep } };
    const result = await archiveVolumes(broken, planOf([command('sleep', '60')]), place(store), undefined);
    expect(result).toMatchObject({ kind: 'failed', problems: [{ code: 'UNEXPECTED', message: 'no clock' }] });
  });

  it('is whole although its end cuts a proof of ownership short', async () => {
    const { context } = contextWith();
    const asked = new AbortController();
    // As the AIX family does: whoever asks no longer wants an answer gets none.
    const confirm: BackupContext['cluster']['confirm'] = (_, { signal } = {}) => {
      asked.abort();
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    };
    const cluster = { ...context.cluster, confirm };
    const opensLate = async (file: string) => {
      if (!asked.signal.aborted) await once(asked.signal, 'abort');
      return openSink(join(store, file));
    };
    const late = { directory: store, openArchive: opensLate };
    const result = await archiveVolumes({ ...context, cluster }, planOf([tree()], { proofMs: 1 }), late, undefined);
    expect(result).toMatchObject({ kind: 'archived', proofs: [] });
  });

  it('stops when the question after ownership cannot be asked', async () => {
    const { context } = contextWith(() => {
      throw new Error('no link');
    });
    const result = await archiveVolumes(
      context,
      planOf([command('sleep', '60')], { proofMs: 50 }),
      place(store),
      undefined,
    );
    expect(result).toMatchObject({ kind: 'failed', problems: [{ code: 'OWNERSHIP_UNKNOWN', seen: 'no link' }] });
    expect(await readdir(store)).toEqual([]);
  });

  it('is interrupted by a signal and leaves nothing', async () => {
    const { context } = contextWith();
    const result = await archiveVolumes(
      context,
      planOf([command('sleep', '60')]),
      place(store),
      AbortSignal.timeout(200),
    );
    expect(result).toMatchObject({ kind: 'failed' });
    expect(await readdir(store)).toEqual([]);
  });

  const full = join(tmpdir(), `splitmirror-full-${process.pid}`);
  const canMount = process.getuid?.() === 0 && process.platform === 'linux';
  it.skipIf(!canMount)('says that the store is full, and leaves nothing (needs root, for a small tmpfs)', async () => {
    await mkdir(full);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', full]);
    try {
      const { context } = contextWith();
      const result = await archiveVolumes(context, planOf([tree()]), place(full), undefined);
      expect(result).toMatchObject({ kind: 'failed', problems: [{ code: 'STORE_FULL' }] });
      expect(await readdir(full)).toEqual([]);
    } finally {
      execFileSync('umount', [full]);
      await rm(full, { recursive: true });
    }
  });
});

describe('planArchive', () => {
  it('archives a file system by tar, with names relative to its root', () => {
    const planned = planArchive(volume('/splitmirror/abc123/datalv'), modelPlan.policy);
    expect(planned.source).toEqual({
      argv: ['tar', '-cf', '-', '-C', '/splitmirror/abc123/datalv', '.'],
      effect: 'reads',
    });
    expect(planned).toMatchObject({ tool: 'tar', file: 'datalv.tar', mountPoint: '/data', expectedBytes: null });
  });

  it('archives a raw volume by dd, whose length is known beforehand', () => {
    const raw = { ...volume(''), source: { kind: 'device', path: '/dev/rsmabc123201' } } as const;
    const keeping = { ...modelPlan.policy, rawVolumes: [{ volume: 'datalv', lvcb: 'keep' }] } as const;
    expect(planArchive(raw, keeping)).toMatchObject({ tool: 'dd', file: 'datalv.dd', expectedBytes: 4_000_000 });
    const skipping = { ...modelPlan.policy, rawVolumes: [{ volume: 'datalv', lvcb: 'skip' }] } as const;
    expect(planArchive(raw, skipping).expectedBytes).toBe(4_000_000 - 512);
    expect(() => planArchive(raw, modelPlan.policy)).toThrow(RangeError);
  });
});

it('reads back what it stored', async () => {
  const { context } = contextWith();
  await archiveVolumes(context, planOf([tree()]), place(store), undefined);
  const lines = (await readFile(join(store, 'datalv.tar.catalogue.ndjson'), 'utf8')).trim().split('\n');
  expect(lines.length).toBe(4 + 2);
});
