import { z } from 'zod';
import { archiveSeconds, policySchema, whole } from './policy-schema.ts';
import type { RunPlan } from './run-plan.ts';

const text = z.string();
const count = z.int().nonnegative();
const facts = z.record(text, text);
const argv = z.tuple([text], text);

const command = z.strictObject({ argv, effect: z.enum(['reads', 'changes']) });
const source = z.union([command, z.strictObject({ pipe: z.tuple([command, command], command) })]);
const step = z.strictObject({
  id: text,
  run: source,
  stdin: text.exactOptional(),
  timeoutSeconds: whole(1, 2 ** 31 - 1),
  onFailure: z.enum(['stop', 'continue']).exactOptional(),
  onRefusal: z.enum(['owes', 'owes-nothing']).exactOptional(),
  pays: z.array(text).exactOptional(),
  needs: z.array(text).exactOptional(),
});

// What a family makes may hold more than the port asks for.
const phase = z.looseObject({
  name: text,
  node: text,
  title: text,
  script: z.strictObject({ steps: z.array(step) }),
  explains: facts,
  undo: z.array(text),
});
const volume = z.looseObject({
  volume: text,
  strategy: text,
  copy: text,
  source: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('directory'), mountPoint: text, path: text }),
    z.strictObject({ kind: z.literal('device'), path: text }),
  ]),
  bytes: count,
  copies: count,
  copiesLeft: count,
  partitionsToResync: count,
});

/** A plan as it is saved, printed by `--json`, and approved. `version` changes when a reader of this one would be wrong. */
export const runPlanSchema: z.ZodType<RunPlan> = z
  .strictObject({
    version: z.literal(1),
    run: text.regex(/^[a-z][a-z0-9]{5}$/),
    createdAt: z.iso.datetime(),
    group: text,
    node: text,
    proof: z.strictObject({ group: text, node: text, takenAt: text, digest: text, facts }),
    evidence: z.array(z.strictObject({ node: text, source: text, says: text })),
    contents: z.strictObject({
      volumeGroups: z.array(text),
      fileSystems: z.union([z.array(text), z.literal('ALL')]),
    }),
    levels: z.strictObject({
      kind: z.enum(['pass', 'warn', 'stop']),
      findings: z.array(
        z.strictObject({ rule: text, severity: text, nodes: z.array(text), message: text, remedy: text }),
      ),
    }),
    observed: text,
    observedParts: facts.optional(),
    notes: text,
    policy: policySchema,
    mirror: z.looseObject({
      run: text,
      node: text,
      volumes: z.array(volume),
      split: phase,
      expose: phase,
      withdraw: phase,
      merge: phase,
      frozenSecondsAtMost: z.number().nonnegative(),
      price: z
        .looseObject({
          unmirroredVolumes: z.array(text),
          megabytesToResync: z.number().nonnegative(),
          resyncMinutes: z.number().nonnegative().nullable(),
          frozenSecondsExpected: z.number().nonnegative(),
        })
        .optional(),
      takeover: z.array(z.looseObject({ text, commands: z.array(text) })).optional(),
    }),
    archives: z.array(
      z.strictObject({
        volume: text,
        mountPoint: text.nullable(),
        tool: z.enum(['tar', 'dd']),
        file: text,
        source,
        expectedBytes: count.nullable(),
        timeoutSeconds: archiveSeconds,
      }),
    ),
    leftOut: z.array(z.strictObject({ volume: text, mountPoint: text.nullable() })).optional(),
    estimates: z.strictObject({
      frozenMsAtMost: z.number().nonnegative(),
      frozenMs: z.number().nonnegative().nullable(),
      minutesWithoutRedundancy: z.number().nonnegative(),
      basis: text,
      storeBytesAtMost: count,
      partitionsToResync: count,
    }),
  })
  .meta({ $id: 'urn:splitmirror:run-plan:1', title: 'Plan of a split-mirror backup, version 1' });

/** {@link runPlanSchema} as JSON Schema (draft 2020-12), for other tools. */
export function runPlanJsonSchema(): object {
  return z.toJSONSchema(runPlanSchema);
}
