import { ParseError } from '@splitmirror/host';
import {
  type ClusterManagerLevels,
  parseClusterManagerLevels,
  parseClusterVersion,
  parseNodeVersions,
} from './readers/cluster-versions.ts';
import { type Consistency, parseConsistency } from './readers/consistency.ts';
import { parseSystemFirmware } from './readers/firmware.ts';
import { type HaLevel, parseHaLevel } from './readers/ha-level.ts';
import { type InterimFix, parseInterimFixes } from './readers/interim-fixes.ts';
import { type ListedFileset, parseListing, type RowTable } from './readers/listing.ts';
import { type OsLevel, parseOsLevel } from './readers/os-level.ts';
import { type FilesetPart, type PartTable, parseParts } from './readers/parts.ts';
import { type PeerNode, parsePeerNodes } from './readers/rsct.ts';

/** What one command left behind on a node, or why nothing is known of it. */
export type Answer =
  | { readonly kind: 'ended'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'unanswered'; readonly reason: string };

/** What a command's answer means. An empty list proves something only when the command said that there is nothing. */
export type Reading<T> =
  | { readonly kind: 'data'; readonly value: T }
  /** There is nothing of the kind on this node; `says` is the node's own word for it. */
  | { readonly kind: 'empty'; readonly says: string }
  | { readonly kind: 'not-assessed'; readonly reason: string };

/** The questions, by the name of what they tell. */
export interface Readings {
  /** `lslpp -Lc` */
  readonly listing: Reading<readonly ListedFileset[]>;
  /** `lslpp -lc` */
  readonly parts: Reading<readonly FilesetPart[]>;
  /** `oslevel -s` */
  readonly osLevel: Reading<OsLevel>;
  /** `halevel -s` */
  readonly haLevel: Reading<HaLevel>;
  /** `lssrc -ls clstrmgrES` */
  readonly clusterManager: Reading<ClusterManagerLevels>;
  /** `odmget HACMPcluster` */
  readonly clusterVersion: Reading<number>;
  /** `odmget HACMPnode` */
  readonly nodeVersions: Reading<readonly number[]>;
  /** `lsrpnode`: all nodes of the RSCT peer domain, as this one sees them */
  readonly peerNodes: Reading<readonly PeerNode[]>;
  /** `emgr -l`, for root only */
  readonly interimFixes: Reading<readonly InterimFix[]>;
  /** `lppchk -v` */
  readonly consistency: Reading<Consistency>;
  /** `getconf KERNEL_BITMODE`: `32` or `64` */
  readonly kernel: Reading<string>;
  /** `lsmcode -c` */
  readonly firmware: Reading<string>;
}

/** Name of a question. */
export type ProbeName = keyof Readings;

/** One node as it answered. */
export interface NodeTranscript {
  /** Cluster node name. */
  readonly node: string;
  /** When the node was asked: UTC, ISO 8601. */
  readonly askedAt: string;
  /** Why the node as a whole could not be asked; `null` when it was. */
  readonly unreachable: string | null;
  readonly answers: Readonly<Partial<Record<ProbeName, Answer>>>;
}

/** One node as it was understood. */
export interface NodeLevels {
  /** Cluster node name. */
  readonly node: string;
  /** When the node was asked: UTC, ISO 8601. */
  readonly askedAt: string;
  /** Why the node as a whole could not be asked; `null` when it was. */
  readonly unreachable: string | null;
  readonly readings: Readings;
}

/** The software levels of all nodes of one cluster at one time. */
export interface Snapshot {
  /** In the order of node names. */
  readonly nodes: readonly NodeLevels[];
}

/** Rows that nodes share. */
interface RowTables {
  readonly listing: RowTable;
  readonly parts: PartTable;
}

type EndedAnswer = Extract<Answer, { kind: 'ended' }>;

interface Probe<T> {
  readonly argv: readonly [program: string, ...args: string[]];
  /** A stuck rpm database blocks `oslevel` and `lslpp -L` for ever. */
  readonly timeoutSeconds: number;
  readonly read: (answer: EndedAnswer, rows: RowTables) => Reading<T>;
}

