import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createHost, type Host } from '@splitmirror/host';
import { type Lab, startLab } from '@splitmirror/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aixMirror,
  type GroupContents,
  type IntendedCopies,
  type MirrorPlan,
  type Phase,
  type SplitRequest,
} from '../src/index.ts';

const contents: GroupContents = { volumeGroups: ['ledgervg'], fileSystems: 'ALL' };
const request: SplitRequest = {
  run: 'k3f9q2',
  fileSystems: ['/ledger/accounts', '/ledger/journal'],
  rawVolumes: ['auditlv'],
  suspend: [{ id: 'suspend', run: { argv: ['sync'], effect: 'reads' }, timeoutSeconds: 30 }],
  resume: [{ id: 'resume', run: { argv: ['sync'], effect: 'reads' }, timeoutSeconds: 30, pays: ['suspend'] }],
  freezeSeconds: 60,
  allowLastCopy: true,
};

/** Enough for what is not about several file systems; every command of the lab is a process. */
const small: SplitRequest = { ...request, fileSystems: ['/ledger/accounts'], rawVolumes: [] };

/** After these steps something new stands on the node; the model's tests stop after each one of them. */
const decisive = /^(split:accountslv|mount:smk3f9q2201|remove:smk3f9q2202|add:journallv)$/;
const exhaustive = process.env.SPLITMIRROR_EXHAUSTIVE === '1';

