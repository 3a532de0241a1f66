import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GroupPolicy, openStore, planBackup, recoverGroup, runBackup } from '@splitmirror/backup';
import { install, planGuard, uninstall, verifyInstallation } from '@splitmirror/hacmp';
import { members, type Script } from '@splitmirror/host';
import { type Lab, startLab } from '@splitmirror/lab';
import { aixMirror, type SplitRequest, type StrategyName } from '@splitmirror/lvm';
import { leastPrivilege } from '@splitmirror/ssh';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildScene, type SceneWish, nodes as sceneNodes } from '../../lvm/test/matrix/scene.ts';
import { scriptHost } from '../../lvm/test/matrix/script.ts';
import { takeCapture } from '../src/capture/bundle.ts';
import { nodeScript } from '../src/commands/check.ts';
import { nodesOn } from '../src/connect.ts';
import { type Purpose, privileges } from '../src/privileges.ts';
import { listeningHosts } from './emitted.ts';

const policy: GroupPolicy = {
  quiesce: { suspend: [['ledgerctl', 'suspend']], resume: [['ledgerctl', 'resume']], timeoutSeconds: 30 },
  freezeSeconds: 30,
  allowLastCopy: true,
  rawVolumes: [{ volume: 'auditlv', lvcb: 'keep' }],
  parallel: 2,
  archiveSeconds: 600,
  idleSeconds: 600,
  proofMs: 60_000,
  pollMs: 50,
  levels: 'stop',
};

let directory: string;
let lab: Lab;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'splitmirror-privileges-'));
  lab = await startLab({ directory: join(directory, 'lab'), contentBytes: 200_000, phaseMs: 5 });
}, 60_000);
afterAll(async () => {
  await lab.close();
  await rm(directory, { recursive: true, force: true });
});

/** The rules as sudo reads them: program without its directory, and what its arguments have to match. */
const rules = leastPrivilege({ user: 'backup', commands: Object.values(privileges).flat() })
  .slice(1)
  .map((line) => {
    const [, program = '', pattern = ''] = /NOPASSWD: \S*\/(\S+) (.+)$/.exec(line) ?? [];
    return { program, pattern: new RegExp(pattern === '""' ? '^$' : pattern.replaceAll('[[:blank:]]', '[ \\t]')) };
  });
const isAllowed = ([program, ...args]: readonly string[]) =>
  rules.some((rule) => rule.program === program && rule.pattern.test(args.join(' ')));

type Way = readonly [StrategyName, SceneWish['volumes'], Partial<SplitRequest>];
const data = { name: 'datalv', type: 'jfs2', copies: 2, mountPoint: '/shop/data' } as const;
const old = { name: 'oldlv', type: 'jfs', copies: 2, mountPoint: '/shop/old' } as const;
const queue = { name: 'queuelv', type: 'raw', copies: 2 } as const;
const ways: readonly Way[] = [
  ['map-split', [data], { fileSystems: ['/shop/data'] }],
  ['splitcopy', [old], { fileSystems: ['/shop/old'] }],
  ['chlvcopy', [queue], { rawVolumes: ['queuelv'] }],
  ['splitvg', [data, queue], { fileSystems: ['/shop/data'], rawVolumes: ['queuelv'] }],
];

/** What a run of the lvm package sends by a strategy, and its recovery after each step. */
async function sentBy(...[strategy, volumes, asked]: Way): Promise<(readonly string[])[]> {
  const [node] = sceneNodes;
  const scene = await buildScene({ group: 'standard', level: '7200-05', disks: ['hdisk2', 'hdisk3'], volumes });
  const scripts: Script[] = [];
  const inner = scriptHost(node, scene.type, {});
  const host: typeof inner = {
    ...inner,
    run(script, options) {
      scripts.push(script);
      return inner.run(script, options);
    },
  };
  const settings = { spaceReclamation: 'ruled-out', resync: { rate: 40 } } as const;
  const mirror = aixMirror({ hosts: new Map([[node, host]]), ...settings });
  const answer = mirror.plan(await mirror.look(node, scene.contents), {
    run: 'k3f9q2',
    fileSystems: [],
    rawVolumes: [],
    suspend: [{ id: 'suspend', run: { argv: ['mount'], effect: 'reads' }, timeoutSeconds: 9 }],
    resume: [],
    freezeSeconds: 60,
    allowLastCopy: true,
    ...asked,
    strategy,
  });
  if ('problems' in answer) throw new Error(JSON.stringify(answer.problems));
  const { split, expose, withdraw, merge, volumes: planned } = answer.plan;
  for (const phase of [split, expose, withdraw, merge]) {
    for (const { pays: _, needs: __, ...step } of phase.script.steps) {
      await host.run({ steps: [step] });
      const { phases } = mirror.recovery(await mirror.look(node, scene.contents), planned);
      scripts.push(...phases.map(({ script }) => script));
    }
  }
  scene.remove();
  return scripts.flatMap(({ steps }) => steps.flatMap(({ run }) => members(run).map(({ argv }) => argv)));
}

