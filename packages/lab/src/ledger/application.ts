import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, type Commands, fails, prints } from '../command.ts';
import {
  type AccountState,
  accountCount,
  accountText,
  auditEntry,
  auditEntryBytes,
  auditStart,
  bookingOf,
  journalName,
  journalText,
  parseAccount,
} from './records.ts';

/** What the application needs of a node's storage. */
export interface LedgerStorage {
  /** Writes a file below a mount point; waits while the file system is frozen. */
  write(node: string, path: string, bytes: Uint8Array): Promise<void>;
  /** Writes bytes of a logical volume. */
  writeRaw(node: string, volume: string, offset: number, bytes: Uint8Array): Promise<void>;
  /** Whether a file system of the shared disks is mounted there. */
  isMounted(node: string, mountPoint: string): boolean;
  /** The node's root directory on this machine. */
  root(node: string): string;
}

/** How the application works. */
export interface LedgerSettings {
  readonly journal: string;
  readonly accounts: string;
  readonly auditVolume: string;
  /** The volumes have room for so many; then the ledger rests. */
  readonly mostBookings: number;
  /** Between two bookings, in milliseconds. */
  readonly intervalMs: number;
  /** Between the parts of one booking, in milliseconds: as long as a copy taken then is torn. */
  readonly gapMs: number;
}

/** The application of the lab. */
export interface Ledger {
  /** `ledgerctl` and the start and stop scripts. */
  readonly commands: Commands;
  /** Node on which it runs. */
  node(): string | undefined;
  /** Bookings written in full since the ledger was made. */
  bookings(): number;
  /** The node is gone: whatever was under way stops there. */
  crash(node: string): void;
  close(): Promise<void>;
}

interface Running {
  readonly node: string;
  suspended: boolean;
  stopped: boolean;
  /** A booking that is being written. */
  busy: Promise<void>;
  readonly loop: Promise<void>;
}

/** Entries of the audit trail that a crash can leave ahead of the journal, at most. */
const aheadAtMost = 1024;

const usage = 'Usage: ledgerctl { start | stop | suspend | resume | status }\n';

/**
 * A ledger which keeps writing bookings: a file in the journal, then the state of an account, then an entry on a raw
 * volume, with a little time in between. Run again after a crash it completes the booking that was under way.
 */
