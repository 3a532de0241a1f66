import type { Surroundings } from '../context.ts';

/** When a group is to be backed up. Plain data; a site with cron expressions hands in the starts themselves. */
export interface Schedule {
  /** From when on it counts (UTC, ISO 8601): what lies before was nobody's duty. */
  readonly since: string;
  /** Minutes from a window's start within which a backup may begin. */
  readonly windowMinutes: number;
  readonly starts:
    | { readonly everyMinutes: number }
    /** Wall-clock times (`02:30`) in an IANA time zone. A time that a change of clocks leaves out is the moment of the change. */
    | { readonly dailyAt: readonly string[]; readonly timeZone: string }
    /** Starts in order; all of them that lie in `[from, to)`. */
    | ((from: Date, to: Date) => Iterable<Date>);
}

/** A span of time in which one backup is to begin. */
export interface Window {
  /** UTC, ISO 8601; also its name. */
  readonly start: string;
  /** When it is too late. */
  readonly end: string;
}

/** One line of what became of a window. */
export interface WindowRecord {
  readonly group: string;
  /** Start of the window; UTC, ISO 8601. */
  readonly window: string;
  /** When this was written. */
  readonly at: string;
  /** Who wrote it: machine, process, and a word of its own for each beginning. */
  readonly by: string;
  /** The process that wrote it, as it stands in a lock; records of before have but its machine and id, in `by`. */
  readonly controller?: Surroundings['controller'] | undefined;
  /**
   * `begun`: this initiator is at work on it; `yielded`: it left the group to somebody else who is; `unheld`: no node held
   * the group; `undecided`: nobody could say who does, or read its storage; `elsewhere`: the initiator's own node did not; `done`, `failed` and
   * `died` (whoever had begun is gone and never told the end) end the window; `telling`: this initiator is about to tell a
   * person that it ended, or passed, without a backup; `told`: that person was told.
   */
  readonly what:
    | 'begun'
    | 'yielded'
    | 'unheld'
    | 'undecided'
    | 'elsewhere'
    | 'done'
    | 'failed'
    | 'died'
    | 'telling'
    | 'told';
  /** Node whose data were backed up; `null` where it did not come to that. */
  readonly node: string | null;
  readonly run: string | null;
  /** In a person's words. */
  readonly detail: string;
}

/** The one verdict on a window. */
export interface WindowVerdict extends Window {
  readonly kind:
    | 'done'
    | 'failed'
    /** Nobody held the group as long as it was open. */
    | 'unheld'
    /** Nobody could say who held it, or read its storage, as long as it was open. */
    | 'undecided'
    /** Nobody did anything, or whoever began never told the end. */
    | 'missed'
    /** Somebody has begun. */
    | 'running'
    /** Open, and a backup is to be begun now. */
    | 'due';
  /** Node whose data were backed up. */
  readonly node: string | null;
  readonly run: string | null;
  readonly detail: string;
  /** More than one backup was made in it: runs beyond the first. */
  readonly doubles: readonly string[];
}

/** No more windows than these are looked at: the newest ones. */
const mostWindows = 10_000;

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/**
 * One verdict for each window that has begun, oldest first: a gap cannot go unseen, nor a double. Pure.
 *
 * @param records Those of this group, of all initiators together, in any order.
 * @throws RangeError for a schedule that cannot be followed.
 */
export function judgeWindows(schedule: Schedule, records: readonly WindowRecord[], now: Date): WindowVerdict[] {
  const own = byWindow(records);
  return windowsUntil(schedule, now).map((window) => judgeWindow(window, own(window), now));
}

/**
 * Windows without a backup of which a person has to be told, and was not: nobody was there when they passed, or whoever had
 * begun died. What failed in front of an initiator was told by him, and nobody else tells what one is about to tell. Pure.
 *
 * @param isGone Whether the process that wrote a record provably is no more.
 * @returns oldest first, and no more than the newest {@link mostTold}.
 */
export function windowsUntold(
  schedule: Schedule,
  records: readonly WindowRecord[],
  now: Date,
  isGone: (record: WindowRecord) => boolean,
): WindowVerdict[] {
  const own = byWindow(records);
  return judgeWindows(schedule, records, now)
    .slice(-mostTold)
    .filter((window) => isUntold(window, own(window)) && tellerOf(own(window), now, isGone) === undefined);
}

/** A window more than that ago is no news. */
const mostTold = 1000;

/**
 * Who has told of a window, or else who is about to: the first whose claim holds. An alarm that comes twice is better than
 * one that never comes, so no claim outlives its process, nor the time that telling takes. Pure.
 *
 * @param records Those of one window, in the order of the log.
 * @param isGone As above.
 * @returns the name of that initiator.
 */
