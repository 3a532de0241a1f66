import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { listRecoveries } from '../store/recoveries.ts';
import type { Store } from '../store/store.ts';
import { describe } from './describe.ts';
import type { Effect } from './effects.ts';
import { type Holder, holderSchema } from './lock.ts';

/** Where a run is that the store knows no end of, by its journal. */
export interface RunProgress {
  readonly run: string;
  readonly kind: 'backup' | 'recovery';
  /** What it began last, in a person's words; `null` before the first step. */
  readonly step: string | null;
  /** Directory of its lock on the node; `null` before it was asked for. */
  readonly notes: string | null;
  /** The process that took the lock; `null` before it did. */
  readonly controller: Holder['controller'] | null;
}

/** The runs and recoveries of a group that have no end in the store: they are at work, or were killed. */
export async function runsWithoutEnd(store: Pick<Store, 'root' | 'survey'>, group: string): Promise<RunProgress[]> {
  const { incomplete } = await store.survey(group);
  const { recoveries } = await listRecoveries(store, group);
  const open = [
    ...incomplete.map(({ run, directory }) => ({ run, directory, kind: 'backup' as const })),
    ...recoveries
      .filter(({ endedAt }) => endedAt === null)
      .map(({ run, directory }) => ({ run, directory, kind: 'recovery' as const })),
  ];
  const seen = await Promise.all(
    open.map(async ({ run, directory, kind }) => {
      // One that cannot be read hides none of the others.
      const read = await readFile(join(directory, 'journal.ndjson'), 'utf8')
        .then(progressIn)
        .catch(() => nothing);
      // A run that failed stays there, and is over.
      return read === 'ended' ? [] : [{ run, kind, ...read }];
    }),
  );
  return seen.flat();
}

const nothing = { step: null, notes: null, controller: null } as const;

const intent = z.looseObject({
  kind: z.literal('intent'),
  effect: z.looseObject({
    kind: z.string(),
    notes: z.string().optional(),
    holder: z.looseObject({ controller: holderSchema.shape.controller }).optional(),
  }),
});

const end = z.looseObject({ kind: z.literal('end') });

/** Reads a journal as far as it has come; proofs and pauses are no steps. Pure. */
function progressIn(text: string): Omit<RunProgress, 'run' | 'kind'> | 'ended' {
  let step: string | null = null;
  let notes: string | null = null;
  let controller: RunProgress['controller'] = null;
  for (const line of text.split('\n').slice(0, -1)) {
    if (line.includes('"kind":"end"') && end.safeParse(JSON.parse(line)).success) return 'ended';
    // Intents are short, and everything else may be long: a plan, what a node has said.
    const read = line.includes('"kind":"intent"') ? intent.safeParse(JSON.parse(line)).data : undefined;
    if (read === undefined || read.effect.kind === 'confirm' || read.effect.kind === 'wait') continue;
    // As it was written: a journal holds effects as they are.
    step = describe(read.effect as unknown as Effect).title;
    notes = read.effect.notes ?? notes;
    controller = read.effect.holder?.controller ?? controller;
  }
  return { step, notes, controller };
}
