import { appendFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { aixMirror, type MirrorPlan, type PhaseOutcome, type SplitRequest } from '../src/index.ts';
import type { Keyboard } from './matrix/node.ts';
import { buildScene, nodes, type Scene, type SceneWish } from './matrix/scene.ts';
import { scriptHost } from './matrix/script.ts';

/* Commands that end with 0 and have not done what they say, and things that only look like ours. */

const [node] = nodes;
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
const request: SplitRequest = {
  run: 'k3f9q2',
  fileSystems: [],
  rawVolumes: [],
  suspend: [{ id: 'suspend', run: { argv: ['mount'], effect: 'reads' }, timeoutSeconds: 9 }],
  resume: [],
  freezeSeconds: 60,
  allowLastCopy: true,
};
const map: Partial<SplitRequest> = { strategy: 'map-split', fileSystems: ['/shop/data'] };
const jfs: Partial<SplitRequest> = { fileSystems: ['/shop/old'] };
const raw: Partial<SplitRequest> = { strategy: 'chlvcopy', rawVolumes: ['queuelv'] };

let scene: Scene | undefined;
afterEach(() => scene?.remove());

/** A mirror on a fresh scene, whose commands pass through `lie` first. */
async function bench(lie: (argv: readonly string[], type: Keyboard) => ReturnType<Keyboard> | undefined) {
  const built = await buildScene(wish);
  scene = built;
  const type: Keyboard = (on, argv, stdin) => lie(argv, built.type) ?? built.type(on, argv, stdin);
  const mirror = aixMirror({ hosts: new Map([[node, scriptHost(node, type, {})]]) });
  const look = () => mirror.look(node, built.contents);
  return {
    mirror,
    look,
    scene: built,
    async plan(asked: Partial<SplitRequest>): Promise<MirrorPlan> {
      const answer = mirror.plan(await look(), { ...request, ...asked });
      if ('problems' in answer) throw new Error(JSON.stringify(answer.problems, null, 1));
      return answer.plan;
    },
    /** Performs phases up to the first that is not done. */
    async perform(plan: MirrorPlan): Promise<PhaseOutcome> {
      for (const phase of [plan.split, plan.expose, plan.withdraw]) {
        const outcome = await mirror.perform(phase);
        if (outcome.kind !== 'done') return outcome;
      }
      return mirror.perform(plan.merge);
    },
    async recover(plan: MirrorPlan): Promise<void> {
      for (const phase of mirror.recovery(await look(), plan.volumes).phases) await mirror.perform(phase);
    },
  };
}

const well = () => Promise.resolve({ code: 0, stdout: '', stderr: '' });

describe('a command that lies', () => {
  it.each<[string, string, Partial<SplitRequest>, (argv: readonly string[]) => boolean]>([
    ['SPLIT_NOT_PROVED', 'chfs that splits nothing', jfs, (argv) => argv.join(' ').includes('splitcopy=')],
    ['STEP_FAILED', 'chlvcopy that makes no child', raw, (argv) => argv[0] === 'chlvcopy' && argv[1] === '-b'],
    ['MERGE_NOT_PROVED', 'chlvcopy that leaves the child', raw, (argv) => argv[0] === 'chlvcopy' && argv[1] === '-B'],
    ['SPLIT_FAILED', 'rmlvcopy that takes nothing away', map, (argv) => argv[0] === 'rmlvcopy'],
    ['STEP_FAILED', 'mklv that makes nothing', map, (argv) => argv[0] === 'mklv'],
    ['MERGE_NOT_PROVED', 'mklvcopy that adds nothing', map, (argv) => argv[0] === 'mklvcopy'],
    ['MOUNT_NOT_PROVED', 'mount that mounts nothing', map, (argv) => argv[0] === 'mount' && argv.length > 1],
  ])('is found out: %s, %s', async (code, _, asked, lies) => {
    let told = 0;
    const {
      plan,
      perform,
      recover,
      look,
      mirror,
      scene: built,
    } = await bench((argv) => {
      if (!lies(argv) || told > 0) return undefined;
      told++;
      return well();
    });
    const state = await built.state();
    const planned = await plan(asked);
    const outcome = await perform(planned);
    expect(outcome.kind === 'failed' && outcome.problems.map((problem) => problem.code)).toContain(code);
    await recover(planned);
    expect(mirror.recovery(await look(), planned.volumes)).toMatchObject({ phases: [], problems: [] });
    expect(await built.state()).toEqual(state);
  });

  it('is found out: a copy that comes back on other partitions than it had', async () => {
    const { plan, perform, mirror } = await bench((argv, type) =>
      argv[0] === 'mklvcopy' && argv[1] === '-m'
        ? (async () => {
            // The first free partition is another one now.
            await type(node, ['mklv', '-y', 'otherlv', '-t', 'raw', 'shopvg', '1', 'hdisk3']);
            const said = await type(node, ['mklvcopy', argv[3] ?? '', argv[4] ?? '', 'hdisk3']);
            await type(node, ['rmlv', '-f', 'otherlv']);
            return said;
          })()
        : undefined,
    );
    const planned = await plan(map);
    expect(await perform(planned)).toMatchObject({ kind: 'failed', problems: [{ code: 'PARTITIONS_MOVED' }] });
    expect(await mirror.redundancy(planned)).toEqual({ kind: 'whole' });
  });
});

describe('what only looks like ours', () => {
  it('is not given to rmfs: a stanza of ours that names a volume of its own', async () => {
    const { look, mirror, scene: built } = await bench(() => undefined);
    const stanza = '\n/splitmirror/k3f9q2/oldlv:\n\tdev\t\t= /dev/queuelv\n\tvfs\t\t= jfs\n\tmount\t\t= false\n';
    appendFileSync(built.storage.realPath(node, '/etc/filesystems'), stanza);
    const { phases, problems } = mirror.recovery(await look());
    expect(phases).toEqual([]);
    expect(problems).toMatchObject([{ code: 'STANZA_NOT_OURS', seen: '/dev/queuelv' }]);
  });

  it('is taken out of /etc/filesystems alone: a stanza of ours without a volume', async () => {
    const { look, mirror, scene: built } = await bench(() => undefined);
    const state = await built.state();
    const stanza = '\n/splitmirror/k3f9q2/oldlv:\n\tdev\t\t= /dev/oldlvcopy00\n\tvfs\t\t= jfs\n\tmount\t\t= false\n';
    appendFileSync(built.storage.realPath(node, '/etc/filesystems'), stanza);
    for (const phase of mirror.recovery(await look()).phases) {
      expect(await mirror.perform(phase)).toMatchObject({ kind: 'done' });
    }
    expect(mirror.recovery(await look()).phases).toEqual([]);
    expect(await built.state()).toEqual(state);
  });

  it('stays where it is: a child of ours that someone has mounted elsewhere', async () => {
    const { plan, mirror, look } = await bench(() => undefined);
    const planned = await plan(raw);
    await mirror.perform(planned.split);
    const picture = await look();
    const mount = {
      node: null,
      device: '/dev/smk3f9q2201d',
      mountPoint: '/mnt',
      vfs: 'jfs2',
      date: '',
      options: [],
      readOnly: true,
      log: null,
      inlineLog: null,
    };
    const recovery = mirror.recovery({ ...picture, mounts: [mount] });
    expect(recovery.problems).toMatchObject([{ code: 'COPY_IN_USE', seen: '/mnt' }]);
    expect(recovery.phases).toEqual([]);
  });
});
