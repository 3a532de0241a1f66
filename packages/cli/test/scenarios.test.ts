import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyLedger } from '@splitmirror/lab';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { exitCodes } from '../src/exit-codes.ts';
import { openStage, type Stage } from './stage.ts';

// Each test starts a lab and several processes of the command line.
vi.setConfig({ testTimeout: 180_000 });

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

const code = (name: keyof typeof exitCodes) => exitCodes[name].code;
const complete = async () =>
  (await readdir(join(stage.store, 'ledger_rg')).catch(() => [])).filter((name) =>
    /^\d{8}T\d{6}Z-[a-z]\w{5}$/.test(name),
  );

describe('a backup', () => {
  it('is a set of archives that GNU tar reads, byte for byte what stood there at the split', async () => {
    const done = await stage.run('backup', 'ledger_rg');
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const [name = ''] = await complete();
    const backup = join(stage.store, 'ledger_rg', name);
    const manifest = JSON.parse(await readFile(join(backup, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({
      node: 'db_node1',
      consistency: { level: 'application' },
      redundancy: { copiesLeft: 1 },
    });
    const journal = (await readFile(join(backup, 'journal.ndjson'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { split, expose, withdraw, merge } = journal[0].plan.mirror;
    const performed = journal.flatMap(({ kind, effect }) =>
      kind === 'intent' && effect.kind === 'perform' ? [effect.phase] : [],
    );
    expect(performed, 'what was planned is what ran').toEqual([split, expose, withdraw, merge]);
    const into = join(stage.directory, 'by-gnu-tar');
    for (const { volume, file, tool, sha256 } of manifest.archives) {
      const stored = await readFile(join(backup, file));
      expect(createHash('sha256').update(stored).digest('hex')).toBe(sha256);
      if (tool !== 'tar') continue;
      await mkdir(join(into, volume), { recursive: true });
      execFileSync('tar', ['-xf', join(backup, file), '-C', join(into, volume)]);
    }
    const copies = /copy (sm\w+);/g;
    const names = [...done.stdout.matchAll(copies)].map(([, copy]) => copy ?? '');
    expect(names).toHaveLength(3);
    for (const copy of names) {
      const truth = JSON.parse(await readFile(join(stage.lab.directory, 'truth', `${copy}.json`), 'utf8'));
      if (truth.kind !== 'files') continue;
      const root = join(into, truth.volume);
      const expected = truth.files.filter(({ kind }: { kind: string }) => kind === 'file');
      expect(expected.length).toBeGreaterThan(0);
      for (const { path, sha256 } of expected) {
        expect(
          `${path} ${createHash('sha256')
            .update(await readFile(join(root, path)))
            .digest('hex')}`,
        ).toBe(`${path} ${sha256}`);
      }
      const found = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
      expect(found).toHaveLength(expected.length);
    }
    const audit = join(backup, 'auditlv.dd');
    expect(verifyLedger({ journal: join(into, 'journallv'), accounts: join(into, 'accountslv'), audit })).toMatchObject(
      { kind: 'consistent' },
    );
    expect(await stage.leftovers()).toEqual([]);
  });

  it('is verified, listed and restored; a changed archive is found out', async () => {
    await stage.run('backup', 'ledger_rg');
    expect((await stage.run('list', 'ledger_rg')).stdout).toMatch(
      /^[a-z]\w{5} {2}\S+ {2}good {2}db_node1 {2}application/,
    );
    expect((await stage.run('verify', 'ledger_rg')).code).toBe(0);
    const into = join(stage.directory, 'restored');
    expect((await stage.run('restore', 'ledger_rg', into)).code).toBe(0);
    expect(await readdir(join(into, 'accountslv'))).not.toContain('.splitmirror');
    expect((await stage.run('restore', 'ledger_rg', into)).code).toBe(code('RESTORE_TARGET'));
    const [name = ''] = await complete();
    const archive = join(stage.store, 'ledger_rg', name, 'journallv.tar');
    const bytes = await readFile(archive);
    bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000);
    await writeFile(archive, bytes);
    expect((await stage.run('verify', 'ledger_rg')).code).toBe(code('BACKUP_DAMAGED'));
    expect((await stage.run('restore', 'ledger_rg', join(stage.directory, 'again'))).code).not.toBe(0);
    expect((await stage.run('verify', 'ledger_rg', 'zzzzzz')).code).toBe(code('BACKUP_UNKNOWN'));
  });
});

describe('what is refused, with nothing changed', () => {
  const refuses = async (name: keyof typeof exitCodes, words: string[] = ['backup', 'ledger_rg']) => {
    const { code: got, stderr } = await stage.run(...words);
    expect(`${got}: ${stderr}`).toMatch(new RegExp(`^${code(name)}: [A-Z_]+: `));
    expect(stderr.split('\n')[1]).toMatch(/^ {2}\S/);
    expect(await complete()).toEqual([]);
  };
  afterEach(async () => {
    stage.lab.clearFaults();
    expect(await stage.leftovers()).toEqual([]);
  });

  it('a group that the cluster does not know', async () => {
    const config = await stage.configure((base) => ({ ...base, groups: { ...base.groups, payroll_rg: {} } }));
    await refuses('GROUP_UNKNOWN', ['backup', 'payroll_rg', '--config', config]);
  });

  it('a group that the configuration does not know', async () => {
    const { code: got, stderr } = await stage.run('backup', 'payroll_rg');
    expect(got).toBe(code('USAGE'));
    expect(stderr).toContain('ledger_rg');
  });

  it('a configuration with faults, all of them, with line and column', async () => {
    const config = await stage.configure((base) => ({ ...base, stor: 1, pollSeconds: 'soon' }));
    const { code: got, stderr } = await stage.run('plan', 'ledger_rg', '--config', config);
    expect(got).toBe(code('USAGE'));
    expect(stderr).toMatch(/:\d+:\d+: pollSeconds: /);
    expect(stderr).toContain('stor');
  });

  it('a node that cannot be reached', async () => {
    const config = await stage.configure((base) => ({
      ...base,
      nodes: { ...base.nodes, db_node2: { address: '127.0.0.1', port: 1 } },
    }));
    await refuses('HOST_UNREACHABLE', ['backup', 'ledger_rg', '--config', config]);
  });

  it('a host key that has changed, and one that nobody vouches for', async () => {
    const text = await readFile(stage.lab.knownHostsFile, 'utf8');
    const [one = '', two = ''] = text.trim().split('\n');
    const swapped = join(stage.directory, 'swapped');
    await writeFile(swapped, `${one.split(' ')[0]} ${two.split(' ').slice(1).join(' ')}\n${two}\n`);
    const unknown = join(stage.directory, 'unknown');
    await writeFile(unknown, '');
    for (const file of [swapped, unknown]) {
      const config = await stage.configure((base) => ({ ...base, ssh: { ...base.ssh, knownHosts: [file] } }));
      await refuses('HOST_KEY', ['backup', 'ledger_rg', '--config', config]);
    }
  });

  it('a group that is moving', async () => {
    const slow = await openStage({ phaseMs: 3000 });
    try {
      const moving = slow.lab.move('ledger_rg', 'db_node2');
      const { code: got, stderr } = await slow.run('backup', 'ledger_rg');
      expect(`${got}: ${stderr}`).toMatch(new RegExp(`^${code('GROUP_MOVING')}: GROUP_MOVING: `));
      await moving;
      expect(await slow.leftovers()).toEqual([]);
      const back = slow.lab.move('ledger_rg', 'db_node1');
      expect((await slow.run('recover', 'ledger_rg', '--dry-run')).code).toBe(code('GROUP_MOVING'));
      const patient = await slow.configure((base) => ({ ...base, pollSeconds: 3 }));
      const recovered = await slow.run('recover', 'ledger_rg', '--config', patient);
      await back;
      expect(recovered, 'a recovery waits for it').toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^ledger_rg: .*: recover asks again, for a while\n(?:.*\n)*whole: /),
      });
    } finally {
      await slow.close();
    }
  });

  it('a mirror with stale partitions', async () => {
    await stage.lab.run('db_node1', ['rmlvcopy', 'journallv', '1', 'hdisk3']);
    await stage.lab.run('db_node1', ['mklvcopy', 'journallv', '2', 'hdisk3']);
    await refuses('MIRROR_STALE');
    await stage.lab.run('db_node1', ['syncvg', '-l', 'journallv']);
  });

  it('a volume with one copy', async () => {
    await stage.lab.run('db_node1', ['rmlvcopy', 'journallv', '1', 'hdisk3']);
    await refuses('MIRROR_SINGLE_COPY');
    await stage.lab.run('db_node1', ['mklvcopy', 'journallv', '2', 'hdisk3']);
    await stage.lab.run('db_node1', ['syncvg', '-l', 'journallv']);
  });

  it('the last second copy, without permission', async () => {
    const config = await stage.configure((base) => ({
      ...base,
      groups: { ledger_rg: { ...base.groups.ledger_rg, allowLastCopy: false } },
    }));
    await refuses('PLAN_REFUSED', ['backup', 'ledger_rg', '--config', config]);
  });

  const canMount = process.getuid?.() === 0 && process.platform === 'linux';
  it.skipIf(!canMount)('archives for which the store has no room (needs root, for a small tmpfs)', async () => {
    const small = join(stage.directory, 'small');
    await mkdir(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]);
    try {
      const config = await stage.configure((base) => ({ ...base, store: small }));
      await refuses('STORE_FULL', ['backup', 'ledger_rg', '--config', config]);
    } finally {
      execFileSync('umount', [small]);
    }
  });

  it('levels that differ between the nodes', async () => {
    const odd = await openStage({ software: { db_node2: { filesets: { 'cluster.es.server.rte': '7.2.1.0' } } } });
    try {
      const { code: got, stderr } = await odd.run('backup', 'ledger_rg');
      expect(`${got}: ${stderr}`).toMatch(new RegExp(`^${code('LEVELS_DIFFER')}: LEVELS_DIFFER: `));
      expect(await odd.leftovers()).toEqual([]);
    } finally {
      await odd.close();
    }
  });
});

describe('a run that does not get to its end', () => {
  it('goes back in order at Ctrl-C in the middle of the archive', async () => {
    stage.lab.fault({ program: 'dd', does: { kind: 'hangs' } });
    const run = stage.start('backup', 'ledger_rg', '--json');
    await run.saw(/"type":"archive-start","volume":"auditlv"/);
    run.child.kill('SIGINT');
    const { code: got, stdout } = await run.finished;
    expect(got).toBe(code('INTERRUPTED'));
    expect(stdout).toContain('"type":"way-back"');
    expect(await stage.leftovers()).toEqual([]);
    expect(await complete()).toEqual([]);
  });

  it('keeps a second run out while it goes on', async () => {
    stage.lab.fault({ program: 'dd', does: { kind: 'delays', milliseconds: 12_000 } });
    const run = stage.start('backup', 'ledger_rg', '--json');
    await run.saw(/"type":"archive-start"/);
    const second = await stage.run('backup', 'ledger_rg');
    expect(`${second.code}: ${second.stderr}`).toMatch(new RegExp(`^${code('GROUP_LOCKED')}: GROUP_LOCKED: `));
    expect((await stage.run('recover', 'ledger_rg')).code).toBe(code('GROUP_LOCKED'));
    expect((await run.finished).code).toBe(0);
    expect(await stage.leftovers()).toEqual([]);
    expect(await complete()).toHaveLength(1);
  });

  it('is found and undone after kill -9 in the middle of the archive', async () => {
    await stage.killBackup();
    expect(await stage.leftovers()).not.toEqual([]);
    const again = await stage.run('backup', 'ledger_rg');
    expect(`${again.code}: ${again.stderr}`).toMatch(new RegExp(`^${code('NEEDS_RECOVERY')}: NEEDS_RECOVERY: `));
    const looked = await stage.run('recover', 'ledger_rg', '--dry-run');
    expect(looked.stdout).toMatch(/\$ rmlv -f sm/);
    expect((await stage.run('recover', 'ledger_rg')).code).toBe(0);
    expect((await stage.leftovers()).filter((line) => !line.includes('.incomplete'))).toEqual([]); // what the killed process had in the store counts for nothing
    expect(await complete()).toEqual([]);
    expect((await stage.run('recover', 'ledger_rg')).code).toBe(0);
    expect((await stage.run('backup', 'ledger_rg')).code).toBe(0);
  });

  it('fails when the archive tool does, and leaves the mirror whole', async () => {
    stage.lab.fault({
      program: 'tar',
      does: { kind: 'fails-before', stderr: 'tar: 0511-169 A directory checksum error on media.\n' },
    });
    const { code: got } = await stage.run('backup', 'ledger_rg');
    expect(got).toBe(code('RUN_FAILED'));
    expect(await stage.leftovers()).toEqual([]);
    expect(await complete()).toEqual([]);
  });

  it('may follow a takeover whose other node stays down, when the operator says that it is off', async () => {
    await stage.lab.crash('db_node1');
    const alone = await stage.run('backup', 'ledger_rg');
    expect(`${alone.code}: ${alone.stderr}`).toMatch(new RegExp(`^${code('GROUP_UNDECIDABLE')}: GROUP_UNDECIDABLE: `));
    const config = await stage.configure((base) => ({ ...base, minority: 'trust-the-survivors' }));
    expect(await stage.run('backup', 'ledger_rg', '--config', config)).toMatchObject({ code: 0 });
    const [name = ''] = await complete();
    const manifest = JSON.parse(await readFile(join(stage.store, 'ledger_rg', name, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ node: 'db_node2', levels: { kind: 'warn' } });
  });

  it('makes a planned move fail while its copies are mounted, and says what to type then', async () => {
    await stage.killBackup();
    await expect(stage.lab.move('ledger_rg', 'db_node2')).rejects.toThrow(/did not come online/);
    const told = [...(await stage.run('who', 'ledger_rg')).stdout.matchAll(/"umount (\S+)" on (\S+) frees it/g)];
    expect(told.map(([, mountPoint, node]) => `${node}: ${mountPoint}`)).toEqual([
      expect.stringMatching(/^db_node1: \/splitmirror\/[a-z0-9]{6}\/accountslv$/),
      expect.stringMatching(/^db_node1: \/splitmirror\/[a-z0-9]{6}\/journallv$/),
    ]);
    // Nobody holds it now, and the copies lie there all the same.
    const left = await stage.run('status');
    expect(left).toMatchObject({ code: code('NEEDS_RECOVERY') });
    expect(left.stdout + left.stderr).toMatch(/^ledger_rg: nobody provably holds it$/m);
    expect(left.stdout + left.stderr).toMatch(/^ {2}db_node1: copy sm\w+ of run \w{6}$/m);
    expect(left.stdout + left.stderr).toMatch(/^ {2}take it back, .*: splitmirror recover --config \S+ ledger_rg$/m);
    for (const [, mountPoint = '', node = ''] of told) await stage.lab.run(node, ['umount', mountPoint]);
    // Then the event is repaired, as after any failure of it, and the group brought online again.
    await stage.lab.run('db_node1', ['clruncmd', 'db_node1']);
    await stage.lab.move('ledger_rg', 'db_node1');
    expect(await stage.run('recover', 'ledger_rg')).toMatchObject({ code: 0, stderr: '' });
    expect((await stage.leftovers()).filter((line) => !line.includes('.incomplete'))).toEqual([]);
  });

  it('is recovered on the other node when the group moved away in the middle', async () => {
    stage.lab.fault({ program: 'dd', does: { kind: 'hangs' } });
    const run = stage.start('backup', 'ledger_rg', '--json');
    await run.saw(/"type":"archive-start","volume":"auditlv"/);
    await stage.lab.crash('db_node1');
    stage.lab.clearFaults();
    const { code: got } = await run.finished;
    expect(got).not.toBe(0);
    await stage.lab.recover('db_node1');
    expect((await stage.run('recover', 'ledger_rg')).code).toBe(0);
    expect(await stage.leftovers()).toEqual([]);
    expect((await stage.run('who', 'ledger_rg')).stdout).toContain('verdict: db_node2 holds ledger_rg');
    expect((await stage.run('backup', 'ledger_rg')).code).toBe(0);
  });
});
