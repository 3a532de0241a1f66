import { type Host, members, type Script } from '@splitmirror/host';
import { afterEach, describe, expect, it } from 'vitest';
import { aixMirror, type SplitRequest, type StrategyName } from '../src/index.ts';
import { buildScene, nodes, type Scene, type SceneWish } from './matrix/scene.ts';
import { scriptHost } from './matrix/script.ts';
import { type Level, levels, objection } from './synopses.ts';

/* What each strategy emits at a level, in a run and in the recovery of each of its stages, is known to that level. */

const [node] = nodes;
const oslevels: Readonly<Partial<Record<Level, string>>> = {
  '5.3': '5300-12',
  '6.1': '6100-09',
  '7.1': '7100-05',
  '7.2': '7200-05',
  '7.3': '7300-02',
};

const data = { name: 'datalv', type: 'jfs2', copies: 2, mountPoint: '/shop/data' } as const;
const old = { name: 'oldlv', type: 'jfs', copies: 2, mountPoint: '/shop/old' } as const;
const queue = { name: 'queuelv', type: 'raw', copies: 2 } as const;

const cases: readonly (readonly [StrategyName, SceneWish['volumes'], Partial<SplitRequest>])[] = [
  ['map-split', [data], { fileSystems: ['/shop/data'] }],
  ['splitlvcopy', [data, queue], { fileSystems: ['/shop/data'], rawVolumes: ['queuelv'] }],
  ['splitcopy', [old], { fileSystems: ['/shop/old'] }],
  ['chlvcopy', [queue], { rawVolumes: ['queuelv'] }],
  ['splitvg', [data, queue], { fileSystems: ['/shop/data'], rawVolumes: ['queuelv'] }],
  ['snapshot', [data], { fileSystems: ['/shop/data'] }],
];

let scene: Scene | undefined;
afterEach(() => scene?.remove());

/** Every command line of a run with this strategy, and of what follows when it stops after any of its steps. */
async function everything(
  strategy: StrategyName,
  volumes: SceneWish['volumes'],
  asked: Partial<SplitRequest>,
  level: Level,
): Promise<readonly (readonly string[])[]> {
  scene = await buildScene({ group: 'standard', level: oslevels[level] ?? '', disks: ['hdisk2', 'hdisk3'], volumes });
  const scripts: Script[] = [];
  const inner = scriptHost(node, scene.type, {});
  const host: Host = {
    ...inner,
    run(script, options) {
      scripts.push(script);
      return inner.run(script, options);
    },
  };
  const mirror = aixMirror({
    hosts: new Map([[node, host]]),
    spaceReclamation: 'ruled-out',
    resync: levels.indexOf(level) < levels.indexOf('7.2') ? {} : { rate: 40 },
  });
  const answer = mirror.plan(await mirror.look(node, scene.contents), {
    run: 'k3f9q2',
    fileSystems: [],
    rawVolumes: [],
    suspend: [{ id: 'suspend', run: { argv: ['mount'], effect: 'reads' }, timeoutSeconds: 9 }],
    resume: [],
    freezeSeconds: 60,
    allowLastCopy: true,
    ...asked,
    strategy,
  });
  if ('problems' in answer) throw new Error(JSON.stringify(answer.problems, null, 1));
  const { plan } = answer;
  for (const phase of [plan.split, plan.expose, plan.withdraw, plan.merge]) {
    for (const step of phase.script.steps) {
      const { pays: _, needs: __, ...alone } = step;
      await host.run({ steps: [alone] });
      const recovery = mirror.recovery(await mirror.look(node, scene.contents), plan.volumes);
      scripts.push(...recovery.phases.map(({ script }) => script));
    }
  }
  await mirror.redundancy(plan);
  return scripts.flatMap(({ steps }) => steps.flatMap(({ run }) => members(run).map(({ argv }) => argv)));
}

describe.each(cases)('%s', (strategy, volumes, asked) => {
  it.each(Object.keys(oslevels) as Level[])('is understood at AIX %s', async (level) => {
    const emitted = await everything(strategy, volumes, asked, level);
    expect(emitted.length).toBeGreaterThan(20);
    expect([...new Set(emitted.flatMap((argv) => objection(argv, level) ?? []))]).toEqual([]);
  });
});
