import { requireWhole, SplitmirrorError, type StreamOutcome } from '@splitmirror/host';
import type { ArchiveSummary } from '../catalogue/catalogue.ts';
import type { NameFindings } from '../catalogue/name-check.ts';
import { displayName } from '../names.ts';

/** What a line of a command's standard error means. */
export type LineClass =
  /** Something is not in the archive, or not as it is on disk. */
  | 'fatal'
  /** The archive is what it says, and lacks something that it never carries. */
  | 'warning'
  /** Progress and counts. */
  | 'harmless'
  /** Not known: as grave as `fatal` until someone has looked. */
  | 'unknown';

/** One thing that speaks against an archive. */
export interface VerdictReason {
  readonly code:
    | 'OUTCOME_UNKNOWN'
    | 'TIMED_OUT'
    | 'CANCELLED'
    | 'STATUS'
    | 'STDERR_FATAL'
    | 'STDERR_UNKNOWN'
    | 'STDERR_WARNING'
    | 'NOT_WHOLE'
    | 'NO_FILES'
    | 'PARTIAL'
    | 'OPAQUE'
    | 'NAME_MISSING'
    | 'SIZE_CHANGED'
    | 'ENTRY_DIFFERS'
    | 'STREAM_DIFFERS'
    | 'CATALOGUE_INVALID'
    | 'SIZE_DIFFERS';
  readonly message: string;
  /** Quotes what was seen. */
  readonly seen: string;
  readonly remedy: string;
}

/** Reasons that a policy may accept. All others are final. */
export type AcceptableCode = 'NO_FILES' | 'PARTIAL' | 'OPAQUE' | 'STDERR_WARNING' | 'STDERR_UNKNOWN';

/** Whether an archive may be called a backup. */
export type Verdict =
  | { readonly kind: 'good'; readonly accepted: readonly VerdictReason[] }
  | {
      readonly kind: 'failed';
      readonly reasons: readonly VerdictReason[];
      readonly accepted: readonly VerdictReason[];
    };

/** What is known after an archive has flowed. */
export interface Evidence {
  /** How the command on the node ended. */
  readonly outcome: StreamOutcome;
  /** What the watch returned, or the error that it threw. */
  readonly seen: ArchiveSummary | Error;
  /** What must be: for a raw volume its bytes; for a list of names what `createNameCheck` found. */
  readonly expected?: { readonly bytes?: number | undefined; readonly names?: NameFindings | undefined } | undefined;
  /** Reasons that the caller's policy accepts, for instance `NO_FILES` for a file system that may be empty. */
  readonly accept?: readonly AcceptableCode[] | undefined;
}

/** Weighs everything that speaks against an archive; every reason is listed, not only the first. */
export function judgeArchive(evidence: Evidence, classify: (line: string) => LineClass): Verdict {
  const { outcome, seen, expected, accept = [] } = evidence;
  requireWhole('expected.bytes', expected?.bytes, 0);
  const found = [
    ...judgeOutcome(outcome),
    ...judgeLines(outcome.stderr, classify),
    ...judgeContent(seen, expected?.bytes),
    ...judgeNames(expected?.names),
  ];
  const acceptable: readonly string[] = accept;
  const isAccepted = (reason: VerdictReason) => acceptable.includes(reason.code);
  const accepted = found.filter(isAccepted);
  const reasons = found.filter((reason) => !isAccepted(reason));
  return reasons.length === 0 ? { kind: 'good', accepted } : { kind: 'failed', reasons, accepted };
}

function judgeOutcome(outcome: StreamOutcome): VerdictReason[] {
  const again = 'Archive again.';
  switch (outcome.kind) {
    case 'ended':
      return outcome.memberCodes.flatMap((code, member) =>
        code === 0
          ? []
          : [
              {
                code: 'STATUS' as const,
                message: `command ${member + 1} of ${outcome.memberCodes.length} ended with status ${code}`,
                seen: lastLines(outcome.stderr),
                remedy: 'Settle what its standard error says and archive again.',
              },
            ],
      );
    case 'timed-out':
      return [
        {
          code: 'TIMED_OUT',
          message: 'the command did not end in time',
          seen: lastLines(outcome.stderr),
          remedy: 'Give it more time, or look for what holds it up on the node.',
        },
      ];
    case 'cancelled':
      return [
        { code: 'CANCELLED', message: 'the command was cancelled', seen: lastLines(outcome.stderr), remedy: again },
      ];
    case 'unknown':
      return [
        { code: 'OUTCOME_UNKNOWN', message: 'how the command ended is not known', seen: outcome.reason, remedy: again },
      ];
  }
}

