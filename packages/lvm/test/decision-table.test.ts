import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { look, planSplit, type SplitRequest, type StrategyName } from '../src/index.ts';
import { type Model, mirroredVolume, modelHost, shopModel } from './model.ts';

/* The decision table of the README, asked of the planner. SPLITMIRROR_UPDATE=1 writes what the planner says. */

const readme = join(import.meta.dirname, '../README.md');
const head = '<!-- decision table, written by test/decision-table.test.ts -->';
const foot = '<!-- end of the decision table -->';

const strategies: readonly StrategyName[] = [
  'splitlvcopy',
  'splitcopy',
  'chlvcopy',
  'splitvg',
  'snapshot',
  'map-split',
];
const suspend: SplitRequest['suspend'] = [
  { id: 'suspend', run: { argv: ['mount'], effect: 'reads' }, timeoutSeconds: 9 },
];
const base: SplitRequest = {
  run: 'k3f9q2',
  fileSystems: [],
  rawVolumes: [],
  suspend,
  resume: [],
  freezeSeconds: 60,
  allowLastCopy: true,
};

/** A volume alone in its group. */
type Change = (model: Model) => void;

const group = (model: Model) => model.groups[0] ?? expect.unreachable('no group');
const volume = (model: Model) => group(model).volumes[0] ?? expect.unreachable('no volume');

const only =
  (kind: 'jfs2' | 'jfs' | 'raw'): Change =>
  (model) => {
    const [data, , queue] = group(model).volumes;
    group(model).volumes = [(kind === 'raw' ? queue : data) ?? expect.unreachable('no volume')];
    model.stanzas = kind === 'raw' ? [] : model.stanzas.slice(0, 1);
    model.mounts = kind === 'raw' ? [] : model.mounts.slice(0, 1);
    if (kind !== 'jfs') return;
    volume(model).type = 'jfs';
    Object.assign(model.stanzas[0] ?? {}, { vfs: 'jfs' });
    Object.assign(model.mounts[0] ?? {}, { vfs: 'jfs', options: 'rw,log=/dev/loglv' });
    group(model).volumes.push(mirroredVolume('loglv', 8, ['hdisk2', 'hdisk3'], 1, 40, { type: 'jfslog' }));
  };
const unmounted: Change = (model) => {
  model.mounts = [];
  volume(model).open = false;
};
const external: Change = (model) => {
  volume(model).inline = false;
  Object.assign(model.mounts[0] ?? {}, { options: 'rw,log=/dev/loglv' });
};
const standard: Change = (model) => {
  group(model).concurrent = false;
};
const at =
  (level: string): Change =>
  (model) => {
    model.level = level;
  };

const jfs2 = only('jfs2');
const jfs = only('jfs');
const raw = only('raw');

