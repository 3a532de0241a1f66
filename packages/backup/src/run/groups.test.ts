import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { labPolicy } from '../../test/lab-policy.ts';
import { localFamily } from '../../test/local-family.ts';
import { parseIncidentLog } from '../incident/incident-log.ts';
import { createRecorder } from '../incident/recorder.ts';
import { backupGroups } from './groups.ts';
import type { RunReport } from './run.ts';

const policy = { ...labPolicy, quiesce: null, rawVolumes: [] };
const jobs = (...groups: string[]) => groups.map((group) => ({ group, policy }));
const summary = (results: Awaited<ReturnType<typeof backupGroups>>) =>
  results.map((result) => `${result.group} ${result.kind === 'ran' ? verdictOf(result.report) : result.kind}`);
const verdictOf = ({ verdict }: RunReport) =>
  verdict.kind === 'refused' ? `refused: ${JSON.stringify(verdict.problems)}` : verdict.kind;

describe('backupGroups', () => {
  it('runs as many as it may at once, and no more on one node', async () => {
    const family = await localFamily({ a: 'n1', b: 'n1', c: 'n2', d: 'n3' });
    let most = 0;
    const running = new Map<string, number>();
    family.onPhase = async (_, { name, node }) => {
      if (name === 'split') {
        running.set(node, (running.get(node) ?? 0) + 1);
        expect(running.get(node)).toBe(1);
        most = Math.max(
          most,
          [...running.values()].reduce((sum, count) => sum + count, 0),
        );
        await delay(50);
      }
      if (name === 'merge') running.set(node, 0);
      return undefined;
    };
    const seen = new Set<string>();
    const results = await backupGroups(family.context, jobs('a', 'b', 'c', 'd'), {
      atOnce: 2,
      onEvent: (group, { type }) => void seen.add(`${group} ${type}`),
    });
    expect(summary(results)).toEqual(['a good', 'b good', 'c good', 'd good']);
    expect(most).toBe(2);
    for (const group of ['a', 'b', 'c', 'd']) expect(seen).toContain(`${group} run-end`);
  });

  it('holds nobody up for a group whose node is busy', async () => {
    const family = await localFamily({ a: 'n1', b: 'n1', c: 'n2' });
    const ended: string[] = [];
    family.onPhase = async (group, { name }) => {
      // The first one waits for the last one, which can only come while the second waits for its node.
      if (group === 'a' && name === 'split') await vi.waitUntil(() => ended.includes('c'), { timeout: 20_000 });
      return undefined;
    };
    const results = await backupGroups(family.context, jobs('a', 'b', 'c'), {
      atOnce: 2,
      onEvent: (group, { type }) => void (type === 'run-end' && ended.push(group)),
    });
    expect(summary(results)).toEqual(['a good', 'b good', 'c good']);
    expect(ended[0]).toBe('c');
  });

  it('plans a group when its turn has come, where it then is, and in a context of its own', async () => {
    const family = await localFamily({ a: 'n1', b: 'n1', c: 'n2' });
    family.onPhase = async (group, { name }) => {
      if (group === 'a' && name === 'split') family.holders.set('b', 'n2');
      return undefined;
    };
    const asked: string[] = [];
    const results = await backupGroups(family.context, jobs('a', 'b', 'c'), {
      atOnce: 3,
      contextOf(group) {
        asked.push(group);
        return family.context;
      },
    });
    expect(summary(results)).toEqual(['a good', 'b good', 'c good']);
    expect(results[1]).toMatchObject({ plan: { node: 'n2' } });
    expect(asked.toSorted()).toEqual(['a', 'b', 'b', 'c']);
  });

  it('lets the others go on when one is refused and one fails', async () => {
    const family = await localFamily({ a: 'n1', b: null, c: 'n2' });
    family.onPhase = async (group, { name }) =>
      group === 'a' && name === 'expose'
        ? { kind: 'failed', problems: [], transcript: { kind: 'completed', steps: [] } }
        : undefined;
    const results = await backupGroups(family.context, jobs('a', 'b', 'c', 'unheard'));
    expect(summary(results)).toEqual(['a failed', 'b refused', 'c good', 'unheard refused']);
    expect(results[1]).toMatchObject({ code: 'GROUP_OFFLINE', problems: [{ message: 'nobody has it' }] });
  });

  it('is failed by no listener, and by no group whose context cannot be made', async () => {
    const { context } = await localFamily({ a: 'n1', b: 'n2', c: 'n3' });
    const told = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const results = await backupGroups(context, jobs('a', 'b', 'c'), {
      onEvent() {
        throw new Error('the screen is gone');
      },
      contextOf(group) {
        if (group === 'b') throw new RangeError('too short to be taken out everywhere: "b"');
        return context;
      },
    });
    expect(summary(results)).toEqual(['a good', 'b refused', 'c good']);
    expect(told).toHaveBeenCalled();
    told.mockRestore();
  });

  it('ends all in order when asked to, and begins none after that', async () => {
    const family = await localFamily({ a: 'n1', b: 'n2', c: 'n3' });
    const ending = new AbortController();
    family.onPhase = async (_, { name }) => {
      if (name === 'split') ending.abort();
      return undefined;
    };
    const results = await backupGroups(family.context, jobs('a', 'b', 'c'), { atOnce: 1, signal: ending.signal });
    expect(summary(results)).toEqual(['a interrupted', 'b skipped', 'c skipped']);
    expect(results[0]).toMatchObject({ report: { verdict: { recovery: { kind: 'whole' } } } });
  });

  it('gives each group a context of its own', async () => {
    const { context } = await localFamily({ a: 'n1', b: 'n2' });
    const recorders = new Map(['a', 'b'].map((group) => [group, createRecorder()]));
    const contextOf = (group: string) => {
      const recorder = recorders.get(group);
      return recorder === undefined
        ? context
        : recorder.context({ ...context, hosts: recorder.hosts(context.hosts) }, group, policy);
    };
    await backupGroups(context, jobs('a', 'b'), { contextOf });
    for (const [group, recorder] of recorders) {
      const entries = parseIncidentLog(recorder.text());
      expect(entries[0]).toMatchObject({ kind: 'header', group });
      expect(entries.flatMap((entry) => (entry.kind === 'plan' ? [entry.plan?.group] : []))).toEqual([group]);
      expect(entries.at(-1)).toMatchObject({ kind: 'end', verdict: 'good' });
    }
  });

  it('takes no group twice and no limit below one', async () => {
    const { context } = await localFamily({ a: 'n1' });
    await expect(backupGroups(context, jobs('a', 'a'))).rejects.toThrow(RangeError);
    await expect(backupGroups(context, jobs('a'), { atOnce: 0 })).rejects.toThrow(RangeError);
  });
});
