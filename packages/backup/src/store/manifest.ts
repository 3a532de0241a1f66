import { z } from 'zod';

const proof = z.strictObject({
  group: z.string(),
  node: z.string(),
  takenAt: z.string(),
  digest: z.string(),
  facts: z.record(z.string(), z.string()),
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** A name within a directory: what a manifest names must not lead out of it when it is read or restored. */
const plainName = z.string().regex(/^(?!\.{1,2}$)[^/\0]+$/);

/** What both versions say of an archive. */
const archiveShape = {
  /** Name of the live volume. */
  volume: plainName,
  /** Mount point of the live file system; `null` for a raw volume. */
  mountPoint: z.string().nullable(),
  tool: z.enum(['tar', 'dd']),
  /** Command that produced the archive on the node, as typed. */
  command: z.string(),
  /** Name beside the manifest, or within the snapshot of a repository. */
  file: plainName,
  /** Bytes that the command wrote: the archive itself, neither compressed nor encrypted. */
  bytes: z.int().nonnegative(),
  /** Lower-case hex, of the archive itself. */
  sha256,
  entries: z.int().nonnegative(),
  /** NDJSON file beside the manifest: one line for each entry of the archive. */
  catalogue: plainName.nullable(),
  /** What was odd and did not make the archive worthless. */
  warnings: z.array(z.string()),
};

const archive = z.strictObject({
  ...archiveShape,
  compression: z.enum(['none', 'gzip', 'zstd']),
  /** The age recipients that it was encrypted to; `null` where it was not. */
  recipients: z.array(z.string()).nullable(),
  /** What `wc -c` and `sha256sum` say of `file`: the archive as it is stored, compressed and encrypted. */
  stored: z.strictObject({ bytes: z.int().nonnegative(), sha256 }),
  /** Snapshot of the repository that holds `file`; `null` where it lies beside the manifest. */
  snapshot: z.string().nullable(),
  /** Seconds from the first to the last byte; `null` in a manifest of version 1. */
  seconds: z.number().nonnegative().nullable(),
});

const redundancyShape = {
  splitAt: z.string(),
  wholeAt: z.string(),
  /** Time with fewer copies than before. */
  exposedSeconds: z.number().nonnegative(),
  /** Fresh copies that were left on the live side meanwhile, the fewest of all volumes. */
  copiesLeft: z.int(),
};

const suspicion = z.strictObject({
  /** `BYTES`, `ENTRIES`, `SECONDS`, `VOLUME_MISSING`, `VOLUME_EMPTY`. */
  code: z.enum(['BYTES', 'ENTRIES', 'SECONDS', 'VOLUME_MISSING', 'VOLUME_EMPTY']),
  volume: z.string(),
  message: z.string(),
  seen: z.number(),
  /** Median of the history that it was held against; `null` where none is needed. */
  usual: z.number().nullable(),
});

/** What both versions say of a backup. */
const common = {
  run: z.string().regex(/^[a-z][a-z0-9]{5}$/),
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
    /** The same for each group of volumes; `level` above is the weakest of them. */
    groups: z
      .array(
        z.strictObject({
          volumes: z.array(z.string()),
          level: z.enum(['application', 'file-system', 'crash']),
          evidence: z.record(z.string(), z.string()),
        }),
      )
      .default([]),
  }),
  levels: z.unknown(),
  /** Ownership, proved again before each step that changed something. */
  proofs: z.array(proof),
  facts: z.record(z.string(), z.record(z.string(), z.string())),
};

const second = z.strictObject({
  splitmirror: z.literal(2),
  ...common,
  redundancy: z.strictObject({
    ...redundancyShape,
    /** Copies of each volume before the split, and fresh ones while it lasted. */
    volumes: z.array(z.strictObject({ volume: z.string(), copies: z.int(), copiesLeft: z.int() })),
  }),
  archives: z.array(archive),
  /** Volumes of the group that this backup does not hold, because somebody has decided so. */
  leftOut: z.array(z.strictObject({ volume: z.string(), mountPoint: z.string().nullable() })).default([]),
  /** Why the run is off its history; empty for one that is not. */
  suspicions: z.array(suspicion),
  /** How many earlier backups it was held against; too few say nothing. */
  judgedAgainst: z.int().nonnegative(),
  /** Run that this backup builds upon; `null` for one that is whole by itself. */
  parent: z.string().nullable(),
});

const first = z
  .strictObject({
    splitmirror: z.literal(1),
    ...common,
    redundancy: z.strictObject(redundancyShape),
    archives: z.array(z.strictObject(archiveShape)),
  })
  .transform(
    (manifest): z.output<typeof second> => ({
      ...manifest,
      splitmirror: 2,
      redundancy: { ...manifest.redundancy, volumes: [] },
      archives: manifest.archives.map((record) => ({
        ...record,
        compression: 'none',
        recipients: null,
        stored: { bytes: record.bytes, sha256: record.sha256 },
        snapshot: null,
        seconds: null,
      })),
      leftOut: [],
      suspicions: [],
      judgedAgainst: 0,
      parent: null,
    }),
  );

/**
 * What stands beside the archives of a complete backup. Readable without splitmirror. Version 2 is written; version 1 is
 * still read, and handed out as version 2 with what it could not say left empty.
 */
export const manifestSchema = z.union([second, first]);

export type Manifest = z.output<typeof manifestSchema>;
/** One archive of a backup. */
export type ArchiveRecord = z.infer<typeof archive>;
/** Why a run is off its history. */
export type Suspicion = z.infer<typeof suspicion>;
