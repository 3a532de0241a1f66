import { createHost } from '@splitmirror/host';
import { type Fault, type Lab, type LabOptions, startLab } from '@splitmirror/lab';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { guardExitCodes, haCluster, install, type Policy, planGuard } from '../src/index.ts';

const group = 'ledger_rg';
let lab: Lab;

const start = async (options: LabOptions) => {
  lab = await startLab({ contentBytes: 10_000, phaseMs: 0, ...options });
};

/** The verdict with its codes, or with the holder and what is warned of. */
async function located(policy: Policy = {}): Promise<string[]> {
  const hosts = new Map(lab.nodes.map(({ name, path }) => [name, createHost(name, lab.transport(name), { path })]));
  const standing = await haCluster({ hosts, now: () => new Date(), policy }).locate(group);
  if (standing.kind === 'held') return ['held', standing.node, ...standing.warnings.map(({ code }) => code)];
  return [standing.kind, ...new Set(standing.reasons.map((reason) => reason.code))];
}

const guard = '/usr/local/bin/splitmirror-guard';
const mine = { code: guardExitCodes.succeeded, stdout: 'mine\n', stderr: '' };
const notMine = { code: guardExitCodes.notMine, stdout: '', stderr: '' };

async function installGuards(): Promise<void> {
  for (const { name, path: commands } of lab.nodes) {
    const hosts = new Map([[name, createHost(name, lab.transport(name), { path: commands })]]);
    const plan = planGuard({ nodes: [name], path: guard, commands, pauseSeconds: 0 });
    expect(await install(plan, hosts)).toMatchObject({ kind: 'done', problems: [] });
  }
}

const guarded = (node: string) => lab.run(node, ['sh', guard, group, 'echo', 'mine']);

/** The latest one is what the other tests run on. In order: each test goes on from where the one before has left the lab. */
describe.each(['5.x', '7.1'] as const)('haCluster in a lab of %s', (generation) => {
  beforeAll(() => start({ generation }));
  afterAll(() => lab.close());

  const rows = (holder: string) =>
    ['db_node1', 'db_node2']
      .map(
        (node) =>
          `${group}:${node === holder ? 'ONLINE' : 'OFFLINE'}:${node}:non-concurrent:OHN:FNPN:NFB:ignore::: : :::\n`,
      )
      .join('');

  it.each<[string, string, Fault['does'], string]>([
    ['a table that lies', 'clRGinfo', { kind: 'lies', stdout: rows('db_node2') }, 'TABLES_DIFFER'],
    ['a table that is cut', 'clRGinfo', { kind: 'truncates', bytes: 60 }, 'TABLE_UNREADABLE'],
    ['mounts that are cut', 'mount', { kind: 'truncates', bytes: 170 }, 'MOUNTS_UNREADABLE'],
    [
      'addresses that lie',
      'ifconfig',
      { kind: 'lies', stdout: 'en0: flags=1\n\tinet 10.9.9.9\n' },
      'SERVICE_LABEL_NOT_HERE',
    ],
  ])('is not taken in by %s', async (_, program, does, code) => {
    lab.fault({ node: 'db_node1', program, times: Number.POSITIVE_INFINITY, does });
    const [kind, ...codes] = await located();
    lab.clearFaults();
    expect([kind, codes]).toEqual([expect.stringMatching(/^(undecidable|contested)$/), expect.arrayContaining([code])]);
  });

  it('lets the guards ask each other, through clrsh where there is no clcmd', async () => {
    await installGuards();
    expect(await guarded('db_node1')).toEqual(mine);
    expect(await guarded('db_node2')).toEqual(notMine);
    // What a guard asks the others with may fail now and then.
    const does = { kind: 'lies', stdout: 'Communication error, see logfile\n' } as const;
    lab.fault({ program: generation === '5.x' ? 'clrsh' : 'clcmd', times: Number.POSITIVE_INFINITY, does });
    expect(await guarded('db_node1')).toMatchObject({
      code: guardExitCodes.undecidable,
      stdout: '',
      stderr: expect.stringContaining('HOST_UNREACHABLE db_node2: no report'),
    });
    lab.clearFaults();
  });

  it('names the holder through a move, and is not taken in by a node that repeats an old answer', async () => {
    expect(await located()).toEqual(['held', 'db_node1']);
    lab.fault({ node: 'db_node1', program: 'clRGinfo', times: Number.POSITIVE_INFINITY, does: { kind: 'repeats' } });
    expect(await located()).toEqual(['held', 'db_node1']);
    await lab.move(group, 'db_node2');
    expect((await located())[0]).not.toBe('held');
    lab.clearFaults();
    expect(await located()).toEqual(['held', 'db_node2']);
  });

  it('refuses a node that was forced down, whether it had the group or not', async () => {
    // In 5.x that is done in SMIT, which the lab does not have.
    if (generation === '5.x') return;
    await lab.run('db_node1', ['clmgr', 'offline', 'node', 'db_node1', 'MANAGE=unmanage']);
    expect(await located()).toEqual(['undecidable', 'NODE_UNMANAGED']);
    await lab.run('db_node1', ['clmgr', 'online', 'node', 'db_node1']);
    expect(await located()).toEqual(['held', 'db_node2']);
    await lab.run('db_node1', ['clmgr', 'offline', 'node', 'db_node2', 'MANAGE=unmanage']);
    expect(await located()).toEqual([
      'undecidable',
      ...[
        'NODE_UNMANAGED',
        'GROUP_UNMANAGED',
        'VOLUME_GROUP_ELSEWHERE',
        'FILE_SYSTEM_ELSEWHERE',
        'SERVICE_LABEL_ELSEWHERE',
      ],
    ]);
    await lab.run('db_node1', ['clmgr', 'online', 'node', 'db_node2']);
  });

  it('refuses the survivor of two until an operator vouches for it', async () => {
    await lab.crash('db_node2');
    expect(await located()).toEqual(['undecidable', 'NO_MAJORITY']);
    // In 5.x, without clmgr and lscluster, RSCT alone counts the other node out.
    expect(await located({ minority: 'trust-the-survivors' })).toEqual(['held', 'db_node1']);
    await lab.recover('db_node2');
    expect(await located()).toEqual(['held', 'db_node1']);
  });

  it('refuses an event that is half done', async () => {
    const does = { kind: 'fails-before', stderr: 'no\n' } as const;
    lab.fault({ node: 'db_node2', program: 'mount', arguments: '/ledger/journal', does });
    await expect(lab.move(group, 'db_node2')).rejects.toThrow(/did not come online/);
    const [kind, ...codes] = await located();
    expect([kind, codes]).toEqual(['undecidable', expect.arrayContaining(['EVENT_FAILED', 'GROUP_ERROR'])]);
  });

  it('refuses while each side of a partition sees the other down', async () => {
    await lab.partition();
    const [kind, ...codes] = await located({ minority: 'trust-the-survivors' });
    expect(kind).not.toBe('held');
    expect(codes).not.toEqual([]);
  });
});