function judgeLines(stderr: string, classify: (line: string) => LineClass): VerdictReason[] {
  const found: Record<LineClass, string[]> = { fatal: [], warning: [], harmless: [], unknown: [] };
  for (const line of stderr.split('\n')) if (line.trim() !== '') found[classify(line)].push(line);
  const reason = (code: VerdictReason['code'], lines: string[], message: string, remedy: string): VerdictReason[] =>
    lines.length === 0 ? [] : [{ code, message: `${message} (${lines.length})`, seen: quoted(lines), remedy }];
  return [
    ...reason('STDERR_FATAL', found.fatal, 'the command reports errors', 'Settle them on the node and archive again.'),
    ...reason(
      'STDERR_UNKNOWN',
      found.unknown,
      'the command wrote lines that are not known',
      'Settle on the node what they are about; accept STDERR_UNKNOWN where it is nothing, and report them.',
    ),
    ...reason(
      'STDERR_WARNING',
      found.warning,
      'the command warns',
      'Accept STDERR_WARNING if the archive need not carry what they name.',
    ),
  ];
}

/** The reason that an error of a watch is. */
export function notWhole(error: Error): VerdictReason {
  const isKnown = SplitmirrorError.is(error);
  return {
    code: 'NOT_WHOLE',
    message: 'the archive is not whole',
    seen: isKnown ? `${error.code}: ${error.message}` : error.message,
    remedy: isKnown ? error.remedy : 'Archive again.',
  };
}

function judgeContent(seen: ArchiveSummary | Error, expectedBytes: number | undefined): VerdictReason[] {
  if (seen instanceof Error) return [notWhole(seen)];
  if (expectedBytes !== undefined && seen.bytes !== expectedBytes) {
    return [
      {
        code: 'SIZE_DIFFERS',
        message: 'the archive has not the expected size',
        seen: `${seen.bytes} of ${expectedBytes} bytes`,
        remedy: 'Compare with the size of the volume (lslv), and archive again.',
      },
    ];
  }
  const found: VerdictReason[] = [];
  if (seen.format === 'backup-inode') {
    found.push({
      code: 'OPAQUE',
      message: 'what a backup by inode holds, and whether it is whole, cannot be seen',
      seen: `${seen.bytes} bytes behind a valid first record`,
      remedy: 'List it on a node with restore -Tqf-, and accept OPAQUE; or archive by name.',
    });
  } else if (seen.format !== 'raw' && seen.files === 0) {
    found.push({
      code: 'NO_FILES',
      message: 'the archive holds no regular file',
      seen: `${seen.entries} entries`,
      remedy: 'Check that the right directory was mounted; accept NO_FILES if it may be empty.',
    });
  }
  if (seen.partial > 0) {
    found.push({
      code: 'PARTIAL',
      message: 'something that belongs to entries could not be read',
      seen: `${seen.partial} of ${seen.entries} entries`,
      remedy: 'Look for "partial" in the catalogue; accept PARTIAL if what is named there may be unverified.',
    });
  }
  return found;
}

function judgeNames(names: NameFindings | undefined): VerdictReason[] {
  if (names === undefined) return [];
  const reasons: VerdictReason[] = [];
  if (names.missing.length > 0) {
    reasons.push({
      code: 'NAME_MISSING',
      message: `names that were requested are not in the archive (${names.missing.length})`,
      seen: quoted(names.missing.map(displayName)),
      remedy: 'Look on the node for why they were left out, and archive again.',
    });
  }
  if (names.changed.length > 0) {
    reasons.push({
      code: 'SIZE_CHANGED',
      message: `files have another size in the archive than on disk (${names.changed.length})`,
      seen: quoted(
        names.changed.map(({ path, archived, onDisk }) => `${displayName(path)}: ${archived}, on disk ${onDisk}`),
      ),
      remedy: 'Archive from a split copy, or while nothing writes.',
    });
  }
  return reasons;
}

function lastLines(text: string): string {
  return quoted(
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-3),
  );
}

function quoted(lines: readonly string[]): string {
  const text = lines
    .slice(0, 5)
    .map((line) => line.slice(0, 200))
    .join(' | ');
  return text === '' ? 'nothing on standard error' : text;
}
