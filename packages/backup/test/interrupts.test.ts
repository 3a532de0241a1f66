import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost, type Host } from '@splitmirror/host';
import { type Lab, startLab } from '@splitmirror/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aixFamily } from '../src/aix.ts';
import type { BackupContext } from '../src/context.ts';
import { planBackup } from '../src/plan/plan.ts';
import type { Feedable } from '../src/restore/feed.ts';
import { restoreIntoGroup } from '../src/restore/restore-group.ts';
import { restoreToNode } from '../src/restore/restore-node.ts';
import { inspectGroup } from '../src/run/recover.ts';
import { runBackup } from '../src/run/run.ts';
import { openStore, type Store, type StoredBackup } from '../src/store/store.ts';
import { systemSurroundings } from '../src/surroundings.ts';
import { labPolicy } from './lab-policy.ts';

let lab: Lab;
let store: Store;
let backup: StoredBackup;
beforeAll(async () => {
  lab = await startLab({ contentBytes: 400_000, phaseMs: 5 });
  store = openStore(await mkdtemp(join(tmpdir(), 'splitmirror-interrupts-')));
  const { context } = nodes();
  const { verdict } = await runBackup(context, await planBackup(context, 'ledger_rg', labPolicy));
  expect(verdict).toEqual({ kind: 'good' });
  backup = await store.find('ledger_rg');
  // A restore over what is being written would read back other bytes.
  await lab.run('db_node1', ['ledgerctl', 'suspend']);
}, 120_000);
afterAll(() => lab.close());

/** The nodes of the lab; the one that is asked the `n`-th question hears an abort while it answers. */
function nodes(n = Number.POSITIVE_INFINITY): {
  readonly context: BackupContext;
  readonly feeds: ReadonlyMap<string, Feedable>;
  readonly signal: AbortSignal;
  asked(): number;
} {
  const ending = new AbortController();
  let asked = 0;
  const during = <T>(answer: Promise<T>): Promise<T> => {
    asked += 1;
    if (asked === n) ending.abort();
    return answer;
  };
  const listened = (host: Host): Host => ({
    name: host.name,
    run: (...words) => during(host.run(...words)),
    stream: (...words) => during(host.stream(...words)),
    close: () => host.close(),
  });
  const hosts = new Map(
    lab.nodes.map(({ name, path }) => [name, listened(createHost(name, lab.transport(name), { path }))]),
  );
  const feeds = new Map(
    lab.nodes.map(({ name, path }): [string, Feedable] => {
      const transport = lab.transport(name);
      const open: typeof transport.open = (...words) => during(transport.open(...words));
      return [name, { transport: { ...transport, open }, path, shell: lab.shell }];
    }),
  );
  const surroundings = systemSurroundings();
  const family = aixFamily({ hosts, now: surroundings.now, stabilityMs: 0 });
  return { context: { ...family, store, surroundings }, feeds, signal: ending.signal, asked: () => asked };
}

type Interrupted = ReturnType<typeof nodes>;

/** Interrupts at each question, one after another, and says as what each of them was told. */
async function everywhere(act: (at: Interrupted) => Promise<unknown>): Promise<string[]> {
  const told: string[] = [];
  for (let n = 1; ; n++) {
    const at = nodes(n);
    const end = await act(at).then(
      () => 'done',
      (error: Error & { code?: unknown }) => (error.name === 'AbortError' ? 'AbortError' : String(error.code)),
    );
    if (at.asked() < n) return told;
    told.push(end);
  }
}

describe('an interrupt', { timeout: 300_000 }, () => {
  it.each<[string, (at: Interrupted) => Promise<unknown>]>([
    ['a plan', ({ context, signal }) => planBackup(context, 'ledger_rg', labPolicy, { signal })],
    ['the look of a recovery', ({ context, signal }) => inspectGroup(context, 'ledger_rg', labPolicy, { signal })],
    ['an audit of the levels', ({ context, signal }) => context.audit({ signal })],
  ])('of %s is told as nothing else, whichever question it comes in', async (_, act) => {
    const told = await everywhere(act);
    expect(told.length).toBeGreaterThan(1);
    expect(told).toEqual(told.map(() => 'AbortError'));
  });

  it('of a restore into the group is told as nothing else, and gives the lock back', async () => {
    const told = await everywhere(({ context, feeds, signal }) =>
      restoreIntoGroup(context, backup, 'ledger_rg', {
        feeds,
        signal,
        select: ['journallv'],
        timeoutSeconds: 60,
      }),
    );
    expect(told.length).toBeGreaterThan(10);
    // From the last look at what was restored on, there is nothing left to interrupt.
    expect(told.filter((end) => !['AbortError', 'INTERRUPTED', 'done'].includes(end))).toEqual([]);
    expect(told.lastIndexOf('AbortError')).toBeLessThan(told.indexOf('INTERRUPTED'));
    const { context } = nodes();
    await planBackup(context, 'ledger_rg', labPolicy);
  });

  it('of a restore to a node is told as nothing else, with what is left there', async () => {
    let rounds = 0;
    const told = await everywhere(async ({ context, feeds, signal }) => {
      const directory = `/scratch/round-${rounds++}`;
      await mkdir(lab.storage.realPath('db_node2', directory), { recursive: true });
      const [host, feed] = [context.hosts.get('db_node2'), feeds.get('db_node2')];
      if (host === undefined || feed === undefined) throw new Error('no such node');
      const place = { volume: 'accountslv', directory, mountPoint: '/' };
      await restoreToNode(backup, { ...feed, host }, [place], { timeoutSeconds: 60, signal });
    });
    expect(told.length).toBeGreaterThan(2);
    expect(told.filter((end) => !['AbortError', 'INTERRUPTED', 'done'].includes(end))).toEqual([]);
    expect(told).toContain('INTERRUPTED');
  });
});