describe('haCluster in a lab of 4.x', () => {
  it('says that nothing there tells whether the cluster is at rest', async () => {
    await start({ generation: '4.x' });
    onTestFinished(() => lab.close());
    const [kind, ...codes] = await located();
    expect([kind, codes.includes('MANAGER_UNREADABLE'), codes.includes('TABLE_UNREADABLE')]).toEqual([
      'undecidable',
      true,
      true,
    ]);
  });
});

describe('a lab in which a JFS copy is exposed', () => {
  it('leaves the group where it is, for the verdict and for the guard', async () => {
    await start({ generation: '7.1' });
    onTestFinished(() => lab.close());
    const commands: [string, ...string[]][] = [
      ['mklv', '-y', 'jfslog00', '-t', 'jfslog', '-c', '2', 'ledgervg', '1', 'hdisk2', 'hdisk3'],
      ['logform', '/dev/jfslog00'],
      ['mklv', '-y', 'jfslv', '-t', 'jfs', '-c', '2', 'ledgervg', '4', 'hdisk2', 'hdisk3'],
      ['crfs', '-v', 'jfs', '-d', 'jfslv', '-m', '/jfs', '-A', 'no'],
      ['mount', '/jfs'],
      ['chfs', '-a', 'splitcopy=/splitmirror/k3f9q2/jfslv', '-a', 'copy=2', '/jfs'],
    ];
    for (const argv of commands) {
      expect(await lab.run('db_node1', argv, 'y\n')).toMatchObject({ code: 0 });
    }
    expect((await lab.run('db_node1', ['lsvg', '-l', 'ledgervg'])).stdout).toMatch(/ 0 +0 +0 +open\?+ /);
    expect(await located()).toEqual(['held', 'db_node1']);
    await installGuards();
    expect(await guarded('db_node1')).toEqual(mine);
    expect(await guarded('db_node2')).toEqual(notMine);
  });
});

describe('haCluster in a lab with sites', () => {
  it('never takes a secondary instance for the holder', async () => {
    const nodes = [
      { name: 'north1', host: 'n1', site: 'north' },
      { name: 'north2', host: 'n2', site: 'north' },
      { name: 'south1', host: 's1', site: 'south' },
    ];
    await start({ nodes });
    onTestFinished(() => lab.close());
    expect(await located()).toEqual(['held', 'north1']);
    await lab.crash('north1');
    expect(await located()).toEqual(['held', 'north2']);
    await lab.crash('north2');
    expect(await located()).toEqual(['undecidable', 'NO_MAJORITY']);
    expect(await located({ minority: 'trust-the-survivors' })).toEqual(['held', 'south1']);
  });
});
