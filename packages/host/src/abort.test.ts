import { describe, expect, it } from 'vitest';
import { unlessAborted } from './abort.ts';

describe('unlessAborted', () => {
  it('is the work itself, without a signal and with one that has not aborted', async () => {
    const { signal } = new AbortController();
    for (const each of [undefined, signal]) {
      await expect(unlessAborted(each, async () => 'seen')).resolves.toBe('seen');
      await expect(unlessAborted(each, () => Promise.reject(new RangeError('refused')))).rejects.toThrow('refused');
    }
  });

  it('tells the reason of an abort alone, whatever came of the work', async () => {
    const ending = new AbortController();
    const aborting = <T>(end: Promise<T>) =>
      unlessAborted(ending.signal, async () => {
        ending.abort();
        return end;
      });
    await expect(aborting(Promise.resolve('half of it'))).rejects.toBe(ending.signal.reason);
    await expect(aborting(Promise.reject(new RangeError('the node does not answer')))).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});