export function tellerOf(
  records: readonly WindowRecord[],
  now: Date,
  isGone: (record: WindowRecord) => boolean,
): string | undefined {
  const told = records.find(({ what }) => what === 'told');
  // A claim of the future was written while a clock was wrong.
  const holds = (claim: WindowRecord) =>
    claim.what === 'telling' && Math.abs(now.getTime() - Date.parse(claim.at)) < longestTellingMs && !isGone(claim);
  return (told ?? records.find(holds))?.by;
}

/** All attempts to reach a monitor that is down take less than a minute. */
const longestTellingMs = 10 * minuteMs;

function isUntold({ kind }: WindowVerdict, records: readonly WindowRecord[]): boolean {
  switch (kind) {
    case 'missed':
      return true;
    case 'unheld':
    case 'undecided':
      // Where another node held it last, that one's own initiator has to see to it, and tells.
      return records.findLast(({ what }) => /^(?:unheld|undecided|elsewhere)$/.test(what))?.what !== 'elsewhere';
    case 'failed':
      return records.findLast(({ what }) => what === 'failed' || what === 'died')?.what === 'died';
    case 'done':
    case 'running':
    case 'due':
      return false;
  }
}

/** The records of each window, as time went by. */
function byWindow(records: readonly WindowRecord[]): (window: Window) => readonly WindowRecord[] {
  const found = Map.groupBy(
    records.toSorted((a, b) => (a.at < b.at ? -1 : 1)),
    ({ window }) => window,
  );
  return ({ start }) => found.get(start) ?? [];
}

/**
 * The window in which a backup is to be begun now, or `undefined`. Pure. Of several open ones it is the newest: a backup
 * taken now says nothing about the time before.
 */
export function windowsDue(schedule: Schedule, records: readonly WindowRecord[], now: Date): WindowVerdict | undefined {
  const last = judgeWindows(schedule, records, now).at(-1);
  return last?.kind === 'due' ? last : undefined;
}

/** When the next window begins, or `undefined` where none is known within a year, from `since` where that lies ahead. */
export function nextWindow(schedule: Schedule, now: Date): Date | undefined {
  const after = new Date(Math.max(now.getTime() + 1, Date.parse(schedule.since)));
  // A year is looked through only for a schedule that is rare; an hour holds no more windows than are looked at, even if
  // there is one each second.
  for (const days of [1 / 24, 2, 40, 366]) {
    const [next] = startsIn(schedule, after, new Date(after.getTime() + days * dayMs));
    if (next !== undefined) return next;
  }
  return undefined;
}

function judgeWindow(window: Window, records: readonly WindowRecord[], now: Date): WindowVerdict {
  const isOpen = now < new Date(window.end);
  const verdict = (kind: WindowVerdict['kind'], from: WindowRecord | undefined, detail: string): WindowVerdict => {
    const done = records.filter(({ what }) => what === 'done').map(({ run, by }) => run ?? by);
    const doubles = [...new Set(done)].slice(1);
    return { ...window, kind, node: from?.node ?? null, run: from?.run ?? null, detail, doubles };
  };
  const last = (...whats: readonly WindowRecord['what'][]) => records.findLast(({ what }) => whats.includes(what));
  const done = records.find(({ what }) => what === 'done');
  if (done !== undefined) return verdict('done', done, done.detail);
  const failed = last('failed', 'died');
  if (failed !== undefined) return verdict('failed', failed, failed.detail);
  const [open] = begunAndNotEnded(records);
  if (open !== undefined) {
    return isOpen || now.getTime() < new Date(open.at).getTime() + longestRunMs
      ? verdict('running', open, `begun by ${open.by} at ${open.at}`)
      : verdict('missed', open, `begun by ${open.by} at ${open.at}, which never told the end`);
  }
  if (isOpen) return verdict('due', undefined, 'open');
  const nobody = last('unheld', 'undecided');
  if (nobody !== undefined) return verdict(nobody.what === 'unheld' ? 'unheld' : 'undecided', nobody, nobody.detail);
  const elsewhere = last('elsewhere');
  return elsewhere === undefined
    ? verdict('missed', undefined, last('yielded')?.detail ?? 'no initiator did anything')
    : verdict('unheld', elsewhere, 'no node that looked held the group');
}

/** A run that has told nothing for so long is not waited for. */
const longestRunMs = 2 * dayMs;

