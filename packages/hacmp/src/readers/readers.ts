import { readTypedCommand, type TypedCommand, withoutPrompts } from '@splitmirror/host';
import { parseAddresses } from './addresses.ts';
import { parseAttributes } from './attributes.ts';
import { parseClusterStatus } from './clstat.ts';
import { parseClusterManager } from './cluster-manager.ts';
import { parseGroupFileSystems } from './group-file-systems.ts';
import { parseGroupMove } from './group-move.ts';
import { parseResources } from './group-resources.ts';
import { parseGroupServices } from './group-services.ts';
import { parseFoundGroups, parseGroupTable } from './group-table.ts';
import { parseFilesets, parseHaLevel, parseNodeLevels } from './levels.ts';
import { parseMembership, parseReporting } from './membership.ts';
import { parseMounts } from './mounts.ts';
import { parseLocalNodeName } from './node-name.ts';
import { parseColonTable, parseNodeStates } from './node-states.ts';
import { parseConfiguredNodes, parseNames, parsePeerNodes } from './nodes.ts';
import { parseOdmObjects, parseOdmVersions } from './odm.ts';
import { parseNodeOutputs, parseRemoteOutput } from './remote-output.ts';
import { parseGroupRows } from './resource-groups.ts';
import { parseShownServices } from './shown-services.ts';
import { parseVarbinds } from './snmp.ts';
import { parseSubsystems } from './subsystems.ts';
import { parseSynchronisation } from './synchronisation.ts';
import { parseTopology } from './topology.ts';
import { parseLogicalVolumes, parseVolumeGroup } from './volume-groups.ts';

/** Reads the output of a command; throws `ParseError` and nothing else. */
export type Reader = (text: string) => unknown;

/**
 * Finds the reader for a command by its name and options, as typed: `clRGinfo -s`, `/usr/sbin/lscluster -m`,
 * `LANG=C sudo lssrc -a | grep cl`. Under `clcmd` and through `clrsh` it reads what the command printed there. A first line
 * that repeats the command behind a prompt, and the prompt after its output, are the terminal's and left out.
 *
 * @returns `undefined` for a command, or a form of one, whose output nobody has documented well enough.
 */
export function readerOf(command: string): Reader | undefined {
  const typed = readTypedCommand(command, (program) => Object.hasOwn(readers, program));
  const read = Object.hasOwn(readers, typed.program) ? readers[typed.program]?.(typed) : undefined;
  return read && ((text) => read(withoutPrompts(text, typed)));
}

const readers: Readonly<Record<string, (typed: TypedCommand) => Reader | undefined>> = {
  clcmd: ({ words, rest }) => readNodeOutputs(readerOf(`${words.join(' ').replace(/^(-[nm] \S+ )*/, '')} ${rest}`)),
  clrsh: ({ words, rest }) => readRemoteOutput(readerOf(`${words.slice(1).join(' ')} ${rest}`)),
  cl_rsh: ({ words, rest }) => readRemoteOutput(readerOf(`${words.slice(1).join(' ')} ${rest}`)),
  lssrc({ options, operands: [subsystem] }) {
    if (!options.includes('l')) return /[ags]/.test(options) ? parseSubsystems : undefined;
    if (subsystem === 'clstrmgrES') return parseClusterManager;
    return subsystem === 'cthags' || subsystem === 'grpsvcs' ? parseGroupServices : undefined;
  },
  clshowsrv: ({ rest }) => (/grep .*state/i.test(rest) ? parseClusterManager : parseShownServices),
  clRGinfo({ options }) {
    if (/[sc]/.test(options)) return parseGroupRows;
    return /^h?$/.test(options) ? parseGroupTable : undefined;
  },
  clfindres: ({ options }) => readFoundGroups(options.includes('s') ? parseGroupRows : parseGroupTable),
  clRGmove: () => parseGroupMove,
  clmgr: readerOfClmgr,
  clvt: readerOfClmgr,
  cldare: () => parseSynchronisation,
  cltopinfo: ({ options }) => (options === '' ? parseTopology : undefined),
  clshowres: () => parseResources,
  cllsfs: () => parseGroupFileSystems,
  cllsnode: () => parseConfiguredNodes,
  cllsgrp: () => parseNames,
  clgetactivenodes: () => parseNames,
  clodmget: ({ words }) => (words.join(' ') === '-n -f name HACMPnode' ? parseNames : undefined),
  get_local_nodename: () => parseLocalNodeName,
  lscluster: ({ options }) => ({ m: parseMembership, i: parseReporting, d: parseReporting })[options],
  ifconfig: ({ options }) => (options === 'a' ? parseAddresses : undefined),
  lsrpnode: ({ options }) => (options === '' ? parsePeerNodes : undefined),
  odmget: ({ rest }) => (/grep .*version/i.test(rest) ? parseOdmVersions : parseOdmObjects),
  snmpinfo: () => parseVarbinds,
  clstat: () => parseClusterStatus,
  halevel: ({ options }) => (options === 's' ? parseHaLevel : undefined),
  clhaver: () => parseNodeLevels,
  lslpp: ({ options }) => (/^(cl|lc)$/.test(options) ? parseFilesets : undefined),
  lsvg({ options, operands }) {
    if (options === 'l') return parseLogicalVolumes;
    return options === '' && operands.length === 1 ? parseVolumeGroup : undefined;
  },
  mount: ({ words }) => (words.length === 0 ? parseMounts : undefined),
};

/** `clmgr [-OPTIONS] [-a ATTRIBUTES] ACTION CLASS [NAME] [ATTRIBUTE=VALUE...]`, and `clvt`, which came before it. */
function readerOfClmgr({ words }: TypedCommand): Reader | undefined {
  const start = words.findIndex((word) => /^(q|query|move|online|offline|start|stop|sync)$/.test(word));
  const [action = '', kind = '', name] = start === -1 ? [] : words.slice(start);
  const group = kind === 'resource_group' || kind === 'rg';
  const options = words.slice(0, start).join(' ');
  if (action === 'sync') return kind === 'cluster' ? parseSynchronisation : undefined;
  if (!action.startsWith('q')) return group ? parseGroupMove : undefined;
  if (/(^| )-\w*[dx]/.test(options)) return undefined;
  if (/(^| )-\w*c/.test(options)) {
    if (!/(^| )-\w*v/.test(options)) return undefined;
    const states = ['name', 'state', 'raw_state'].every((attribute) => new RegExp(`\\b${attribute}\\b`).test(options));
    return kind === 'node' && states ? parseNodeStates : parseColonTable;
  }
  return name === undefined && kind !== 'cluster' && options === '' ? parseNames : parseAttributes;
}

/** The same name prints one row a group up to 4.x, whatever its options, and a row for each node from 5.x on. */
function readFoundGroups(later: Reader): Reader {
  return (text) => (/^\s*GroupName\b/m.test(text) ? parseFoundGroups(text) : later(text));
}

function readNodeOutputs(read: Reader | undefined): Reader {
  return (text) => {
    const outputs = parseNodeOutputs(text);
    return read ? outputs.map(({ node, output }) => ({ node, output, value: read(output) })) : outputs;
  };
}

function readRemoteOutput(read: Reader = (text) => text): Reader {
  return (text) => read(parseRemoteOutput(text));
}
