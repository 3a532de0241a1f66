import { createHost, type Host } from '@splitmirror/host';
import { type Lab, startLab } from '@splitmirror/lab';
import { afterEach, describe, expect, it } from 'vitest';
import { install, parseMounts, planEvents, planGuard, uninstall, verifyInstallation } from '../src/index.ts';
import { pathOf, shells } from './shells.ts';

const group = 'ledger_rg';
const guard = '/usr/local/bin/splitmirror-guard';
const entry = `0 2 * * * ${guard} ${group} /usr/local/bin/backup-ledger`;
/** Somebody else's lines, without a final line feed. */
const others = '# ledger operators\n30 6 * * 1 /usr/bin/true';

let lab: Lab;
afterEach(() => lab.close());

/** Both installations for each node, which has a PATH of its own; a debt script looks for its note on this machine. */
async function prepare(shell: string) {
  lab = await startLab({ contentBytes: 50_000, phaseMs: 5, shell: pathOf(shell) });
  const hosts = new Map<string, Host>(
    lab.nodes.map(({ name, path }) => [name, createHost(name, lab.transport(name), { path, shell: pathOf(shell) })]),
  );
  const plans = lab.nodes.map(({ name, path, root }) => ({
    name,
    guards: planGuard({
      nodes: [name],
      path: guard,
      commands: path,
      pauseSeconds: 0,
      policy: { minority: 'trust-the-survivors' },
    }),
    events: planEvents({
      nodes: [name],
      guard,
      commands: path,
      events: ['node_down_remote', 'node_up_remote_complete', 'rg_move_complete'],
      groups: [
        {
          group,
          lines: [entry],
          volumeGroups: ['ledgervg'],
          debt: { notes: `${root}/ledger/accounts/.splitmirror`, resume: [['ledgerctl', 'resume']], settleSeconds: 2 },
        },
      ],
    }),
  }));
  await Promise.all(lab.nodes.map(({ name }) => lab.run(name, ['crontab'], others)));
  await Promise.all(
    plans.map(async ({ guards, events }) => {
      expect(await install(guards, hosts)).toMatchObject({ kind: 'done', problems: [] });
      const report = await install(events, hosts);
      expect(report.nodes).toMatchObject([
        { kind: 'answered', files: events.files.map(() => ({ state: 'installed' })) },
      ]);
      expect(report.problems.map(({ code }) => code)).toEqual(events.registrations.map(() => 'EVENT_NOT_REGISTERED'));
    }),
  );
  return { hosts, plans };
}

const crontab = async (node: string) => (await lab.run(node, ['crontab', '-l'])).stdout;
const ours = (node: string) => crontab(node).then((text) => text.includes(entry));

/** Lets every node do what its cron does, and tells which ones have the entry. */
async function pickUp(nodes: readonly string[] = ['db_node1', 'db_node2']): Promise<boolean[]> {
  const ran = await Promise.all(
    nodes.map((node) => lab.run(node, ['sh', '/usr/local/bin/splitmirror-crontab', 'pick-up'])),
  );
  expect(ran).toEqual(nodes.map(() => ({ code: 0, stdout: '', stderr: '' })));
  return Promise.all(nodes.map(ours));
}

const [first = 'sh'] = shells;

describe('events in the lab', () => {
  it.each(shells.slice(1))('are installed and followed under %s', async (shell) => {
    const { plans } = await prepare(shell);
    for (const node of ['db_node1', 'db_node2']) {
      expect(await crontab(node)).toMatch(
        /splitmirror-crontab pick-up\n# splitmirror section backup ends\n# ledger operators/,
      );
    }
    for (const entered of plans[0]?.events.registrations ?? []) lab.registerEvent(entered);
    expect(await pickUp()).toEqual([true, false]);
    await lab.move(group, 'db_node2');
    expect(await pickUp()).toEqual([false, true]);
  });

  it('follow a failure and a return, and are taken out again', async () => {
    const { hosts, plans } = await prepare(first);
    const undo = (plans[0]?.events.registrations ?? []).map((entered) => lab.registerEvent(entered));
    for (const { events } of plans) {
      expect(await verifyInstallation(events, hosts)).toMatchObject({ kind: 'done', problems: [] });
    }
    expect(await pickUp()).toEqual([true, false]);
    await lab.crash('db_node1');
    expect(await pickUp(['db_node2'])).toEqual([true]);
    await lab.recover('db_node1');
    // What its crontab says is old; the guard in every line knows better, and the next event corrects it.
    expect(await Promise.all(['db_node1', 'db_node2'].map(ours))).toEqual([true, true]);
    await lab.move(group, 'db_node1');
    await lab.move(group, 'db_node2');
    expect(await pickUp()).toEqual([false, true]);

    for (const { events } of plans) {
      const { problems } = await uninstall(events, hosts);
      expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['EVENT_STILL_REGISTERED', 'FILE_LEFT']));
    }
    for (const back of undo) back();
    for (const { name, guards, events } of plans) {
      for (const plan of [events, guards]) {
        expect(await uninstall(plan, hosts)).toMatchObject({ kind: 'done', problems: [] });
      }
      expect(await crontab(name)).toBe(others);
    }
  }, 90_000);

  it('let a mounted copy go before the group is released, and pay a debt where it arrives', async () => {
    const { plans } = await prepare(first);
    const script = (name: string, what: string) =>
      plans.find((plan) => plan.name === name)?.events.files.find(({ path }) => path.includes(what))?.path ?? '';
    const on = async (name: string, ...argv: [string, ...string[]]) => {
      const ran = await lab.run(name, argv);
      expect([argv, ran.code, ran.stderr]).toEqual([argv, 0, expect.anything()]);
      return ran;
    };
    const place = '/splitmirror/k3f9q2/accountslv';
    await on('db_node1', 'splitlvcopy', '-f', '-y', 'smk3f9q2201', 'accountslv', '1', 'hdisk3');
    await on('db_node1', 'chlv', '-L', place, 'smk3f9q2201');
    await on('db_node1', 'mkdir', '-p', place);
    await lab.run('db_node1', ['fsck', '-p', '/dev/smk3f9q2201']);
    await on('db_node1', 'mount', '-v', 'jfs2', '-o', 'ro', '/dev/smk3f9q2201', place);
    await on('db_node1', 'mkdir', '-p', '/ledger/accounts/.splitmirror');
    const note = `${JSON.stringify({ splitmirror: 1, run: 'k3f9q2', resume: [['ledgerctl', 'resume']] })}\n`;
    await lab.run('db_node1', ['tee', '/ledger/accounts/.splitmirror/quiesce'], note);
    await on('db_node1', 'sh', script('db_node1', '-release'), 'ledgervg');
    const mounted = parseMounts((await on('db_node1', 'mount')).stdout).map(({ mountPoint }) => mountPoint);
    expect(mounted.filter((path) => path.startsWith('/splitmirror'))).toEqual([]);
    expect(mounted).toContain('/ledger/accounts');

    await lab.move(group, 'db_node2');
    const paid = await on('db_node2', 'sh', script('db_node2', '-debt-'));
    expect(paid.stderr).toContain('left suspended by run k3f9q2 was resumed');
    expect((await lab.run('db_node2', ['ls', '/ledger/accounts/.splitmirror/quiesce'])).code).not.toBe(0);
    expect((await on('db_node2', 'ledgerctl', 'status')).stdout).toMatch(/^ledger is running/);
  });
});
