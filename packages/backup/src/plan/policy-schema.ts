import { z } from 'zod';
import { BackupError } from '../errors.ts';
import { faultsOf } from './faults.ts';
import type { GroupPolicy } from './run-plan.ts';

const daySeconds = 86_400;

/** A whole number within bounds; whatever is wrong with it, both are named. */
export function whole(least: number, most: number) {
  const error = `expected a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

function within(least: number, most: number) {
  const error = `expected a number from ${least} to ${most}`;
  return z.number({ error }).min(least, { error }).max(most, { error });
}

/** Seconds that an archive may take, while the mirror is split: what needs more than twenty days does not come along. */
export const archiveSeconds = whole(1, 20 * daySeconds);

// What can be given to a program on a node, and begin a command there.
const text = z.string().regex(/^[^\0\p{Cs}]*$/u, { error: 'expected text without a NUL byte or half a character' });
const program = text.regex(/^(?!-)./s, { error: 'expected the name of a program' });
const argv = z.tuple([program], text);
const name = z.string();

const patience = whole(1, daySeconds);
const command = z.union([argv, z.strictObject({ argv, stdin: text.optional(), timeoutSeconds: patience.optional() })], {
  error: `expected a command: a list of words, or an object with argv, stdin and timeoutSeconds (whole, 1 to ${daySeconds})`,
});
const quiesce = z.strictObject({
  before: z.array(command).optional(),
  suspend: z.array(command),
  resume: z.array(command),
  after: z.array(command).optional(),
  restart: z.array(command).optional(),
  timeoutSeconds: patience,
  consistency: z.enum(['application', 'file-system']).optional(),
});

/** What a policy may hold: nothing else is planned, run, or read from a saved plan. */
export const policySchema: z.ZodType<GroupPolicy> = z.strictObject({
  quiesce: quiesce.nullable(),
  freezeSeconds: whole(1, 3600),
  allowLastCopy: z.boolean(),
  exposure: z.strictObject({ minutesPerMonth: z.number().nonnegative() }).optional(),
  strategy: name.optional(),
  rawVolumes: z.array(z.strictObject({ volume: name, lvcb: z.enum(['keep', 'skip']) })),
  leaveOut: z.array(name).optional(),
  stored: z
    .strictObject({ compression: z.enum(['none', 'gzip', 'zstd']).optional(), recipients: z.array(name).optional() })
    .optional(),
  parallel: whole(1, 64),
  archiveSeconds,
  idleSeconds: within(1, daySeconds),
  proofMs: within(1, daySeconds * 1000),
  pollMs: within(1, daySeconds * 1000),
  levels: z.enum(['stop', 'warn']),
  approval: z.literal('required').optional(),
});

/**
 * Refuses a policy that cannot be run, before anything is looked at: half-way it would leave a split mirror.
 *
 * @param used Fields that it is asked for; what is wrong with others is in nobody's way.
 * @throws BackupError `PLAN_REFUSED` with a problem `POLICY_INVALID` for each fault.
 */
export function refusePolicy(group: string, policy: GroupPolicy, used?: readonly (keyof GroupPolicy)[]): void {
  const problems = faultsOf(policySchema.safeParse(policy).error, policy)
    .filter(({ path: [field] }) => used === undefined || used.some((each) => each === field))
    .map(({ path, text, seen }) => ({
      code: 'POLICY_INVALID',
      node: null,
      message: `the policy cannot be run: ${text}`,
      seen,
      remedy: `Correct ${path.join('.') || 'the fields'} in the settings of ${group}.`,
    }));
  const [first] = problems;
  if (first === undefined) return;
  throw new BackupError('PLAN_REFUSED', `${group}: ${first.message}`, { remedy: first.remedy, problems });
}
