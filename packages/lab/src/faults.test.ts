import { changes, createHost, type Host, reads } from '@splitmirror/host';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from './index.ts';

let lab: Lab;
let host: Host;
beforeAll(async () => {
  lab = await startLab({ contentBytes: 10_000, phaseMs: 1 });
  host = createHost('db_node1', lab.transport('db_node1'), { path: lab.nodes[0]?.path });
});
afterEach(() => lab.clearFaults());
afterAll(() => lab.close());

const step = (id: string, run = reads('hostname')) => ({ id, run, timeoutSeconds: 5, onFailure: 'continue' as const });

describe('lab.fault', () => {
  it('fails before or after the effect', async () => {
    lab.fault({
      program: 'mkdir',
      arguments: '/tmp/before',
      does: { kind: 'fails-before', code: 5, stderr: 'no room\n' },
    });
    lab.fault({ program: 'mkdir', arguments: '/tmp/after', does: { kind: 'fails-after', code: 6, stderr: 'lost\n' } });
    const { steps } = await host.run({
      steps: [
        step('before', changes('mkdir', '/tmp/before')),
        step('after', changes('mkdir', '/tmp/after')),
        step('look', reads('ls', '/tmp')),
      ],
    });
    expect(steps).toMatchObject([
      { exitCode: 5, stderr: 'no room\n' },
      { exitCode: 6, stderr: 'lost\n' },
      { stdout: 'after\n' },
    ]);
  });

  it('truncates, lies, delays, and stops after so many times', async () => {
    lab.fault({ program: 'clRGinfo', skip: 1, times: 1, does: { kind: 'truncates', bytes: 20 } });
    lab.fault({ node: 'db_node1', program: 'hostname', does: { kind: 'lies', stdout: 'other\n' } });
    lab.fault({ program: 'ls', does: { kind: 'truncates', bytes: 3 } });
    lab.fault({ program: 'uname', does: { kind: 'delays', milliseconds: 30 } });
    const whole = (await lab.run('db_node2', ['clRGinfo', '-s'])).stdout;
    expect((await lab.run('db_node2', ['clRGinfo', '-s'])).stdout).toBe(whole.slice(0, 20));
    expect((await lab.run('db_node2', ['clRGinfo', '-s'])).stdout).toBe(whole);
    const { steps } = await host.run({
      steps: [step('a'), step('b'), step('c', reads('ls', '/')), step('d', reads('uname'))],
    });
    expect(steps.map((each) => ('stdout' in each ? each.stdout : ''))).toEqual([
      'other\n',
      'dbhost1\n',
      'dev',
      'AIX\n',
    ]);
  });

  it('is refused where it could never happen', async () => {
    for (const program of ['date', 'sleep']) {
      expect(() => lab.fault({ program, does: { kind: 'hangs' } })).toThrow(RangeError);
    }
    const { steps } = await host.run({
      steps: [step('date', reads('date', '+%s')), step('sleep', reads('sleep', '0'))],
    });
    expect(steps).toMatchObject([{ exitCode: 0, stdout: expect.stringMatching(/^\d{10}\n$/) }, { exitCode: 0 }]);
  });

  it('repeats an old answer', async () => {
    lab.fault({ node: 'db_node2', program: 'clRGinfo', times: 0, does: { kind: 'repeats' } });
    const before = (await lab.run('db_node2', ['clRGinfo', '-s'])).stdout;
    await lab.move('ledger_rg', 'db_node2');
    expect((await lab.run('db_node2', ['clRGinfo', '-s'])).stdout).toBe(before);
    expect((await lab.run('db_node1', ['clRGinfo', '-s'])).stdout).toMatch(/ONLINE:db_node2/);
    await lab.move('ledger_rg', 'db_node1');
  });

  it('hangs until the deadline of the caller', async () => {
    const remove = lab.fault({ program: 'lsvg', times: 0, does: { kind: 'hangs' } });
    const { steps } = await host.run({ steps: [{ id: 'lsvg', run: reads('lsvg'), timeoutSeconds: 1 }] });
    expect(steps).toMatchObject([{ kind: 'timed-out' }]);
    remove();
    expect((await lab.run('db_node1', ['lsvg'])).stdout).toContain('ledgervg\n');
  });

  it('cuts the link while a command runs', async () => {
    lab.fault({ program: 'touch', does: { kind: 'drops-link' } });
    const outcome = await host.run({
      steps: [step('touch', changes('touch', '/tmp/touched')), step('after', changes('touch', '/tmp/later'))],
    });
    expect(outcome.kind).toBe('unknown');
    // The script ignores the hang-up: what it had begun goes on.
    await expect
      .poll(async () => (await lab.run('db_node1', ['ls', '/tmp'])).stdout)
      .toMatch(/later\n(.*\n)*touched\n/);
  });

  it('crashes the node in the middle of a command', async () => {
    lab.fault({ program: 'sync', does: { kind: 'crashes', when: 'before' } });
    const outcome = await host.run({ steps: [step('sync', changes('sync'))] });
    expect(outcome.kind).toBe('unknown');
    await expect(host.run({ steps: [step('again')] })).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' });
    await lab.recover('db_node1');
    expect((await host.run({ steps: [step('again')] })).kind).toBe('completed');
    expect((await lab.run('db_node2', ['clRGinfo', '-s'])).stdout).toMatch(/ONLINE:db_node2/);
  });
});
