import { expect, it } from 'vitest';
import { aftermathOf, type Later } from './aftermath.ts';

const run = { run: 'dead00', startedAt: '2026-11-22T10:00:00.000Z' };
const controller = { host: 'ops', pid: 7, birth: null };
const nothing: Later = { recoveries: [], backups: [], progress: [], isAlive: () => 'alive' };
const recovery = (day: number, verdict: string | null) => ({
  ...{ run: 'mended', startedAt: `2026-11-${day}T11:00:00.000Z`, verdict },
});
const own = { run: 'dead00', kind: 'backup', step: 'split', notes: '/a/.splitmirror', controller } as const;

it.each<[string, Partial<Later>, unknown]>([
  ['nothing', {}, null],
  ['a recovery since', { recoveries: [recovery(22, 'whole')] }, { kind: 'taken-back', by: 'recovery', run: 'mended' }],
  ['one that was stuck, or killed', { recoveries: [recovery(22, 'stuck'), recovery(23, null)] }, null],
  ['one of the day before', { recoveries: [recovery(21, 'whole')] }, null],
  [
    'a backup since',
    { backups: [{ run: 'later0', createdAt: '2026-11-23T10:00:00.000Z' }] },
    { kind: 'taken-back', by: 'backup', run: 'later0' },
  ],
  ['its process', { progress: [own] }, { kind: 'under-way', host: 'ops', pid: 7, step: 'split' }],
  ['a process that is gone', { progress: [own], isAlive: () => 'gone' }, null],
  ['the process of another', { progress: [{ ...own, run: 'other0' }] }, null],
])('tells what became of a run from %s', (_, later, aftermath) => {
  const seen = aftermathOf(run, { ...nothing, ...later });
  if (aftermath === null) expect(seen).toBeNull();
  else expect(seen).toMatchObject(aftermath as object);
});
