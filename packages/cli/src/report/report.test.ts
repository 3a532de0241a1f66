import type { RunTimeline } from '@splitmirror/backup';
import { expect, it } from 'vitest';
import type { Aftermath } from './aftermath.ts';
import { reportOf } from './report.ts';

const timeline: RunTimeline = {
  ...{ run: 'dead00', group: 'pay_rg', node: 'n1', startedAt: '2026-11-22T10:00:00.000Z', lastsMs: 1000 },
  ...{ verdict: 'failed', wayBack: 'stuck', approval: null, evidence: [], spans: [], proofs: [], problems: [] },
};
const recovered: Aftermath = { kind: 'taken-back', by: 'recovery', run: 'mended', at: '2026-11-22T11:00:00.000Z' };
const unfinished = 'its way back did not come to its end: something may be left. Run: splitmirror recover pay_rg';

it.each<[string, Partial<RunTimeline>, Aftermath | null, string]>([
  ['stuck', {}, null, `No backup: the run failed, and ${unfinished}`],
  [
    'stuck after an interrupt',
    { verdict: 'interrupted' },
    null,
    `No backup: the run was interrupted, and ${unfinished}`,
  ],
  [
    'stuck, and mended since',
    {},
    recovered,
    'No backup: the run failed; recovery mended of 2026-11-22T11:00:00.000Z took back what it left.',
  ],
  ['at its end', { wayBack: 'whole' }, null, 'No backup: the run failed.'],
  [
    'never begun',
    { verdict: null, wayBack: null },
    null,
    'The journal breaks off: the run was killed, or it still runs. Where it is gone, run: splitmirror recover pay_rg',
  ],
])('says of a run without a backup whose way back is %s what has to be done', (_, more, aftermath, text) => {
  const record = { manifest: null, health: null, records: [], timeline: { ...timeline, ...more }, aftermath };
  expect(reportOf(record).verdict).toEqual({ tone: 'bad', text });
});