export function createLedger(storage: LedgerStorage, settings: LedgerSettings): Ledger {
  const instances = new Map<string, Running>();
  let written = 0;

  const path = {
    journal: (number: number) => `${settings.journal}/${journalName(number)}`,
    account: (account: string) => `${settings.accounts}/${account}.acct`,
  };

  async function write(running: Running, number: number): Promise<void> {
    const { node } = running;
    const booking = bookingOf(number);
    await storage.write(node, path.journal(number), Buffer.from(journalText(booking)));
    await delay(settings.gapMs);
    if (running.stopped) return;
    const before = readAccount(node, booking.account);
    const after: AccountState = {
      account: booking.account,
      balance: before.balance + booking.amount,
      bookings: before.bookings + 1,
      last: number,
    };
    await storage.write(node, path.account(booking.account), Buffer.from(accountText(after)));
    await delay(settings.gapMs);
    if (running.stopped) return;
    await storage.writeRaw(
      node,
      settings.auditVolume,
      auditStart + (number - 1) * auditEntryBytes,
      auditEntry(booking),
    );
    written = number;
  }

  function readAccount(node: string, account: string): AccountState {
    const file = join(storage.root(node), path.account(account));
    const state = existsSync(file) ? parseAccount(readFileSync(file, 'utf8')) : undefined;
    return state ?? { account, balance: 0, bookings: 0, last: 0 };
  }

  function lastBooking(node: string): number {
    const names = readdirSync(join(storage.root(node), settings.journal)).filter((name) => name.endsWith('.rec'));
    return Number.parseInt(names.sort().at(-1) ?? '0', 10);
  }

  /**
   * The journal is the truth. What a crash lost of it is lost; the accounts follow from it, and entries of the audit
   * trail that run ahead of it are taken out.
   */
  async function recover(node: string, last: number): Promise<void> {
    const states = new Map<string, AccountState>();
    for (let index = 0; index < accountCount; index++) {
      const account = `acct${String(index).padStart(2, '0')}`;
      states.set(account, { account, balance: 0, bookings: 0, last: 0 });
    }
    for (let number = 1; number <= last; number++) {
      const { account, amount } = bookingOf(number);
      const { balance, bookings } = states.get(account) ?? { balance: 0, bookings: 0 };
      states.set(account, { account, balance: balance + amount, bookings: bookings + 1, last: number });
    }
    if (last > 0) await storage.write(node, path.journal(last), Buffer.from(journalText(bookingOf(last))));
    for (const [account, state] of states) {
      const text = accountText(state);
      const file = join(storage.root(node), path.account(account));
      if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
      await storage.write(node, path.account(account), Buffer.from(text));
    }
    const trail = Buffer.concat([
      ...(last > 0 ? [auditEntry(bookingOf(last))] : []),
      Buffer.alloc(aheadAtMost * auditEntryBytes),
    ]);
    await storage.writeRaw(node, settings.auditVolume, auditStart + Math.max(0, last - 1) * auditEntryBytes, trail);
  }

  async function start(node: string): Promise<Answer> {
    if (instances.has(node)) return prints(`ledger is already running on ${node}\n`);
    if (![settings.journal, settings.accounts].every((mountPoint) => storage.isMounted(node, mountPoint))) {
      return fails('ledgerctl: the file systems of the ledger are not mounted\n');
    }
    const last = lastBooking(node);
    await recover(node, last);
    const running: { -readonly [K in keyof Running]: Running[K] } = {
      node,
      suspended: false,
      stopped: false,
      busy: Promise.resolve(),
      loop: Promise.resolve(),
    };
    instances.set(node, running);
    running.loop = keepBooking(running, last + 1);
    return prints(`ledger started, ${last} bookings so far\n`);
  }

  async function keepBooking(running: Running, next: number): Promise<void> {
    let number = next;
    while (!running.stopped) {
      if (!running.suspended && number <= settings.mostBookings) {
        running.busy = write(running, number).catch(() => {
          // Its volumes went away under it; the next start puts the booking right.
          running.stopped = true;
          instances.delete(running.node);
        });
        await running.busy;
        number++;
      }
      await delay(settings.intervalMs);
    }
  }

  async function stop(node: string): Promise<Answer> {
    const running = instances.get(node);
    if (running === undefined) return prints(`ledger is not running on ${node}\n`);
    running.suspended = true;
    await running.busy;
    running.stopped = true;
    instances.delete(node);
    return prints(`ledger stopped after ${written} bookings\n`);
  }

  const actions: Readonly<Record<string, (node: string) => Answer | Promise<Answer>>> = {
    start,
    stop,
    async suspend(node) {
      const running = instances.get(node);
      if (running === undefined) return notHere(node);
      running.suspended = true;
      // The booking under way is written to its end.
      await running.busy;
      return prints(`ledger suspended after ${written} bookings\n`);
    },
    resume(node) {
      const running = instances.get(node);
      if (running === undefined) return notHere(node);
      running.suspended = false;
      return prints('ledger resumed\n');
    },
    status(node) {
      const running = instances.get(node);
      if (running === undefined) return { ...prints('ledger is not running on this node\n'), code: 1 } as Answer;
      return prints(`ledger is ${running.suspended ? 'suspended' : 'running'}, ${written} bookings\n`);
    },
  };

  return {
    commands: {
      ledgerctl: ({ node, args }) => actions[args[0] ?? '']?.(node) ?? fails(usage, 2),
    },
    node: () => [...instances.keys()][0],
    bookings: () => written,
    crash(node) {
      const running = instances.get(node);
      if (running !== undefined) running.stopped = true;
      instances.delete(node);
    },
    async close() {
      const all = [...instances.values()];
      for (const running of all) running.stopped = true;
      instances.clear();
      // A booking may wait for a frozen file system, which nobody thaws any more.
      await Promise.race([Promise.all(all.map(({ loop }) => loop)), delay(500)]);
    },
  };
}

function notHere(node: string): Answer {
  return fails(`ledgerctl: the ledger is not running on ${node}\n`);
}
