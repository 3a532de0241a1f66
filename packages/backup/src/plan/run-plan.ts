import { createHash } from 'node:crypto';
import type { Command, Pipeline } from '@splitmirror/host';
import type { Evidence, GroupContents, MirrorPlan, Proof } from '../ports.ts';
import type { QuiesceHooks } from '../run/quiesce.ts';
import type { ExposureLimit } from '../store/exposure.ts';
import type { StoredForm } from '../store/stored-form.ts';
import type { LeftOut } from './coverage.ts';
import type { RunEstimates } from './estimates.ts';

/** What the operator has decided about a group. */
export interface GroupPolicy {
  /** How the application is brought to rest; `null`: it is not told, the freeze alone makes each file system consistent. */
  readonly quiesce: QuiesceHooks | null;
  /** Seconds after which the kernel ends the freeze by itself. */
  readonly freezeSeconds: number;
  /** Permission to leave a volume without a second fresh copy while the backup runs. */
  readonly allowLastCopy: boolean;
  /** How long volumes may be without a second fresh copy in a month; no limit when not given. */
  readonly exposure?: ExposureLimit | undefined;
  /** The way to split, by the family's own name for it; the family chooses where none is given. */
  readonly strategy?: string | undefined;
  /** Raw volumes to be saved, by name, and whether their first block is a logical volume control block. */
  readonly rawVolumes: readonly { readonly volume: string; readonly lvcb: 'keep' | 'skip' }[];
  /** Volumes that are left out on purpose, by name: of any other that may hold data and is not saved, a plan is refused. */
  readonly leaveOut?: readonly string[] | undefined;
  /** How archives are compressed and encrypted; as they come when not given. */
  readonly stored?: StoredForm | undefined;
  /** How many volumes are streamed side by side. */
  readonly parallel: number;
  /** Seconds that the archive of one volume may take. */
  readonly archiveSeconds: number;
  /** Seconds without a byte after which an archive counts as stalled. */
  readonly idleSeconds: number;
  /** Milliseconds between two proofs of ownership while archives stream. */
  readonly proofMs: number;
  /** Milliseconds between two looks at a resynchronisation. */
  readonly pollMs: number;
  /** Whether differing software levels stop a run; `warn` records them in the manifest. */
  readonly levels: 'stop' | 'warn';
  /** `required`: a plan runs only with somebody's leave for exactly this plan. Without it whoever runs it answers for it. */
  readonly approval?: 'required' | undefined;
}

/** What the audit of the nodes' software levels says about a run. */
export interface LevelsGate {
  readonly kind: 'pass' | 'warn' | 'stop';
  readonly findings: readonly {
    readonly rule: string;
    readonly severity: string;
    readonly nodes: readonly string[];
    readonly message: string;
    readonly remedy: string;
  }[];
}

/** One volume's archive, as it will be made. */
export interface PlannedArchive {
  /** Name of the live volume. */
  readonly volume: string;
  /** Mount point of the live file system; `null` for a raw volume. */
  readonly mountPoint: string | null;
  readonly tool: 'tar' | 'dd';
  /** File name in the store. */
  readonly file: string;
  /** What runs on the node; its stdout is the archive. */
  readonly source: Command | Pipeline;
  /** Exact length of the archive where it is known beforehand (raw volumes), in bytes. */
  readonly expectedBytes: number | null;
  readonly timeoutSeconds: number;
}

/** Everything that a run will do, as data: what is printed is what runs. */
export interface RunPlan {
  readonly version: 1;
  readonly run: string;
  /** UTC, ISO 8601. */
  readonly createdAt: string;
  readonly group: string;
  readonly node: string;
  readonly proof: Proof;
  readonly evidence: readonly Evidence[];
  readonly contents: GroupContents;
  readonly levels: LevelsGate;
  /** Digest of the storage picture that the plan rests on; `run` refuses when it no longer matches. */
  readonly observed: string;
  /** Digests of its parts, where the family tells them: what has changed is named by them. */
  readonly observedParts?: Readonly<Record<string, string>> | undefined;
  /** Directory of the lock and the quiesce note on the node. */
  readonly notes: string;
  readonly policy: GroupPolicy;
  readonly mirror: MirrorPlan;
  readonly archives: readonly PlannedArchive[];
  /** What is not backed up, because the policy leaves it out; absent when that is nothing. */
  readonly leftOut?: readonly LeftOut[] | undefined;
  readonly estimates: RunEstimates;
}

/** Lower-case hex SHA-256 over a plan's {@link canonical} text: what an approval signs. */
export function digestOf(plan: RunPlan): string {
  return createHash('sha256').update(canonical(plan)).digest('hex');
}

/** JSON with sorted keys and without white space: the same value always gives the same text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