const rows: readonly (readonly [found: string, changes: readonly Change[], asked?: Partial<SplitRequest>])[] = [
  ['JFS2, mounted, inline log, two copies, group varied on by PowerHA in concurrent mode', [jfs2]],
  ['the same in a standard group', [jfs2, standard]],
  ['the same at AIX 7.1', [jfs2, standard, at('7100-05')]],
  ['the same without permission to run on one copy', [jfs2, standard], { allowLastCopy: false }],
  [
    'the same with three copies, without that permission',
    [
      jfs2,
      standard,
      (model) => {
        group(model).disks.push({ name: 'hdisk4', state: 'active', total: 100 });
        const disks = ['hdisk2', 'hdisk3', 'hdisk4'];
        group(model).volumes[0] = mirroredVolume('datalv', 1, disks, 4, 1, { label: '/shop/data' });
      },
    ],
    { allowLastCopy: false },
  ],
  ['JFS2, mounted, log on another volume', [jfs2, external]],
  ['JFS2, not mounted, inline log', [jfs2, unmounted]],
  ['JFS2, not mounted, log on another volume', [jfs2, external, unmounted]],
  ['JFS2, mounted, AIX 5.2', [jfs2, standard, at('5200-10')]],
  ['JFS2, mounted, one copy', [jfs2, (model) => volume(model).map.forEach((row) => void row.pop())]],
  ['JFS2, mounted, encrypted', [jfs2, (model) => void Object.assign(volume(model), { encrypted: true })]],
  ['the same at AIX 7.3', [jfs2, at('7300-02'), (model) => void Object.assign(volume(model), { encrypted: true })]],
  ['JFS, mounted, log mirrored, application suspended', [jfs]],
  ['JFS, mounted, log mirrored, nothing suspends', [jfs], { suspend: [] }],
  ['JFS, mounted, log in one copy', [jfs, (model) => void group(model).volumes[1]?.map[0]?.pop()]],
  ['JFS, not mounted', [jfs, unmounted]],
  ['no file system, open, application suspended', [raw]],
  ['no file system, open, nothing suspends', [raw], { suspend: [] }],
  ['no file system, closed, standard group, AIX 7.1', [raw, standard, at('7100-05'), unmounted], { suspend: [] }],
  ['copies that share disks', [raw, (model) => void volume(model).map[0]?.reverse()]],
  ['copies bound to mirror pools', [raw, (model) => void Object.assign(volume(model), { pools: ['east', 'west'] })]],
  ['striped', [raw, (model) => void Object.assign(volume(model), { stripeWidth: 2 })]],
  ['some partitions with fewer copies', [raw, (model) => void volume(model).map[0]?.pop()]],
  ['stale partitions', [raw, (model) => void Object.assign(volume(model).map[0]?.[1] ?? {}, { stale: true })]],
  ['paging space', [raw, (model) => void Object.assign(volume(model), { type: 'paging' })]],
  ['group in a snapshot relation', [raw, (model) => void group(model).extraRows.push('SNAPSHOT VG:        snapvg')]],
  ['a disk is missing', [raw, (model) => void Object.assign(group(model).disks[1] ?? {}, { state: 'missing' })]],
  ['level not known', [jfs2, standard, at('?')]],
];

async function ask(changes: readonly Change[], asked: Partial<SplitRequest>, strategy?: StrategyName) {
  const model = shopModel();
  for (const change of changes) change(model);
  const picture = await look(modelHost('ada', model), 'ada', { volumeGroups: ['shopvg'], fileSystems: 'ALL' });
  const { name, type } = volume(model);
  const named = type.startsWith('jfs') ? { fileSystems: ['/shop/data'] } : { rawVolumes: [name] };
  return planSplit(picture, { ...base, ...named, ...asked, strategy });
}

async function row([found, changes, asked = {}]: (typeof rows)[number]): Promise<string> {
  const answer = await ask(changes, asked);
  const chosen = 'plan' in answer ? answer.plan.volumes[0]?.strategy : undefined;
  const fitting: string[] = [];
  for (const strategy of strategies) {
    if (strategy !== chosen && 'plan' in (await ask(changes, asked, strategy))) fitting.push(`\`${strategy}\``);
  }
  const codes = 'problems' in answer ? [...new Set(answer.problems.map(({ code }) => `\`${code}\``))] : [];
  const first = chosen === undefined ? `refused: ${codes.join(' ')}` : `\`${chosen}\``;
  return `| ${found} | ${first} | ${fitting.join(', ') || 'nothing'} |`;
}

it('is what the README tells', async () => {
  const text = [
    head,
    '| found | without a strategy in the request | fits as well, when asked for |',
    '|---|---|---|',
    ...(await Promise.all(rows.map(row))),
    foot,
  ].join('\n');
  const page = readFileSync(readme, 'utf8');
  const written = page.slice(page.indexOf(head), page.indexOf(foot) + foot.length);
  if (process.env.SPLITMIRROR_UPDATE === '1') writeFileSync(readme, page.replace(written, text));
  else expect(written).toBe(text);
});
