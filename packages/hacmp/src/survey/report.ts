import {
  type Command,
  ParseError,
  reads,
  renderCommand,
  type Script,
  type Step,
  type StepResult,
} from '@splitmirror/host';
import { type LocalAddress, parseAddresses } from '../readers/addresses.ts';
import { type ClusterManager, parseClusterManager } from '../readers/cluster-manager.ts';
import { parseResources, type ShownResources } from '../readers/group-resources.ts';
import { type Member, parseMembership } from '../readers/membership.ts';
import { type Mount, parseMounts } from '../readers/mounts.ts';
import { parseLocalNodeName } from '../readers/node-name.ts';
import { type NodeState, parseNodeStates } from '../readers/node-states.ts';
import { type ConfiguredNode, type PeerNode, parseConfiguredNodes, parsePeerNodes } from '../readers/nodes.ts';
import { type GroupRow, parseGroupRows } from '../readers/resource-groups.ts';
import {
  absenceOf,
  type LogicalVolume,
  parseLogicalVolumes,
  parseVolumeGroup,
  type VolumeGroup,
} from '../readers/volume-groups.ts';
import type { Silence } from './silence.ts';

/** What became of one question to one node. */
export type Answer<T> =
  | { readonly kind: 'read'; readonly source: string; readonly value: T }
  /** The command is not installed: this level of HACMP or AIX does not have it. */
  | { readonly kind: 'absent'; readonly source: string }
  | {
      readonly kind: 'unusable';
      readonly source: string;
      readonly code: 'COMMAND_FAILED' | 'COMMAND_TIMEOUT' | 'COMMAND_UNFINISHED' | 'ANSWER_UNREADABLE';
      /** What it said instead. */
      readonly seen: string;
    };

/** A volume group on one node. */
export interface StorageAnswer {
  /** A volume group that is varied off or not defined here is an answer, not a failure. */
  readonly detail: Answer<VolumeGroup | 'varied off' | 'not defined'>;
  /** Empty when the volume group is not varied on here. */
  readonly volumes: Answer<readonly LogicalVolume[]>;
}

/** What one node said when it was asked once, or why it could not be asked. Plain JSON. */
export type NodeReport =
  | {
      readonly kind: 'answered';
      /** Cluster node name under which it was asked. */
      readonly node: string;
      readonly localName: Answer<string>;
      readonly manager: Answer<ClusterManager>;
      readonly groups: Answer<readonly GroupRow[]>;
      readonly nodeStates: Answer<readonly NodeState[]>;
      readonly membership: Answer<readonly Member[]>;
      /** What RSCT holds of the other nodes. */
      readonly peers: Answer<readonly PeerNode[]>;
      /** Configured labels with their addresses. */
      readonly labels: Answer<readonly ConfiguredNode[]>;
      /** Addresses that this node has now. */
      readonly addresses: Answer<readonly LocalAddress[]>;
      readonly resources: Answer<ShownResources>;
      readonly mounts: Answer<readonly Mount[]>;
      /** By volume group, for those that were asked about. */
      readonly storage: Readonly<Record<string, StorageAnswer>>;
    }
  | Silence;

const questions = {
  localName: ask('get_local_nodename', 15),
  manager: ask('lssrc', 15, '-ls', 'clstrmgrES'),
  groups: ask('clRGinfo', 60, '-s'),
  nodeStates: ask('clmgr', 120, '-cv', '-a', 'name,state,raw_state', 'query', 'node'),
  membership: ask('lscluster', 30, '-m'),
  peers: ask('lsrpnode', 15),
  labels: ask('cllsnode', 60),
  addresses: ask('ifconfig', 15, '-a'),
  resources: ask('clshowres', 120),
  mounts: ask('mount', 30),
};

/** Everything that is asked of a node in one round trip; with volume groups also how they stand there. */
export function surveyScript(volumeGroups: readonly string[]): Script {
  return {
    steps: [
      ...Object.entries(questions).map(([id, question]) => step(id, question)),
      ...volumeGroups.flatMap((name) => storageSteps(name)),
    ],
  };
}

