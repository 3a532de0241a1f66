import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { changes, createHost, type Host, reads, type Step } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { startLab, verifyLedger } from './index.ts';

const shells = ['/bin/sh', '/usr/bin/ksh93', '/usr/bin/mksh'];
const step = (id: string, run: Step['run'], more: Partial<Step> = {}): Step => ({
  id,
  run,
  timeoutSeconds: 30,
  ...more,
});

const volumes = [
  { volume: 'accountslv', copy: 'smabc123200', mountPoint: '/ledger/accounts' },
  { volume: 'journallv', copy: 'smabc123201', mountPoint: '/ledger/journal' },
];
const copies = [...volumes, { volume: 'auditlv', copy: 'smabc123202', mountPoint: undefined }];

async function succeed(host: Host, steps: readonly Step[]): Promise<string> {
  const outcome = await host.run({ steps });
  const bad = outcome.steps.filter((each) => each.kind !== 'ended' || each.exitCode !== 0);
  expect([outcome.kind, bad]).toEqual(['completed', []]);
  return outcome.steps.map((each) => ('stdout' in each ? each.stdout : '')).join('');
}

async function save(host: Host, run: Step['run'], file: string): Promise<void> {
  const stream = await host.stream(run, { timeoutSeconds: 60 });
  await pipeline(stream.stdout, createWriteStream(file));
  expect(await stream.outcome).toMatchObject({ kind: 'ended' });
}

describe.each(shells)('the main flow under %s', (shell) => {
  it.skipIf(!existsSync(shell))(
    'splits a consistent copy, reads it and merges it (skipped where the shell is missing)',
    async () => {
      const lab = await startLab({
        shell,
        contentBytes: 1_000_000,
        phaseMs: 1,
        resyncPerSecond: 500,
        ledger: { intervalMs: 5, gapMs: 5 },
      });
      const directory = mkdtempSync(join(tmpdir(), 'lab-flow-'));
      try {
        const node = lab.nodes[0];
        const host = createHost('db_node1', lab.transport('db_node1'), { path: node?.path, shell });
        await expect.poll(async () => (await lab.status()).ledger.bookings).toBeGreaterThan(3);
        const said = await succeed(host, [
          step('suspend', changes('ledgerctl', 'suspend')),
          ...volumes.map(({ mountPoint }) =>
            step(`freeze:${mountPoint}`, changes('chfs', '-a', 'freeze=60', mountPoint)),
          ),
          ...copies.map(({ volume, copy }) =>
            step(`split:${volume}`, changes('splitlvcopy', '-f', '-y', copy, volume, '1', 'hdisk3')),
          ),
          ...volumes.map(({ mountPoint }) =>
            step(`thaw:${mountPoint}`, changes('chfs', '-a', 'freeze=off', mountPoint), {
              pays: [`freeze:${mountPoint}`],
            }),
          ),
          step('resume', changes('ledgerctl', 'resume'), { pays: ['suspend'] }),
        ]);
        const bookings = Number(/suspended after (\d+) bookings/.exec(said)?.[1]);
        await succeed(
          host,
          volumes.flatMap(({ copy }) => [
            step(`label:${copy}`, changes('chlv', '-L', `/splitmirror/abc123/${copy}`, copy)),
            step(`mkdir:${copy}`, changes('mkdir', '-p', `/splitmirror/abc123/${copy}`)),
            step(`fsck:${copy}`, changes('fsck', '-p', `/dev/${copy}`)),
            step(`mount:${copy}`, changes('mount', '-o', 'ro', `/dev/${copy}`, `/splitmirror/abc123/${copy}`)),
          ]),
        );
        await expect.poll(async () => (await lab.status()).ledger.bookings).toBeGreaterThan(bookings + 2);
        for (const { copy, volume } of volumes) {
          await save(
            host,
            reads('tar', '-cf', '-', '-C', `/splitmirror/abc123/${copy}`, '.'),
            join(directory, `${volume}.tar`),
          );
          mkdirSync(join(directory, volume));
          const [code] = await once(
            spawn('tar', ['-xf', `../${volume}.tar`], { cwd: join(directory, volume) }),
            'close',
          );
          expect(code).toBe(0);
        }
        await save(host, reads('dd', 'if=/dev/rsmabc123202', 'bs=1024k'), join(directory, 'audit'));
        expect(
          verifyLedger({
            journal: join(directory, 'journallv'),
            accounts: join(directory, 'accountslv'),
            audit: join(directory, 'audit'),
          }),
        ).toMatchObject({ kind: 'consistent', records: bookings });
        await succeed(host, [
          ...volumes.map(({ copy }) => step(`umount:${copy}`, changes('umount', `/splitmirror/abc123/${copy}`))),
          ...copies.map(({ copy }) => step(`rmlv:${copy}`, changes('rmlv', '-f', copy))),
          ...copies.map(({ volume }) => step(`mklvcopy:${volume}`, changes('mklvcopy', volume, '2', 'hdisk3'))),
          ...copies.map(({ volume }) => step(`syncvg:${volume}`, changes('syncvg', '-P', '4', '-l', volume))),
        ]);
        const group = lab.storage.inspect().groups.find(({ name }) => name === 'ledgervg');
        expect(group?.volumes.map(({ name, copies: count, stale }) => [name, count, stale])).toEqual([
          ['journallv', 2, 0],
          ['accountslv', 2, 0],
          ['auditlv', 2, 0],
        ]);
      } finally {
        await lab.close();
        rmSync(directory, { recursive: true });
      }
    },
  );
});
