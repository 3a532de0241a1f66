import { aixMirror, type PhaseOutcome, type SplitRequest } from '../../src/index.ts';
import type { MatrixCase } from './cases.ts';
import { nodes, type Scene } from './scene.ts';
import { type Accident, type Mishap, scriptHost } from './script.ts';

/** Where in a run the accident happens. */
export interface Boundary {
  /** Phase, from 0: split, expose, withdraw, merge. */
  readonly phase: number;
  /** Step of its script, from 0. */
  readonly step: number;
  readonly id: string;
}

/** An accident in the first recovery, after which it is begun anew. */
export interface Relapse {
  /** Which of its steps: 0 for the first, near 1 for the last. */
  readonly share: number;
  readonly accident: Exclude<Accident, 'node dies' | 'group moves'>;
}

/** How a cell ended. */
export type CellResult =
  | { readonly kind: 'whole' }
  /** Left to a person on this node, then recovered where the group was before. */
  | { readonly kind: 'reported'; readonly codes: readonly string[] }
  | { readonly kind: 'broken'; readonly what: string };

const phaseNames = ['split', 'expose', 'withdraw', 'merge'] as const;

/** Every boundary of the plan that a scene gets for this request. */
export async function boundariesOf(scene: Scene, request: SplitRequest): Promise<Boundary[]> {
  const plan = await planOn(scene, mirrorsOf(scene, {}), request);
  return phaseNames.flatMap((name, phase) => plan[name].script.steps.map(({ id }, step) => ({ phase, step, id })));
}

/** Runs up to the accident, recovers, and compares. */
export async function tryCell(
  scene: Scene,
  { request, reports }: Pick<MatrixCase, 'request' | 'reports'>,
  { phase: last, step }: Boundary,
  accident: Accident,
  relapse?: Relapse,
): Promise<CellResult> {
  const luck: { mishap?: Mishap | undefined } = {};
  const mirrors = mirrorsOf(scene, luck);
  const before = await stateBefore(scene);
  const home = scene.owner();
  const other = nodes.find((node) => node !== home) ?? home;
  const plan = await planOn(scene, mirrors, request);
  const down = new Set<string>();
  for (const [index, name] of phaseNames.slice(0, last + 1).entries()) {
    if (index === last) {
      const strike = async () => {
        if (accident === 'group moves' && (await scene.release(home))) {
          await scene.acquire(other);
          return true;
        }
        scene.crash(home);
        down.add(home);
        return false;
      };
      luck.mishap = { step, accident, strike };
    }
    const outcome = await mirrors.perform(plan[name]);
    if (index < last && outcome.kind !== 'done') return broken(`${name}: ${wordsOf(outcome)}`);
    luck.mishap = undefined;
    if (down.size === 0 && index === 0) await scene.write();
  }
  if (accident === 'node dies') await scene.acquire(home);
  if (accident === 'group moves' && down.has(home)) {
    await scene.acquire(other);
    await scene.boot(home);
  }
  // After a failure on one node the run's own note in the group is not needed.
  const travels = accident === 'node dies' || accident === 'group moves';
  const note = travels ? plan.volumes.map(({ volume, copies, strategy }) => ({ volume, copies, strategy })) : [];
  const codes = new Set<string>();
  const back = async () => {
    if (scene.owner() === home) return;
    await scene.release(other);
    await scene.acquire(home);
  };
  for (const node of [scene.owner(), ...nodes.filter((each) => each !== scene.owner()), undefined]) {
    // What a person had to be told of is recovered once the group is back.
    if (node === undefined && codes.size === 0) break;
    if (node === undefined) await back();
    const failed = await recoverOn(node ?? home, node === scene.owner() ? relapse : undefined);
    if (failed !== undefined) return broken(failed);
  }
  await back();
  await settle();
  const after = await scene.state();
  const difference = firstDifference(before, after, '');
  if (difference !== undefined) return broken(difference);
  return codes.size === 0 ? { kind: 'whole' } : { kind: 'reported', codes: [...codes].sort() };

  /** Why it did not succeed; what is left to a person is noted, and for the moment no failure. */
  async function recoverOn(node: string, breaks?: Relapse): Promise<string | undefined> {
    const told = node === scene.owner() ? note : [];
    const found = mirrors.recovery(await mirrors.look(node, scene.contents), told);
    const left = found.problems.map(({ code }) => code);
    for (const code of left) {
      if (!reports.includes(code) || accident !== 'group moves' || scene.owner() === home)
        return `not recovered: ${code}`;
      codes.add(code);
    }
    let position = Math.floor(
      (breaks?.share ?? 0) * found.phases.reduce((sum, each) => sum + each.script.steps.length, 0),
    );
    for (const part of found.phases) {
      if (breaks !== undefined && position < part.script.steps.length) {
        luck.mishap = { step: position, accident: breaks.accident, strike: () => Promise.resolve(true) };
        await mirrors.perform(part);
        luck.mishap = undefined;
        await settle();
        return recoverOn(node);
      }
      position -= part.script.steps.length;
      const outcome = await mirrors.perform(part);
      if (outcome.kind !== 'done') return `recovery on ${node}: ${part.name}: ${wordsOf(outcome)}`;
    }
    await settle();
    const again = mirrors.recovery(await mirrors.look(node, scene.contents), told);
    if (left.length > 0 || again.phases.length === 0) return undefined;
    return `recovery on ${node} finds no end: ${again.phases.map(({ name }) => name).join(' ')}`;
  }
}

function mirrorsOf(scene: Scene, luck: { mishap?: Mishap | undefined }) {
  return aixMirror({ hosts: new Map(nodes.map((node) => [node, scriptHost(node, scene.type, luck)])) });
}

async function planOn(scene: Scene, mirrors: ReturnType<typeof mirrorsOf>, request: SplitRequest) {
  const answer = mirrors.plan(await mirrors.look(scene.owner(), scene.contents), request);
  if ('problems' in answer) throw new Error(JSON.stringify(answer.problems, null, 1));
  return answer.plan;
}

function wordsOf(outcome: Exclude<PhaseOutcome, { kind: 'done' }>): string {
  return outcome.kind === 'unknown'
    ? outcome.reason
    : outcome.problems.map(({ code, message, seen }) => `${code} ${message}: ${seen}`).join('; ');
}

const pristine = new WeakMap<Scene, unknown>();

/** A scene that has been found as before need not be looked at again. */
async function stateBefore(scene: Scene): Promise<unknown> {
  const known = pristine.get(scene) ?? (await scene.state());
  pristine.set(scene, known);
  return known;
}

/** What runs in the background gets its turn. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

function broken(what: string): CellResult {
  return { kind: 'broken', what };
}

/** Where two states first differ, in words. */
function firstDifference(before: unknown, after: unknown, path: string): string | undefined {
  if (Object.is(before, after)) return undefined;
  if (typeof before === 'object' && typeof after === 'object' && before !== null && after !== null) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const found = firstDifference(Reflect.get(before, key), Reflect.get(after, key), `${path}/${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return `${path}: ${JSON.stringify(before)} became ${JSON.stringify(after)}`;
}
