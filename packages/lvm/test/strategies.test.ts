import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { aixMirror, type MirrorPlan, type SplitRequest } from '../src/index.ts';
import { buildScene, nodes, type Scene, type SceneWish } from './matrix/scene.ts';
import { scriptHost } from './matrix/script.ts';

/* Every strategy over one whole run on the lab's storage: real bytes, AIX's rules, no shell. */

const [node] = nodes;
const request: SplitRequest = {
  run: 'k3f9q2',
  fileSystems: [],
  rawVolumes: [],
  suspend: [{ id: 'suspend', run: { argv: ['mount'], effect: 'reads' }, timeoutSeconds: 9 }],
  resume: [{ id: 'resume', run: { argv: ['mount'], effect: 'reads' }, timeoutSeconds: 9, pays: ['suspend'] }],
  freezeSeconds: 60,
  allowLastCopy: true,
};

const wish: SceneWish = {
  group: 'standard',
  level: '7100-05',
  disks: ['hdisk2', 'hdisk3'],
  volumes: [
    { name: 'datalv', type: 'jfs2', copies: 2, mountPoint: '/shop/data' },
    { name: 'oldlv', type: 'jfs', copies: 2, mountPoint: '/shop/old' },
    { name: 'queuelv', type: 'raw', copies: 2 },
  ],
};

let scene: Scene;
afterEach(() => scene?.remove());

function mirrors() {
  return aixMirror({ hosts: new Map(nodes.map((name) => [name, scriptHost(name, scene.type, {})])) });
}

async function planned(asked: Partial<SplitRequest>): Promise<MirrorPlan> {
  const answer = mirrors().plan(await mirrors().look(node, scene.contents), { ...request, ...asked });
  if ('problems' in answer) throw new Error(JSON.stringify(answer.problems, null, 1));
  return answer.plan;
}

async function perform(plan: MirrorPlan, ...names: ('split' | 'expose' | 'withdraw' | 'merge')[]): Promise<void> {
  for (const name of names) {
    const outcome = await mirrors().perform(plan[name]);
    if (outcome.kind !== 'done') throw new Error(`${name}: ${JSON.stringify(outcome, null, 1)}`);
    // What the application writes meanwhile is not in the copy.
    if (name === 'split') await scene.write();
  }
}

describe.each<[string, Partial<SplitRequest>]>([
  ['map-split', { strategy: 'map-split', fileSystems: ['/shop/data'] }],
  ['splitlvcopy', { strategy: 'splitlvcopy', fileSystems: ['/shop/data'], rawVolumes: ['queuelv'] }],
  ['splitcopy', { strategy: 'splitcopy', fileSystems: ['/shop/old'] }],
  ['chlvcopy', { strategy: 'chlvcopy', rawVolumes: ['queuelv'] }],
  ['the table', { fileSystems: ['/shop/data', '/shop/old'], rawVolumes: ['queuelv'] }],
])('%s', (_, asked) => {
  it('runs a whole cycle and leaves everything as it was', async () => {
    scene = await buildScene(wish);
    const before = await mirrors().look(node, scene.contents);
    const state = await scene.state();
    const plan = await planned(asked);
    await perform(plan, 'split', 'expose');
    for (const { volume, source } of plan.volumes) {
      const file = source.kind === 'directory' ? scene.storage.realPath(node, `${source.path}/file0`) : undefined;
      const device = source.kind === 'device' ? scene.storage.deviceFile(node, source.path) : undefined;
      const content = readFileSync(file ?? device ?? '', 'latin1');
      const what = source.kind === 'directory' ? `${source.mountPoint}/file0` : volume;
      expect(content).toContain(`${what} round 1`);
      expect(content).not.toContain(`${what} round 2`);
    }
    await perform(plan, 'withdraw', 'merge');
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(await mirrors().redundancy(plan)).toEqual({ kind: 'whole' });
    const after = await mirrors().look(node, scene.contents);
    expect(after).toMatchObject({ leftovers: [], stalePartitions: 0, directories: [], stanzas: [] });
    expect(after.digest).toBe(before.digest);
    expect(mirrors().recovery(after)).toEqual({ phases: [], volumes: [], problems: [] });
    expect(await scene.state()).toEqual(state);
  });
});
