import { createHash } from 'node:crypto';

/** One booking: it is in the journal, in the state of its account, and in the audit trail, or the ledger is torn. */
export interface Booking {
  /** From 1, without gaps. */
  readonly number: number;
  readonly account: string;
  /** In cents; negative when money leaves. */
  readonly amount: number;
}

/** What the file of an account says. */
export interface AccountState {
  readonly account: string;
  /** In cents. */
  readonly balance: number;
  /** Bookings of this account so far. */
  readonly bookings: number;
  /** Number of the last one; 0 before the first. */
  readonly last: number;
}

/** Number of accounts. */
export const accountCount = 16;
/** Bytes of one entry of the audit trail. */
export const auditEntryBytes = 64;
/** Where the audit trail begins on its volume: the start belongs to the control block. */
export const auditStart = 4096;

/** The booking of a number; the same in every run, so that a content can be checked without the writer. */
export function bookingOf(number: number): Booking {
  const hash = createHash('sha256').update(`booking ${number}`).digest();
  return {
    number,
    account: `acct${String(hash.readUInt8(0) % accountCount).padStart(2, '0')}`,
    amount: hash.readInt32BE(1) % 1_000_000,
  };
}

export function journalName(number: number): string {
  return `${String(number).padStart(8, '0')}.rec`;
}

/** Journal file of a booking. The filler makes it about as long as a real one. */
export function journalText({ number, account, amount }: Booking): string {
  const filler = createHash('sha512').update(`voucher ${number}`).digest('hex').repeat(6);
  return `booking ${number}\naccount ${account}\namount ${amount}\nvoucher ${filler}\n`;
}

export function parseJournal(text: string): Booking | undefined {
  const match = /^booking (\d+)\naccount (\w+)\namount (-?\d+)\nvoucher [0-9a-f]+\n$/.exec(text);
  if (match === null) return undefined;
  return { number: Number(match[1]), account: match[2] ?? '', amount: Number(match[3]) };
}

export function accountText({ account, balance, bookings, last }: AccountState): string {
  return `account ${account}\nbalance ${balance}\nbookings ${bookings}\nlast ${last}\n`;
}

export function parseAccount(text: string): AccountState | undefined {
  const match = /^account (\w+)\nbalance (-?\d+)\nbookings (\d+)\nlast (\d+)\n$/.exec(text);
  if (match === null) return undefined;
  return { account: match[1] ?? '', balance: Number(match[2]), bookings: Number(match[3]), last: Number(match[4]) };
}

/** Entry of the audit trail: text that tells its own number, so that it is found wherever it lies. */
export function auditEntry(booking: Booking): Buffer {
  const digest = createHash('sha256').update(journalText(booking)).digest('hex').slice(0, 40);
  return Buffer.from(
    `AUDIT ${String(booking.number).padStart(12, '0')} ${digest}`.padEnd(auditEntryBytes - 1).concat('\n'),
  );
}

/** Numbers of the entries whose text is right, and of those whose text is not. */
export function readAudit(raw: Uint8Array): { readonly right: readonly number[]; readonly wrong: readonly number[] } {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const right: number[] = [];
  const wrong: number[] = [];
  for (let at = 0; at + auditEntryBytes <= bytes.length; at += auditEntryBytes) {
    const entry = bytes.subarray(at, at + auditEntryBytes);
    const match = /^AUDIT (\d{12}) /.exec(entry.toString('latin1'));
    if (match === null) continue;
    const number = Number(match[1]);
    (auditEntry(bookingOf(number)).equals(entry) ? right : wrong).push(number);
  }
  return { right, wrong };
}
