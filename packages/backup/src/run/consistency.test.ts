import { expect, it } from 'vitest';
import { labPolicy } from '../../test/lab-policy.ts';
import { plan } from '../../test/model.ts';
import { postgresql } from './applications.ts';
import { consistencyOf } from './consistency.ts';
import type { QuiesceHooks } from './quiesce.ts';

const [file] = plan.mirror.volumes;
const raw = { ...plan.mirror.volumes[0], volume: 'rawlv', source: { kind: 'device', path: '/dev/rsm' } } as never;
const under = (quiesce: QuiesceHooks | null, frozenSecondsAtMost = 30) =>
  consistencyOf(
    {
      policy: { ...labPolicy, quiesce },
      mirror: { ...plan.mirror, frozenSecondsAtMost, volumes: [file as never, raw] },
    },
    { frozenSeconds: '3' },
  );
const levels = (...given: Parameters<typeof under>) => {
  const { level, groups } = under(...given);
  return [level, ...groups.map((group) => `${group.volumes.join()} ${group.level}`)];
};

it('says which consistency each group of volumes has, and of all of them the weakest', () => {
  expect(levels(labPolicy.quiesce)).toEqual(['application', 'datalv application', 'rawlv application']);
  expect(levels(null)).toEqual(['crash', 'datalv file-system', 'rawlv crash']);
  expect(levels(postgresql({ user: 'postgres' }))).toEqual(['crash', 'datalv file-system', 'rawlv crash']);
  expect(levels(null, 0)).toEqual(['crash', 'datalv crash', 'rawlv crash']);
});

it('gives the frozen interval as evidence where there was a freeze', () => {
  expect(under(null).groups.map(({ evidence }) => evidence)).toEqual([{ frozenSeconds: '3' }, {}]);
});
