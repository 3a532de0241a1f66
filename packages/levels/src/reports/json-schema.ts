import { z } from 'zod';

const severity = z.enum(['error', 'warning', 'info']);
const observation = z.strictObject({
  node: z.string(),
  value: z.string().nullable(),
  command: z.string(),
  line: z.string().nullable(),
});
const group = z.strictObject({ value: z.string(), nodes: z.array(z.string()).readonly() });
const finding = z.strictObject({
  rule: z.string(),
  severity,
  nodes: z.array(z.string()).readonly(),
  division: z
    .strictObject({
      groups: z.array(group).readonly(),
      majority: group.nullable(),
      odd: z.array(z.string()).readonly(),
    })
    .nullable(),
  message: z.string(),
  subjects: z.array(z.strictObject({ name: z.string(), observations: z.array(observation).readonly() })).readonly(),
  remedy: z.string(),
  waiver: z.strictObject({ state: z.enum(['open', 'ended']), reason: z.string(), until: z.string() }).nullable(),
});
const node = z.strictObject({
  node: z.string(),
  askedAt: z.string(),
  unreachable: z.string().nullable(),
  osLevel: z.string().nullable(),
  haLevel: z.string().nullable(),
});
const report = z.strictObject({
  format: z.literal('splitmirror-levels-report'),
  version: z.literal(1),
  cluster: z.string(),
  gate: z.enum(['pass', 'warn', 'stop']),
  nodes: z.array(node).readonly(),
  findings: z.array(finding).readonly(),
});

/** JSON Schema of what `renderJson` writes. */
export function reportSchema(): object {
  return z.toJSONSchema(report);
}

/** A report before it is written. */
export type Report = z.input<typeof report>;
