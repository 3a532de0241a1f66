import { z } from 'zod';

const proof = z.strictObject({
  group: z.string(),
  node: z.string(),
  takenAt: z.string(),
  digest: z.string(),
  facts: z.record(z.string(), z.string()),
});

const archive = z.strictObject({
  /** Name of the live volume. */
  volume: z.string(),
  /** Mount point of the live file system; `null` for a raw volume. */
  mountPoint: z.string().nullable(),
  tool: z.enum(['tar', 'dd']),
  /** Command that produced the archive on the node, as typed. */
  command: z.string(),
  /** File beside the manifest. */
  file: z.string(),
  bytes: z.int().nonnegative(),
  /** Lower-case hex; `sha256sum FILE` prints the same. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  entries: z.int().nonnegative(),
  /** NDJSON file beside the manifest: one line for each entry of the archive. */
  catalogue: z.string().nullable(),
  /** What was odd and did not make the archive worthless. */
  warnings: z.array(z.string()),
});

/** What stands beside the archives of a complete backup. Readable without splitmirror. */
export const manifestSchema = z.strictObject({
  splitmirror: z.literal(1),
  run: z.string(),
  group: z.string(),
  node: z.string(),
  /** UTC, ISO 8601. */
  createdAt: z.string(),
  committedAt: z.string(),
  /** SHA-256 of the plan that was run; the plan itself is the first line of the journal. */
  planDigest: z.string(),
  consistency: z.strictObject({
    /** `application`: it was suspended over the split; `file-system`: frozen; `crash`: neither. */
    level: z.enum(['application', 'file-system', 'crash']),
    /** What the split phase proved, for instance how long the file systems were frozen. */
    evidence: z.record(z.string(), z.string()),
  }),
  redundancy: z.strictObject({
    splitAt: z.string(),
    wholeAt: z.string(),
    /** Time with fewer copies than before. */
    exposedSeconds: z.number().nonnegative(),
    /** Fresh copies that were left on the live side meanwhile, the fewest of all volumes. */
    copiesLeft: z.int(),
  }),
  levels: z.unknown(),
  /** Ownership, proved again before each step that changed something. */
  proofs: z.array(proof),
  facts: z.record(z.string(), z.record(z.string(), z.string())),
  archives: z.array(archive),
});

export type Manifest = z.infer<typeof manifestSchema>;
/** One archive of a backup. */
export type ArchiveRecord = z.infer<typeof archive>;
