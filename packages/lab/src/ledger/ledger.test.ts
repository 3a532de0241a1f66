import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, type LedgerParts, startLab, verifyLedger } from '../index.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await startLab({ contentBytes: 50_000, phaseMs: 2, ledger: { intervalMs: 5, gapMs: 5 } });
});
afterAll(() => lab.close());

const ok = async (node: string, ...argv: [string, ...string[]]) => {
  const ran = await lab.run(node, argv);
  expect(ran, argv.join(' ')).toMatchObject({ code: 0 });
  return ran.stdout;
};

/** Copies the three parts as they are, without stopping anybody. */
async function copy(node: string, name: string): Promise<LedgerParts> {
  const root = lab.nodes.find((one) => one.name === node)?.root ?? '';
  const to = join(lab.directory, name);
  cpSync(join(root, 'ledger/journal'), join(to, 'journal'), { recursive: true });
  cpSync(join(root, 'ledger/accounts'), join(to, 'accounts'), { recursive: true });
  await ok(node, 'dd', 'if=/dev/rauditlv', 'of=/tmp/audit');
  cpSync(join(root, 'tmp/audit'), join(to, 'audit'));
  return { journal: join(to, 'journal'), accounts: join(to, 'accounts'), audit: join(to, 'audit') };
}

describe('the ledger', () => {
  it('is torn in a copy taken while it writes, and whole in one taken while it is suspended', async () => {
    await expect.poll(async () => (await lab.status()).ledger.bookings).toBeGreaterThan(5);
    const kinds = new Set<string>();
    for (let attempt = 0; attempt < 10 && !kinds.has('torn'); attempt++) {
      kinds.add(verifyLedger(await copy('db_node1', `running${attempt}`)).kind);
    }
    expect([...kinds]).toContain('torn');
    expect(await ok('db_node1', 'ledgerctl', 'suspend')).toMatch(/^ledger suspended after \d+ bookings$/m);
    const verdict = verifyLedger(await copy('db_node1', 'suspended'));
    expect(verdict).toMatchObject({ kind: 'consistent', records: (await lab.status()).ledger.bookings });
    await delay(50);
    expect(await ok('db_node1', 'ledgerctl', 'status')).toMatch(/^ledger is suspended, /);
    expect(await ok('db_node1', 'ledgerctl', 'resume')).toBe('ledger resumed\n');
    const { bookings } = (await lab.status()).ledger;
    await expect.poll(async () => (await lab.status()).ledger.bookings).toBeGreaterThan(bookings);
  });

  it('waits at a frozen file system and goes on after the thaw', async () => {
    await ok('db_node1', 'chfs', '-a', 'freeze=30', '/ledger/journal');
    await delay(60);
    const { bookings } = (await lab.status()).ledger;
    await delay(60);
    expect((await lab.status()).ledger.bookings).toBe(bookings);
    await ok('db_node1', 'chfs', '-a', 'freeze=off', '/ledger/journal');
    await expect.poll(async () => (await lab.status()).ledger.bookings).toBeGreaterThan(bookings);
  });

  it('refuses on a node that does not have it', async () => {
    for (const action of ['suspend', 'resume', 'status']) {
      expect((await lab.run('db_node2', ['ledgerctl', action])).code).toBe(1);
    }
    expect((await lab.run('db_node2', ['ledgerctl', 'start'])).stderr).toMatch(/not mounted/);
    expect((await lab.run('db_node2', ['ledgerctl', 'explode'])).code).toBe(2);
  });

  it('is whole again after a crash and a takeover', async () => {
    await lab.crash('db_node1');
    await expect.poll(async () => (await lab.status()).ledger.node).toBe('db_node2');
    await delay(100);
    await ok('db_node2', 'ledgerctl', 'suspend');
    expect(verifyLedger(await copy('db_node2', 'taken-over')).kind).toBe('consistent');
    await ok('db_node2', 'ledgerctl', 'resume');
  });
});

describe('a raw volume', () => {
  it('takes back what dd writes to it', async () => {
    await ok('db_node2', 'ledgerctl', 'suspend');
    await ok('db_node2', 'dd', 'if=/dev/rauditlv', 'of=/tmp/saved');
    await ok('db_node2', 'dd', 'if=/dev/zero', 'of=/dev/rauditlv', 'bs=4096', 'count=2');
    expect(verifyLedger(await copy('db_node2', 'zeroed')).kind).toBe('torn');
    await ok('db_node2', 'dd', 'if=/tmp/saved', 'of=/dev/rauditlv');
    expect(verifyLedger(await copy('db_node2', 'restored')).kind).toBe('consistent');
    await ok('db_node2', 'ledgerctl', 'resume');
  });
});

describe('verifyLedger', () => {
  it('tells what does not agree', async () => {
    await ok('db_node2', 'ledgerctl', 'suspend');
    const parts = await copy('db_node2', 'tampered');
    const whole = verifyLedger(parts);
    if (whole.kind !== 'consistent') throw new Error('not consistent to begin with');
    const last = String(whole.records).padStart(8, '0');

    const record = readFileSync(join(parts.journal, `${last}.rec`));
    rmSync(join(parts.journal, `${last}.rec`));
    expect(verifyLedger(parts)).toMatchObject({
      kind: 'torn',
      journal: whole.records - 1,
      accounts: whole.records,
      audit: whole.records,
    });
    writeFileSync(join(parts.journal, `${last}.rec`), record.subarray(0, 20));
    expect(verifyLedger(parts)).toMatchObject({
      kind: 'torn',
      problems: expect.arrayContaining([`journal: ${last}.rec is not booking ${whole.records}`]),
    });
    writeFileSync(join(parts.journal, `${last}.rec`), record);
    expect(verifyLedger(parts)).toEqual(whole);

    const audit = readFileSync(parts.audit);
    writeFileSync(parts.audit, audit.subarray(512));
    expect(verifyLedger(parts)).toEqual(whole);
    audit[4096 + 30] = 0x21;
    writeFileSync(parts.audit, audit);
    expect(verifyLedger(parts)).toMatchObject({
      problems: expect.arrayContaining(['audit: the entry of booking 1 is damaged']),
    });
    appendFileSync(join(parts.accounts, 'acct00.acct'), 'x');
    expect(verifyLedger(parts)).toMatchObject({
      problems: expect.arrayContaining(['accounts: acct00.acct cannot be read']),
    });
  });
});