describe('the privileges', () => {
  it('match every command that runs, recoveries and an installation send', {
    timeout: 300_000,
  }, async () => {
    const { hosts, emitted } = listeningHosts(lab);
    const nodes = nodesOn({ stabilitySeconds: 0.02, minority: 'refuse', mirror: {} }, hosts);
    // Whoever was killed is gone: in a test it is this process.
    const surroundings = { ...nodes.surroundings, isAlive: () => 'gone' as const };
    const context = { ...nodes, surroundings, store: openStore(join(directory, 'store')) };
    for (const strategy of ['splitlvcopy', 'snapshot'] as const) {
      const chosen = strategy === 'snapshot' ? { ...policy, rawVolumes: [], leaveOut: ['auditlv'] } : policy;
      const plan = await planBackup(context, 'ledger_rg', { ...chosen, strategy });
      const stop = new AbortController();
      const killed = { ...context, onEvent: ({ type }: { type: string }) => type === 'archive-start' && stop.abort() };
      await runBackup(killed, plan, { stop: stop.signal });
      const recovered = await recoverGroup(context, 'ledger_rg', policy);
      expect(`${strategy}: ${recovered.kind}`).toBe(`${strategy}: whole`);
    }
    const { verdict } = await runBackup(context, await planBackup(context, 'ledger_rg', policy));
    expect(verdict.kind).toBe('good');
    await takeCapture(hosts, new AbortController().signal);
    for (const host of hosts.values()) await host.run(nodeScript(['/usr/local/bin/payctl', 'ledgerctl']));
    const guard = planGuard({ nodes: [...hosts.keys()], path: '/usr/local/bin/splitmirror-guard' });
    for (const act of [install, verifyInstallation, uninstall]) expect((await act(guard, hosts)).kind).toBe('done');

    const sent = emitted.filter(({ argv: [program] }) => program !== 'ledgerctl');
    const refused = sent.filter(({ argv }) => !isAllowed(argv)).map(({ argv }) => argv.join(' '));
    expect([...new Set(refused)].sort()).toEqual([]);
    expect(new Set(sent.map(({ argv }) => argv.join(' '))).size).toBeGreaterThan(100);
  });

  // The group of the lab cannot be split in all of these ways; the scenes of the lvm package can.
  it.each(ways)('match what %s sends, and the recovery of each of its steps', async (strategy, volumes, asked) => {
    const sent = await sentBy(strategy, volumes, asked);
    expect([...new Set(sent.filter((argv) => !isAllowed(argv)).map((argv) => argv.join(' ')))]).toEqual([]);
    expect(sent.length).toBeGreaterThan(50);
  });

  it.each([
    ['rmlv', '-f', 'payrolllv'],
    ['rm', '-f', '/etc/passwd'],
    ['tee', '/etc/filesystems'],
    ['awk', 'BEGIN { system("id") }'],
    ['umount', '/payroll'],
    ['mkdir', '-p', '/etc/../splitmirror'],
  ])('allow no %s %s %s', (...argv) => expect(isAllowed(argv)).toBe(false));

  it.skipIf(!existsSync('/usr/sbin/visudo'))('are rules that visudo takes', async () => {
    const file = join(directory, 'rules');
    const lines = leastPrivilege({ user: 'backup', commands: Object.values(privileges).flat() });
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o440 });
    expect(execFileSync('/usr/sbin/visudo', ['-c', '-f', file], { encoding: 'utf8' })).toContain('parsed OK');
  });

  // UPDATE_DOCS=1 writes it anew.
  it('are the list of docs/sudo.md', async () => {
    const url = new URL('../../../docs/sudo.md', import.meta.url);
    const page = await readFile(url, 'utf8');
    const wanted = page.replace(
      /(<!-- (changes|reads|installation) -->\n)[\s\S]*?(<!-- \/\2 -->)/g,
      (_, start, purpose: Purpose, end) =>
        `${start}\`\`\`text\n${privileges[purpose].toSorted().join('\n').replaceAll('\t', '\\t')}\n\`\`\`\n${end}`,
    );
    expect(page.match(/<!-- \w+ -->/g)).toHaveLength(3);
    if (process.env.UPDATE_DOCS) await writeFile(url, wanted);
    else expect(page, 'run with UPDATE_DOCS=1').toBe(wanted);
  });
});