describe('aixMirror on the lab', () => {
  let lab: Lab;
  const hosts = new Map<string, Host>();
  const node = 'db_node1';

  beforeAll(async () => {
    lab = await startLab({ contentBytes: 1 << 20, resyncPerSecond: 1000 });
    for (const { name, path } of lab.nodes) hosts.set(name, createHost(name, lab.transport(name), { path }));
  });
  afterAll(async () => {
    for (const host of hosts.values()) await host.close();
    await lab?.close();
  });

  const mirror = () => aixMirror({ hosts });
  const planned = async (asked = small): Promise<MirrorPlan> => {
    const answer = mirror().plan(await mirror().look(node, contents), asked);
    if ('problems' in answer) throw new Error(JSON.stringify(answer.problems, null, 1));
    return answer.plan;
  };
  const recover = async (on = node, note: readonly IntendedCopies[] = []) => {
    const recovery = mirror().recovery(await mirror().look(on, contents), note);
    expect(recovery.problems).toEqual([]);
    for (const phase of recovery.phases) await perform(phase);
    expect(await mirror().look(on, contents)).toMatchObject({ leftovers: [], directories: [], stalePartitions: 0 });
  };
  const perform = async (phase: Phase) => {
    const outcome = await mirror().perform(phase);
    if (outcome.kind !== 'done') throw new Error(`${phase.name}: ${JSON.stringify(outcome, null, 1)}`);
    return outcome;
  };

  it('runs a whole cycle', async () => {
    const before = await mirror().look(node, contents);
    expect(before).toMatchObject({ leftovers: [], stalePartitions: 0, rawDevices: [{ volume: 'auditlv' }] });
    const plan = await planned(request);
    await perform(plan.split);
    await perform(plan.expose);
    expect((await mirror().look(node, contents)).leftovers).not.toEqual([]);
    await perform(plan.withdraw);
    await perform(plan.merge);
    expect(await mirror().redundancy(plan)).toEqual({ kind: 'whole' });
    const after = await mirror().look(node, contents);
    expect({ ...after, digest: '' }).toMatchObject({ leftovers: [], stalePartitions: 0, directories: [] });
    expect(after.digest).toBe(before.digest);
  });

  it('recovers after a stop at every step boundary', async () => {
    const before = await mirror().look(node, contents);
    const names = ['split', 'expose', 'withdraw', 'merge'] as const;
    for (const [which, name] of names.entries()) {
      const { steps } = (await planned())[name].script;
      for (const [index, { id }] of steps.entries()) {
        if (!exhaustive && !decisive.test(id)) continue;
        const plan = await planned();
        for (const earlier of names.slice(0, which)) await perform(plan[earlier]);
        await hosts.get(node)?.run({ steps: steps.slice(0, index + 1) });
        await recover();
        const after = await mirror().look(node, contents);
        expect(after, `${name} stopped after ${id}`).toMatchObject({ digest: before.digest, leftovers: [] });
      }
    }
  }, 900_000);

  it('mounts what the application saw at the split, byte for byte', async () => {
    const plan = await planned(request);
    await perform(plan.split);
    await perform(plan.expose);
    for (const { copy, source } of plan.volumes) {
      const truth = lab.storage.truth(copy);
      if (source.kind === 'directory') {
        const top = `${lab.nodes[0]?.root}${source.path}`;
        const files = truth?.kind === 'files' ? truth.files.filter(({ kind }) => kind === 'file') : [];
        expect(files.length).toBeGreaterThan(0);
        for (const { path, sha256 } of files) {
          expect(
            createHash('sha256')
              .update(readFileSync(`${top}/${path}`))
              .digest('hex'),
            path,
          ).toBe(sha256);
        }
      } else {
        const read = await lab.run(node, ['dd', `if=${source.path}`, 'bs=64k']);
        expect(read.code, read.stderr).toBe(0);
      }
    }
    await recover();
  });

  it('refuses a level whose chfs does not know the freeze, and would take it for an attribute', async () => {
    const old = await startLab({ contentBytes: 0, generation: '4.x' });
    const [first] = old.nodes;
    const host = createHost(node, old.transport(node), { path: first?.path });
    const there = aixMirror({ hosts: new Map([[node, host]]) });
    expect(there.plan(await there.look(node, contents), request)).toMatchObject({
      problems: [{ code: 'LEVEL_TOO_OLD', seen: 'AIX 5.2' }],
    });
    await host.close();
    await old.close();
  });

  it('runs a whole cycle of other strategies, in a real shell', async () => {
    const shell = await startLab({ contentBytes: 0, generation: '7.1', resyncPerSecond: 1000 });
    const host = createHost(node, shell.transport(node), { path: shell.nodes[0]?.path });
    const there = aixMirror({ hosts: new Map([[node, host]]) });
    const before = await there.look(node, contents);
    const asked: Partial<SplitRequest>[] = [
      { strategy: 'map-split', fileSystems: ['/ledger/accounts'], rawVolumes: ['auditlv'] },
      { strategy: 'chlvcopy', fileSystems: [], rawVolumes: ['auditlv'] },
    ];
    for (const each of asked) {
      const answer = there.plan(await there.look(node, contents), { ...request, ...each });
      if ('problems' in answer) throw new Error(JSON.stringify(answer.problems, null, 1));
      const { plan } = answer;
      for (const phase of [plan.split, plan.expose, plan.withdraw, plan.merge]) {
        expect(await there.perform(phase), `${each.strategy} ${phase.name}`).toMatchObject({ kind: 'done' });
      }
      await expect.poll(() => there.redundancy(plan), { timeout: 20_000 }).toEqual({ kind: 'whole' });
      expect((await there.look(node, contents)).digest).toBe(before.digest);
    }
    await host.close();
    await shell.close();
  });

  it('takes a stanza of ours without a volume out of /etc/filesystems, and no other byte', async () => {
    const file = `${lab.nodes.find(({ name }) => name === node)?.root}/etc/filesystems`;
    const before = readFileSync(file, 'utf8');
    const stanza = '\n/splitmirror/k3f9q2/oldlv:\n\tdev\t\t= /dev/oldlvcopy00\n\tvfs\t\t= jfs\n';
    appendFileSync(file, `${stanza}* a comment of somebody\n`);
    expect((await mirror().look(node, contents)).leftovers).toMatchObject([{ what: 'stanza' }]);
    await recover();
    expect(readFileSync(file, 'utf8')).toBe(`${before}\n* a comment of somebody\n`);
    writeFileSync(file, before);
  });

  it('sees on the standby node that the group is not its own', async () => {
    const picture = await mirror().look('db_node2', contents);
    expect(picture.groups).toMatchObject([{ kind: 'passive', group: { permission: 'passive-only' } }]);
    expect(mirror().plan(picture, request)).toMatchObject({ problems: [{ code: 'GROUP_NOT_ACTIVE' }, {}, {}, {}] });
    expect(mirror().recovery(picture)).toEqual({ phases: [], volumes: [], problems: [] });
  });

  it('does not take a cut answer for a whole one', async () => {
    lab.fault({ program: 'lsvg', arguments: '-M ledgervg', does: { kind: 'truncates', bytes: 120 } });
    await expect(mirror().look(node, contents)).rejects.toMatchObject({ code: 'MIRROR_LOOK_FAILED' });
  });

  it('pays what is owed when a split is cancelled, and says that it was', async () => {
    const plan = await planned(request);
    lab.fault({ program: 'splitlvcopy', arguments: 'journallv', does: { kind: 'hangs' } });
    const abort = new AbortController();
    const performed = mirror().perform(plan.split, { signal: abort.signal });
    const isSplit = async () => (await lab.run(node, ['lslv', 'smk3f9q2201'])).code === 0;
    await expect.poll(isSplit, { timeout: 20_000, interval: 100 }).toBe(true);
    abort.abort();
    const outcome = await performed;
    expect(outcome).toMatchObject({
      kind: 'failed',
      problems: expect.arrayContaining([expect.objectContaining({ code: 'CANCELLED' })]),
    });
    const thaws = outcome.transcript.steps.filter(({ id }) => id.startsWith('thaw:'));
    expect(thaws).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }]);
    await recover();
  });

  it('does not know how a phase ended when the link was lost, and recovers', async () => {
    const plan = await planned();
    lab.fault({ program: 'splitlvcopy', arguments: 'accountslv', does: { kind: 'drops-link' } });
    expect(await mirror().perform(plan.split)).toMatchObject({ kind: 'unknown' });
    // The script goes on to its end, which is the label.
    const labelled = async () =>
      (await lab.run(node, ['lslv', 'smk3f9q2201'])).stdout.includes('LABEL:          /splitmirror/');
    await expect.poll(labelled, { timeout: 20_000, interval: 200 }).toBe(true);
    await recover();
  });

  it('takes the copies back on the other node, when the first died between removal and return', async () => {
    const plan = await planned();
    for (const phase of [plan.split, plan.expose, plan.withdraw]) await perform(phase);
    lab.fault({ program: 'mklvcopy', does: { kind: 'crashes', when: 'before' } });
    expect(await mirror().perform(plan.merge)).toMatchObject({ kind: 'unknown' });
    await lab.settled();
    const note = plan.volumes.map(({ volume, copies }) => ({ volume, copies }));
    await recover('db_node2', note);
    const { groups } = await mirror().look('db_node2', contents);
    expect(groups).toMatchObject([{ kind: 'active', volumes: [{ copies: 2 }, { copies: 2 }, { copies: 2 }] }]);
  });
});
