import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTimer } from './timer.ts';

describe('startTimer', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const year = 365 * 86_400;

  it.each([0, 1, 2 ** 31 / 1000, year])('acts after %d seconds, and not before', async (seconds) => {
    const act = vi.fn();
    startTimer(seconds, act);
    await vi.advanceTimersByTimeAsync(Math.max(0, seconds * 1000 - 1));
    expect(act).toHaveBeenCalledTimes(seconds === 0 ? 1 : 0);
    await vi.advanceTimersByTimeAsync(1);
    expect(act).toHaveBeenCalledTimes(1);
  });

  it('does not act when it was taken back, however late', async () => {
    const act = vi.fn();
    const stop = startTimer(year, act);
    await vi.advanceTimersByTimeAsync(year * 900);
    stop();
    await vi.advanceTimersByTimeAsync(year * 1000);
    expect(act).not.toHaveBeenCalled();
  });
});