/** Beginnings of one window whose initiator has not written what came of them, in the order of the records. */
export function begunAndNotEnded(records: readonly WindowRecord[]): WindowRecord[] {
  // Everybody begins under a name of his own, so that no clock has to tell what came later.
  return records.filter(
    ({ what, by }) => what === 'begun' && !records.some((other) => other.by === by && other.what !== 'begun'),
  );
}

function windowsUntil(schedule: Schedule, now: Date): Window[] {
  const { since, windowMinutes } = schedule;
  if (!(windowMinutes > 0)) throw new RangeError(`a window cannot last ${windowMinutes} minutes`);
  const from = new Date(since);
  if (Number.isNaN(from.getTime())) throw new RangeError(`not a time: ${since}`);
  const starts = startsIn(schedule, from, new Date(now.getTime() + 1));
  return starts.slice(-mostWindows).map((start) => ({
    start: start.toISOString(),
    end: new Date(start.getTime() + windowMinutes * minuteMs).toISOString(),
  }));
}

function startsIn({ starts, since }: Schedule, from: Date, to: Date): Date[] {
  if (typeof starts === 'function') return newestStarts(starts, from, to);
  if ('dailyAt' in starts) return dailyStarts(starts.dailyAt, starts.timeZone, from, to);
  const step = starts.everyMinutes * minuteMs;
  if (!(step > 0)) throw new RangeError(`not a number of minutes: ${starts.everyMinutes}`);
  const origin = new Date(since).getTime();
  const first = Math.max(
    0,
    Math.ceil((from.getTime() - origin) / step),
    Math.ceil((to.getTime() - origin) / step) - mostWindows,
  );
  const found: Date[] = [];
  for (let at = origin + first * step; at < to.getTime(); at += step) found.push(new Date(at));
  return found;
}

/** Asked for span by span from the end back, since there may be millions of them since a schedule was made. */
function newestStarts(starts: (from: Date, to: Date) => Iterable<Date>, from: Date, to: Date): Date[] {
  let found: Date[] = [];
  let end = to;
  for (let days = 1; end > from && found.length < mostWindows; days *= 2) {
    const begin = new Date(Math.max(from.getTime(), end.getTime() - days * dayMs));
    const span = [...starts(begin, end)].filter((start) => start >= begin && start < end);
    found = [...span, ...found];
    end = begin;
  }
  return found;
}

function dailyStarts(times: readonly string[], timeZone: string, from: Date, to: Date): Date[] {
  const clocks = times.map((time) => {
    const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? [];
    if (hour === undefined || minute === undefined) throw new RangeError(`not a time of day: ${time}`);
    return { hour: Number(hour), minute: Number(minute) };
  });
  const wallClock = wallClockIn(timeZone);
  const found = new Set<number>();
  // A day more on each side, since the day in the zone need not be the day in UTC; half days, since one can have 23 hours.
  const firstDay = Math.max(from.getTime(), to.getTime() - mostWindows * dayMs) - dayMs;
  for (let day = firstDay; day < to.getTime() + dayMs; day += dayMs / 2) {
    const { year, month, date } = wallClock(day);
    for (const { hour, minute } of clocks) {
      found.add(instantOf(Date.UTC(year, month - 1, date, hour, minute), wallClock));
    }
  }
  return [...found]
    .filter((at) => at >= from.getTime() && at < to.getTime())
    .sort((a, b) => a - b)
    .map((at) => new Date(at));
}

type WallClock = (at: number) => {
  readonly year: number;
  readonly month: number;
  readonly date: number;
  /** What the wall shows, as if it were UTC, in milliseconds. */
  readonly shown: number;
};

function wallClockIn(timeZone: string): WallClock {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    const [year, month, date] = [part('year'), part('month'), part('day')];
    return { year, month, date, shown: Date.UTC(year, month - 1, date, part('hour'), part('minute'), part('second')) };
  };
}

/** The first instant at which the wall shows a time, or the moment at which the clocks leave it out. */
function instantOf(shown: number, wallClock: WallClock): number {
  const halfDay = 12 * 60 * minuteMs;
  const offsets = [shown - halfDay, shown + halfDay].map((at) => wallClock(at).shown - at);
  const candidates = offsets.map((offset) => shown - offset).sort((a, b) => a - b);
  const exact = candidates.find((at) => wallClock(at).shown === shown);
  if (exact !== undefined) return exact;
  // Between the two lies the change: the wall shows less before it and more after it.
  let [before = shown, after = shown] = candidates;
  while (after - before > 1000) {
    const middle = Math.floor((before + after) / 2000) * 1000;
    if (wallClock(middle).shown < shown) before = middle;
    else after = middle;
  }
  return after;
}