/** The part of a survey that a proof needs when it is taken again on the holder. */
export function proofScript(volumeGroups: readonly string[]): Script {
  const { localName, manager, groups, nodeStates, mounts } = questions;
  return {
    steps: [
      ...Object.entries({ localName, manager, groups, nodeStates, mounts }).map(([id, question]) => step(id, question)),
      ...volumeGroups.map((name) => step(`vg:${name}`, ask('lsvg', 30, name))),
    ],
  };
}

/** Puts the answers of one node together. A step that was not part of the script counts as unfinished. */
export function reportOf(node: string, steps: readonly StepResult[], volumeGroups: readonly string[]): NodeReport {
  const results = new Map(steps.map((result) => [result.id, result]));
  const read = <T>(id: keyof typeof questions, parse: (text: string) => T): Answer<T> =>
    answerOf(renderCommand(questions[id].command), results.get(id), parse);
  return {
    kind: 'answered',
    node,
    localName: read('localName', parseLocalNodeName),
    manager: read('manager', parseClusterManager),
    groups: read('groups', parseGroupRows),
    nodeStates: read('nodeStates', parseNodeStates),
    membership: read('membership', parseMembership),
    peers: read('peers', parsePeerNodes),
    labels: read('labels', parseConfiguredNodes),
    addresses: read('addresses', parseAddresses),
    resources: read('resources', parseResources),
    mounts: read('mounts', parseMounts),
    storage: Object.fromEntries(volumeGroups.map((name) => [name, storageOf(name, results)])),
  };
}

interface Question {
  readonly command: Command;
  readonly timeoutSeconds: number;
}

function ask(program: string, timeoutSeconds: number, ...args: string[]): Question {
  return { command: reads(program, ...args), timeoutSeconds };
}

function step(id: string, { command, timeoutSeconds }: Question): Step {
  return { id, run: command, timeoutSeconds, onFailure: 'continue' };
}

function storageSteps(name: string): Step[] {
  return [step(`vg:${name}`, ask('lsvg', 30, name)), step(`lvs:${name}`, ask('lsvg', 30, '-l', name))];
}

function storageOf(name: string, results: ReadonlyMap<string, StepResult>): StorageAnswer {
  return {
    detail: unlessAbsent(answerOf(`lsvg ${name}`, results.get(`vg:${name}`), parseVolumeGroup), (absence) => absence),
    volumes: unlessAbsent(answerOf(`lsvg -l ${name}`, results.get(`lvs:${name}`), parseLogicalVolumes), () => []),
  };
}

/** A failed `lsvg` whose message names the reason that a standby gives. */
function unlessAbsent<T, U>(answer: Answer<T>, value: (absence: 'varied off' | 'not defined') => U): Answer<T | U> {
  if (answer.kind !== 'unusable' || answer.code !== 'COMMAND_FAILED') return answer;
  const absence = absenceOf(answer.seen);
  return absence ? { kind: 'read', source: answer.source, value: value(absence) } : answer;
}

function answerOf<T>(source: string, result: StepResult | undefined, parse: (text: string) => T): Answer<T> {
  if (result?.kind === 'timed-out') return { kind: 'unusable', source, code: 'COMMAND_TIMEOUT', seen: said(result) };
  if (result?.kind !== 'ended') {
    return { kind: 'unusable', source, code: 'COMMAND_UNFINISHED', seen: 'the command was not run to its end' };
  }
  if (result.exitCode === 127) return { kind: 'absent', source };
  // clmgr of 7.2.7 can end with 0 although it has failed, 0513 are the messages of lssrc, and lscluster warns of what it could
  // not reach: then only stderr tells.
  if (result.exitCode !== 0 || /^(?:ERROR:|0513-|lscluster:)/m.test(result.stderr)) {
    return { kind: 'unusable', source, code: 'COMMAND_FAILED', seen: `exit code ${result.exitCode}\n${said(result)}` };
  }
  try {
    return { kind: 'read', source, value: parse(result.stdout) };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { kind: 'unusable', source, code: 'ANSWER_UNREADABLE', seen: error.message };
  }
}

function said({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): string {
  return `${stderr}\n${stdout}`.trim().slice(0, 400);
}