/** The reading of a question that was left out on purpose. */
export const notAsked: Reading<never> = { kind: 'not-assessed', reason: 'not asked' };

const nothingListed: Reading<never> = {
  kind: 'not-assessed',
  reason: 'ended with 0 and listed nothing, which no AIX system can mean',
};

/** Every question: its command, its deadline, and what its answers mean. */
export const probes: { readonly [Name in ProbeName]: Probe<Extract<Readings[Name], { kind: 'data' }>['value']> } = {
  listing: {
    argv: ['lslpp', '-Lc'],
    timeoutSeconds: 120,
    read: onSuccess((stdout, rows) => {
      const value = parseListing(stdout, rows.listing);
      return value.length > 0 ? data(value) : nothingListed;
    }),
  },
  parts: {
    argv: ['lslpp', '-lc'],
    timeoutSeconds: 120,
    read: onSuccess((stdout, rows) => {
      const value = parseParts(stdout, rows.parts);
      return value.length > 0 ? data(value) : nothingListed;
    }),
  },
  osLevel: {
    argv: ['oslevel', '-s'],
    timeoutSeconds: 90,
    read: onSuccess((stdout) => data(parseOsLevel(stdout))),
  },
  haLevel: {
    argv: ['halevel', '-s'],
    timeoutSeconds: 30,
    read: onSuccess((stdout) => data(parseHaLevel(stdout))),
  },
  clusterManager: {
    argv: ['lssrc', '-ls', 'clstrmgrES'],
    timeoutSeconds: 30,
    read: (answer, rows) => {
      const { stdout, stderr } = answer;
      // The subsystem is not defined: no cluster software of that family is installed.
      if (answer.exitCode !== 0 && /not on file/.test(stdout + stderr)) return empty(stderr || stdout);
      return onSuccess((text) => data(parseClusterManagerLevels(text)))(answer, rows);
    },
  },
  clusterVersion: {
    argv: ['odmget', 'HACMPcluster'],
    timeoutSeconds: 30,
    read: onSuccess((stdout) => {
      const version = parseClusterVersion(stdout);
      return version === null ? empty('no cluster is defined') : data(version);
    }),
  },
  nodeVersions: {
    argv: ['odmget', 'HACMPnode'],
    timeoutSeconds: 30,
    read: onSuccess((stdout) => {
      const versions = parseNodeVersions(stdout);
      return versions.length === 0 ? empty('no node is defined') : data(versions);
    }),
  },
  peerNodes: {
    argv: ['lsrpnode'],
    timeoutSeconds: 30,
    read: onSuccess((stdout) => {
      const peers = parsePeerNodes(stdout);
      return peers.length === 0 ? empty('no node is in a peer domain') : data(peers);
    }),
  },
  interimFixes: {
    argv: ['emgr', '-l'],
    timeoutSeconds: 60,
    read: (answer, rows) => {
      // With no fix at all emgr says so on stderr and ends with 0. Its mode is 500: others than root cannot even start it.
      const said = answer.stdout.trim() === '' ? answer.stderr : answer.stdout;
      if (answer.exitCode === 0 && parseInterimFixes(said).length === 0) return empty(said);
      if (answer.exitCode === 126 || answer.exitCode === 127) return notAssessed(`root only: ${failure(answer)}`);
      return onSuccess((stdout) => data(parseInterimFixes(stdout)))(answer, rows);
    },
  },
  consistency: {
    argv: ['lppchk', '-v'],
    timeoutSeconds: 300,
    read: (answer) => {
      const said = answer.stdout + answer.stderr;
      if (answer.exitCode === 126 || answer.exitCode === 127) return notAssessed(failure(answer));
      if (answer.exitCode !== 0 && said.trim() === '') return notAssessed(failure(answer));
      return data(parseConsistency(said));
    },
  },
  kernel: {
    argv: ['getconf', 'KERNEL_BITMODE'],
    timeoutSeconds: 30,
    read: onSuccess((stdout) => {
      const mode = stdout.trim();
      return mode === '32' || mode === '64' ? data(mode) : notAssessed(`neither 32 nor 64: ${mode.slice(0, 80)}`);
    }),
  },
  firmware: {
    argv: ['lsmcode', '-c'],
    timeoutSeconds: 60,
    read: onSuccess((stdout) => data(parseSystemFirmware(stdout))),
  },
};

