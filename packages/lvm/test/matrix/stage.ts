import { aixMirror, type MirrorPlan, type Settings, type SplitRequest } from '../../src/index.ts';
import type { Keyboard } from './node.ts';
import { buildScene, nodes, type Scene, type SceneWish } from './scene.ts';
import { scriptHost } from './script.ts';

/** A scene with a mirror over its nodes. */
export interface Stage {
  readonly scene: Scene;
  readonly mirror: ReturnType<typeof aixMirror>;
  /** Runs a command as an administrator on the node that has the group, and gives what it prints. */
  type(line: string): Promise<string>;
  /** The plan for a request, or codes and messages of what speaks against it. */
  plan(request: Partial<SplitRequest>): Promise<MirrorPlan>;
  problems(request: Partial<SplitRequest>): Promise<readonly string[]>;
  /** Performs phases that must succeed. */
  perform(...phases: readonly MirrorPlan['split'][]): Promise<void>;
  /** Recovers on the node that has the group; the problems that are left. */
  recover(node?: string): Promise<readonly string[]>;
}

const request: SplitRequest = {
  run: 'k3f9q2',
  fileSystems: [],
  rawVolumes: [],
  suspend: [],
  resume: [],
  freezeSeconds: 60,
  allowLastCopy: true,
};

/**
 * @param lies Whether a command of a script ends with 0 and has done nothing.
 * @param shown What of a command's output is shown.
 */
export async function buildStage(
  wish: SceneWish,
  settings: Settings = {},
  lies: (line: string) => boolean = () => false,
  shown: (output: string) => string = (output) => output,
): Promise<Stage> {
  const scene = await buildScene(wish);
  const type: Keyboard = async (node, argv, stdin) => {
    if (lies(argv.join(' '))) return { code: 0, stdout: '', stderr: '' };
    const answer = await scene.type(node, argv, stdin);
    return { ...answer, stdout: shown(answer.stdout) };
  };
  const hosts = new Map(nodes.map((node) => [node, scriptHost(node, type, {})]));
  const mirror = aixMirror({ hosts, ...settings });
  const ask = async (wanted: Partial<SplitRequest>) =>
    mirror.plan(await mirror.look(scene.owner(), scene.contents), { ...request, ...wanted });
  return {
    scene,
    mirror,
    async type(line) {
      const { code, stdout, stderr } = await scene.type(scene.owner(), line.split(' '));
      if (code !== 0) throw new Error(`${line}: ${code} ${stdout}${stderr}`);
      return stdout;
    },
    async plan(wanted) {
      const answer = await ask(wanted);
      if ('problems' in answer) throw new Error(JSON.stringify(answer.problems, null, 1));
      return answer.plan;
    },
    async problems(wanted) {
      const answer = await ask(wanted);
      return 'problems' in answer ? answer.problems.map(({ code }) => code) : [];
    },
    async perform(...phases) {
      for (const phase of phases) {
        const outcome = await mirror.perform(phase);
        if (outcome.kind !== 'done') throw new Error(`${phase.name}: ${JSON.stringify(outcome, null, 1)}`);
      }
    },
    async recover(node = scene.owner()) {
      const { phases, problems } = mirror.recovery(await mirror.look(node, scene.contents));
      for (const phase of phases) {
        const outcome = await mirror.perform(phase);
        if (outcome.kind !== 'done') throw new Error(`${phase.name}: ${JSON.stringify(outcome, null, 1)}`);
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
      return problems.map(({ code }) => code);
    },
  };
}
