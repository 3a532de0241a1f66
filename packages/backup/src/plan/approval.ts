import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { BackupError } from '../errors.ts';
import type { Problem } from '../ports.ts';
import { createDurably } from '../store/durable.ts';
import { faultsOf } from './faults.ts';
import { runPlanSchema } from './plan-schema.ts';
import { canonical, digestOf, type GroupPolicy, type RunPlan } from './run-plan.ts';

/** An approval as it is saved. */
export const approvalSchema = z
  .strictObject({
    splitmirror: z.literal(1),
    /** Digest of the plan: not one character of it may change. */
    plan: z.string().regex(/^[0-9a-f]{64}$/),
    run: z.string(),
    group: z.string(),
    /** Who allowed it, in the site's own words. */
    by: z.string().min(1),
    /** UTC, ISO 8601. */
    at: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ $id: 'urn:splitmirror:approval:1', title: 'Leave to run one plan of a split-mirror backup, version 1' });

/**
 * Somebody's leave to run one plan, until a time. It is a record and no signature: keep it where only those can write who
 * may approve.
 */
export type Approval = z.infer<typeof approvalSchema>;

/** {@link approvalSchema} as JSON Schema (draft 2020-12), for other tools. */
export function approvalJsonSchema(): object {
  return z.toJSONSchema(approvalSchema);
}

/**
 * Allows a plan.
 *
 * @throws RangeError without a name, or when the leave would expire before it was given.
 */
export function approvePlan(
  plan: RunPlan,
  { by, at, expiresAt }: { readonly by: string; readonly at: Date; readonly expiresAt: Date },
): Approval {
  if (by.trim() === '') throw new RangeError('an approval needs the name of who gives it');
  if (!(expiresAt > at)) throw new RangeError('an approval has to expire after it was given');
  const times = { at: at.toISOString(), expiresAt: expiresAt.toISOString() };
  return { splitmirror: 1, plan: digestOf(plan), run: plan.run, group: plan.group, by: by.trim(), ...times };
}

/**
 * Lets a plan pass that was allowed, exactly so, and in time. Without an approval it passes where none is demanded.
 *
 * @param required What is demanded now; default what the plan's own policy demands.
 * @throws BackupError `PLAN_NOT_APPROVED`
 */
export function checkApproval(
  plan: RunPlan,
  approval: Approval | undefined,
  now: Date,
  required: GroupPolicy['approval'] = plan.policy.approval,
): void {
  const refusal = (message: string, remedy: string) =>
    new BackupError('PLAN_NOT_APPROVED', `plan ${plan.run} of ${plan.group}: ${message}`, { remedy });
  if (approval === undefined) {
    if (required === undefined) return;
    throw refusal(
      'the group demands an approval, and there is none',
      'Save a plan, have that plan approved, and run it together with its approval.',
    );
  }
  const digest = digestOf(plan);
  if (approval.plan !== digest) {
    throw refusal(
      `${approval.by} approved ${approval.plan.slice(0, 12)}, and this one is ${digest.slice(0, 12)}`,
      'Have this plan approved, or run the one that was.',
    );
  }
  if (now > new Date(approval.expiresAt)) {
    throw refusal(`the approval of ${approval.by} expired at ${approval.expiresAt}`, 'Have a new plan approved.');
  }
  if (now < new Date(approval.at)) {
    throw refusal(`the approval of ${approval.by} begins at ${approval.at}`, 'Compare the clocks of both machines.');
  }
}

/**
 * Saves a plan as canonical JSON, of which `sha256sum` without the last line feed says the digest, and returns that. What is
 * there is not written over: somebody may have approved it.
 *
 * @throws Error `EEXIST`
 */
export async function savePlan(file: string, plan: RunPlan): Promise<string> {
  await createDurably(file, `${canonical(plan)}\n`);
  return digestOf(plan);
}

/**
 * Reads a saved plan.
 *
 * @throws BackupError `PLAN_UNREADABLE`
 */
export function loadPlan(file: string): Promise<RunPlan> {
  return load(file, runPlanSchema, 'a plan');
}

/**
 * Saves an approval, over nothing that is there.
 *
 * @throws Error `EEXIST`
 */
export function saveApproval(file: string, approval: Approval): Promise<void> {
  return createDurably(file, `${JSON.stringify(approval, null, 2)}\n`);
}

/**
 * Reads a saved approval.
 *
 * @throws BackupError `PLAN_UNREADABLE`
 */
export function loadApproval(file: string): Promise<Approval> {
  return load(file, approvalSchema, 'an approval');
}

async function load<T>(file: string, schema: z.ZodType<T>, what: string): Promise<T> {
  const refusal = (reason: string, options: { problems?: readonly Problem[]; cause?: unknown }) =>
    new BackupError('PLAN_UNREADABLE', `${file} cannot be read as ${what}: ${reason}`, { remedy, ...options });
  const value = await readFile(file, 'utf8')
    .then((text): unknown => JSON.parse(text))
    .catch((cause: Error) => {
      throw refusal(cause.message, { cause });
    });
  const { data, error } = schema.safeParse(value);
  if (data !== undefined) return data;
  const problems = faultsOf(error, value).map(
    ({ text, seen }): Problem => ({ code: 'PLAN_UNREADABLE', node: null, message: text, seen, remedy }),
  );
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw refusal(`${problems[0]?.message}${more}`, { problems, cause: error });
}

const remedy = 'Save it again; a plan that was changed by hand is a new plan.';