/** Names of all questions, in the order in which they are asked. */
export const probeNames = Object.keys(probes) as readonly ProbeName[];

/** The command of a question, as typed. */
export function commandOf(name: ProbeName): string {
  return probes[name].argv.join(' ');
}

/**
 * A node of which nothing is known but a saved list, as `compare_report` takes them too.
 *
 * @param text What `lslpp -Lc` or `lslpp -Lqc` printed.
 * @param askedAt When: UTC, ISO 8601.
 */
export function listingTranscript(node: string, text: string, askedAt: string): NodeTranscript {
  const answer: Answer = { kind: 'ended', exitCode: 0, stdout: text, stderr: '' };
  return { node, askedAt, unreachable: null, answers: { listing: answer } };
}

/** Understands what the nodes of a cluster answered. */
export function readTranscripts(transcripts: Iterable<NodeTranscript>): Snapshot {
  const reader = snapshotReader();
  for (const transcript of transcripts) reader.add(transcript);
  return reader.snapshot();
}

/** Understands one node after the other. Rows that several nodes share are read, and kept, once. */
export function snapshotReader(): { add(transcript: NodeTranscript): void; snapshot(): Snapshot } {
  const rows: RowTables = { listing: new Map(), parts: new Map() };
  const nodes: NodeLevels[] = [];
  return {
    add: (transcript) => void nodes.push(readTranscript(transcript, rows)),
    snapshot: () => ({ nodes: nodes.toSorted((a, b) => (a.node < b.node ? -1 : 1)) }),
  };
}

function readTranscript(transcript: NodeTranscript, rows: RowTables): NodeLevels {
  const { node, askedAt, unreachable } = transcript;
  const answer = <T>(name: ProbeName, { read }: Probe<T>): Reading<T> => {
    const said = transcript.answers[name];
    if (said === undefined) return unreachable === null ? notAsked : notAssessed(unreachable);
    if (said.kind === 'unanswered') return notAssessed(said.reason);
    try {
      return read(said, rows);
    } catch (error) {
      if (error instanceof ParseError) return notAssessed(error.message);
      throw error;
    }
  };
  const readings: Readings = {
    listing: answer('listing', probes.listing),
    parts: answer('parts', probes.parts),
    osLevel: answer('osLevel', probes.osLevel),
    haLevel: answer('haLevel', probes.haLevel),
    clusterManager: answer('clusterManager', probes.clusterManager),
    clusterVersion: answer('clusterVersion', probes.clusterVersion),
    nodeVersions: answer('nodeVersions', probes.nodeVersions),
    peerNodes: answer('peerNodes', probes.peerNodes),
    interimFixes: answer('interimFixes', probes.interimFixes),
    consistency: answer('consistency', probes.consistency),
    kernel: answer('kernel', probes.kernel),
    firmware: answer('firmware', probes.firmware),
  };
  return { node, askedAt, unreachable, readings };
}

function data<T>(value: T): Reading<T> {
  return { kind: 'data', value };
}

function empty(says: string): Reading<never> {
  return { kind: 'empty', says: says.trim() };
}

function notAssessed(reason: string): Reading<never> {
  return { kind: 'not-assessed', reason };
}

/** A status other than 0 is no answer, whatever was printed. */
function onSuccess<T>(read: (stdout: string, rows: RowTables) => Reading<T>): Probe<T>['read'] {
  return (answer, rows) => (answer.exitCode === 0 ? read(answer.stdout, rows) : notAssessed(failure(answer)));
}

function failure({ exitCode, stdout, stderr }: EndedAnswer): string {
  const said = (stderr.trim() || stdout.trim()).split('\n')[0] ?? '';
  return `ended with ${exitCode}${said === '' ? ' and said nothing' : `: ${said.slice(0, 200)}`}`;
}
