import { checkScript, type Host, members, type Script, type ScriptOutcome, type StepResult } from '@splitmirror/host';
import type { Keyboard } from './node.ts';

/** What goes wrong. Each column of the matrix. */
export const accidents = [
  'controller dies',
  'link drops',
  'fails before',
  'fails after',
  'node dies',
  'group moves',
] as const;
export type Accident = (typeof accidents)[number];

/** An accident at a step, by its position in the script that is run next. */
export interface Mishap {
  readonly step: number;
  readonly accident: Accident;
  /** Takes the node down, or the group away from it, right after the step. Resolves to whether the node still runs. */
  readonly strike: () => Promise<boolean>;
}

/** A host on which a script runs step by step, with its debts, until the accident that is in store. */
export function scriptHost(node: string, type: Keyboard, luck: { mishap?: Mishap | undefined }): Host {
  return {
    name: node,
    async run(script: Script): Promise<ScriptOutcome> {
      checkScript(script);
      const { mishap } = luck;
      const steps: StepResult[] = [];
      const started = new Set<string>();
      const done = new Set<string>();
      const skips = (id: string): StepResult => ({ kind: 'skipped', id });
      let stopped = false;
      for (const [position, step] of script.steps.entries()) {
        const accident = mishap?.step === position ? mishap.accident : undefined;
        const needed = (step.needs ?? []).every((id) => done.has(id));
        const owed = step.pays?.some((id) => started.has(id));
        const runs = needed && (step.pays === undefined ? !stopped : owed === true);
        let said = { code: 0, stdout: '', stderr: '' };
        if (runs) {
          started.add(step.id);
          if (accident === 'fails before') said = { code: 1, stdout: '', stderr: 'it does not want to\n' };
          else {
            for (const [member, { argv }] of members(step.run).entries()) {
              said = await type(node, argv, member === 0 ? (step.stdin ?? '') : said.stdout);
            }
          }
          if (accident === 'fails after') said = { ...said, code: 1 };
          if (said.code === 0) done.add(step.id);
          else if (step.onFailure !== 'continue') stopped = true;
          steps.push({
            kind: 'ended',
            id: step.id,
            exitCode: said.code,
            memberCodes: [said.code],
            stdout: said.stdout,
            stderr: said.stderr,
            durationMs: 1,
            clock: { start: 0, end: 0 },
          });
        } else steps.push(skips(step.id));
        if (accident === 'controller dies') stopped = true;
        if (accident === 'node dies' || accident === 'group moves') {
          const lives = await mishap?.strike();
          const rest = script.steps.slice(position + 1).map(({ id }) => skips(id));
          if (!lives) return { kind: 'unknown', reason: 'the node is gone', steps: [...steps, ...rest] };
        }
      }
      if (mishap?.accident === 'controller dies') return { kind: 'cancelled', steps };
      if (mishap?.accident === 'link drops') {
        const heard = steps.map((step, position) => (position < mishap.step ? step : skips(step.id)));
        return { kind: 'unknown', reason: 'the link was lost', steps: heard };
      }
      return { kind: 'completed', steps };
    },
    stream: () => Promise.reject(new Error('nothing is streamed here')),
    close: () => Promise.resolve(),
  };
}
