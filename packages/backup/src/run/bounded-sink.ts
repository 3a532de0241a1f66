import { toldAs } from '../store/durable.ts';
import type { Sink } from './sink.ts';

/** How long what takes the bytes may still take to end by itself, once nobody waits for it any more. */
const graceMs = 5000;

/**
 * A sink of which nothing is waited for much longer than until `giveUp` aborts, be it opened, written to, finished or
 * abandoned: it may be anybody's code, and the mirror is split meanwhile. What it throws names it: it is no defect of ours.
 *
 * @throws BackupError `STORE_UNUSABLE` where the sink fails with an error that is neither typed nor the system's.
 */
export async function boundedSink(open: () => Promise<Sink>, giveUp: AbortSignal): Promise<Sink> {
  const opening = open();
  const sink = await waited(() => opening, giveUp).catch((error: unknown) => {
    // One that comes after all is not left open.
    opening.then((late) => late.abandon()).catch(() => {});
    throw error;
  });
  return {
    write: (chunk, release) => waited(() => sink.write(chunk, release), giveUp),
    finish: () => waited(() => sink.finish(), giveUp),
    // Whatever it leaves lies in the directory of a run that does not count.
    abandon: () => within(sink.abandon(), AbortSignal.abort()).catch(() => {}),
    interrupt: () => sink.interrupt(),
  };
}

function waited<T>(work: () => Promise<T>, giveUp: AbortSignal): Promise<T> {
  return toldAs('what takes the archives failed', 'See to where the archives are kept.', () => within(work(), giveUp));
}

function within<T>(work: Promise<T>, giveUp: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const begin = () => {
      timer = setTimeout(() => reject(new Error(`no answer within ${graceMs / 1000} s of its end`)), graceMs);
    };
    if (giveUp.aborted) begin();
    else giveUp.addEventListener('abort', begin, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      giveUp.removeEventListener('abort', begin);
    });
  });
}
