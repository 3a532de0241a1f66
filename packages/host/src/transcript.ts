import { members } from './command.ts';
import type { StepResult } from './host.ts';
import type { Script, Step } from './script.ts';

type From = 'stdout' | 'stderr';

/** Output that a script may add after the limit: what its paying steps say on the way out. */
const farewellBytes = 1 << 20;

interface StepRecord {
  start?: { at: number; clock: number };
  end?: { at: number; clock: number; code: number; timedOut: boolean };
  /** The end mark was read on this stream: its output is whole. */
  readonly whole: Record<From, boolean>;
  /** Some of its output was not kept. */
  cut: boolean;
  readonly stdout: Buffer[];
  readonly stderr: Buffer[];
  readonly codes: number[];
}

/** Collects what a script's marks and output say about its steps. */
export class Transcript {
  readonly #steps: readonly Step[];
  readonly #records: StepRecord[];
  readonly #current: Record<From, StepRecord | undefined> = { stdout: undefined, stderr: undefined };
  readonly #stray: Buffer[] = [];
  #limit: number;
  /** The limit was reached: what is kept from now on is the farewell. */
  #isFull = false;
  #bytes = 0;

  /** @param limit Most bytes of output kept, both streams together. */
  constructor(script: Script, limit: number) {
    this.#steps = script.steps;
    this.#records = script.steps.map(() => ({
      whole: { stdout: false, stderr: false },
      cut: false,
      stdout: [],
      stderr: [],
      codes: [],
    }));
    this.#limit = limit;
  }

  mark(from: From, words: readonly string[]): void {
    const [word, index, ...rest] = words;
    const record = this.#records[Number(index)];
    if (record === undefined) return;
    const [first, second] = rest.map(Number);
    if (word === 'start') {
      this.#current[from] = record;
      record.start ??= { at: performance.now(), clock: Number(first) };
    } else if (word === 'member') {
      record.codes[Number(first)] = statusOf(Number(second));
    } else if (word === 'end') {
      this.#current[from] = undefined;
      record.whole[from] = true;
      record.end ??= {
        at: performance.now(),
        code: statusOf(Number(first)),
        clock: Number(second),
        timedOut: rest[2] === 'timeout',
      };
    }
  }

  /** A step is under way on this stream: what comes is its output. */
  inStep(from: From): boolean {
    return this.#current[from] !== undefined;
  }

  /** Keeps output; `false` when it had to be dropped for the limit. */
  text(from: From, bytes: Buffer): boolean {
    const record = this.#current[from];
    if (record?.cut) return false;
    if (this.#bytes + bytes.length > this.#limit) {
      if (record !== undefined) record.cut = true;
      if (!this.#isFull) this.#limit = this.#bytes + farewellBytes;
      this.#isFull = true;
      return false;
    }
    this.#bytes += bytes.length;
    // A copy, since a few bytes would keep a whole chunk in memory.
    (record?.[from] ?? this.#stray).push(Buffer.from(bytes));
    return true;
  }

  /** Keeps the last output only, about as much as the limit says. */
  tail(from: From, bytes: Buffer): void {
    const kept = this.#current[from]?.[from] ?? this.#stray;
    kept.push(Buffer.from(bytes.subarray(-this.#limit)));
    this.#bytes += bytes.length;
    while (this.#bytes > 2 * this.#limit && kept.length > 1) this.#bytes -= kept.shift()?.length ?? 0;
  }

  /** The start of what came outside every step: a login banner, or the complaint of a wrong shell. */
  stray(): string {
    return JSON.stringify(Buffer.concat(this.#stray).toString('utf8').trim().slice(0, 200));
  }

  results(): StepResult[] {
    return this.#steps.map((step, index): StepResult => {
      const record = this.#records[index];
      if (record?.start === undefined) return { kind: 'skipped', id: step.id };
      const stdout = Buffer.concat(record.stdout).toString('utf8');
      const stderr = Buffer.concat(record.stderr).toString('utf8');
      // An answer that has not arrived whole, or was not kept whole, must not be read as one.
      const whole = record.whole.stdout && record.whole.stderr && !record.cut;
      if (record.end === undefined || !whole) return { kind: 'unfinished', id: step.id, stdout, stderr };
      const count = members(step.run).length;
      return {
        kind: record.end.timedOut ? 'timed-out' : 'ended',
        id: step.id,
        exitCode: record.end.code,
        memberCodes: count === 1 ? [record.end.code] : Array.from({ length: count }, (_, i) => record.codes[i] ?? -1),
        stdout,
        stderr,
        durationMs: Math.max(0, record.end.at - record.start.at),
        clock: { start: record.start.clock, end: record.end.clock },
      };
    });
  }
}

/** ksh93 counts signals from 256, everyone else from 128. */
function statusOf(code: number): number {
  return code > 256 ? code - 128 : code;
}
