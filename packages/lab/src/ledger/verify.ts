import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { journalName, parseAccount, parseJournal, readAudit } from './records.ts';

/** Where the three parts of a copy lie on this machine. */
export interface LedgerParts {
  /** Directory with the content of `/ledger/journal`. */
  readonly journal: string;
  /** Directory with the content of `/ledger/accounts`. */
  readonly accounts: string;
  /** File with the bytes of the volume `auditlv`, with or without its control block. */
  readonly audit: string;
}

/** Whether the parts of a copy belong together. */
export type LedgerVerdict =
  | {
      readonly kind: 'consistent';
      /** Bookings in the ledger. */
      readonly records: number;
      /** Sum of all balances, in cents. */
      readonly total: number;
    }
  | {
      readonly kind: 'torn';
      /** Number of the last booking as each part has it. */
      readonly journal: number;
      readonly accounts: number;
      readonly audit: number;
      /** What does not agree, one line each. */
      readonly problems: readonly string[];
    };

/**
 * Checks that every booking is in all three parts or in none. Needs nothing but the files: works on a mounted copy, on an
 * extracted archive and on a restored directory alike.
 *
 * @throws when a directory or the file cannot be read.
 */
export function verifyLedger({ journal, accounts, audit }: LedgerParts): LedgerVerdict {
  const problems: string[] = [];
  const expected = new Map<string, { balance: number; bookings: number; last: number }>();
  const names = readdirSync(journal)
    .filter((name) => name.endsWith('.rec'))
    .sort();
  names.forEach((name, index) => {
    const number = index + 1;
    const booking = parseJournal(readFileSync(join(journal, name), 'utf8'));
    if (name !== journalName(number) || booking?.number !== number) {
      problems.push(`journal: ${name} is not booking ${number}`);
      return;
    }
    const state = expected.get(booking.account) ?? { balance: 0, bookings: 0, last: 0 };
    expected.set(booking.account, {
      balance: state.balance + booking.amount,
      bookings: state.bookings + 1,
      last: number,
    });
  });

  let total = 0;
  let lastBooked = 0;
  const found = new Set<string>();
  for (const name of readdirSync(accounts).filter((one) => one.endsWith('.acct'))) {
    const state = parseAccount(readFileSync(join(accounts, name), 'utf8'));
    if (state === undefined || `${state.account}.acct` !== name) {
      problems.push(`accounts: ${name} cannot be read`);
      continue;
    }
    found.add(state.account);
    total += state.balance;
    lastBooked = Math.max(lastBooked, state.last);
    const wanted = expected.get(state.account) ?? { balance: 0, bookings: 0, last: 0 };
    if (state.balance !== wanted.balance || state.bookings !== wanted.bookings || state.last !== wanted.last) {
      problems.push(
        `accounts: ${state.account} holds ${state.balance} after booking ${state.last}, the journal makes it ${wanted.balance} after booking ${wanted.last}`,
      );
    }
  }
  for (const account of expected.keys()) {
    if (!found.has(account)) problems.push(`accounts: ${account} is missing`);
  }

  const { right, wrong } = readAudit(readFileSync(audit));
  const entries = right.toSorted((one, other) => one - other);
  const lastAudited = entries.at(-1) ?? 0;
  for (const number of wrong) problems.push(`audit: the entry of booking ${number} is damaged`);
  if (lastAudited !== names.length)
    problems.push(`audit: ends with booking ${lastAudited}, the journal with ${names.length}`);
  if (entries.some((number, index) => number !== index + 1)) {
    problems.push('audit: entries are missing');
  }

  if (problems.length === 0) return { kind: 'consistent', records: names.length, total };
  return { kind: 'torn', journal: names.length, accounts: lastBooked, audit: lastAudited, problems };
}
