import { parseAddresses } from './addresses.ts';
import { parseAttributes } from './attributes.ts';
import { parseClusterStatus } from './clstat.ts';
import { parseClusterManager } from './cluster-manager.ts';
import { parseGroupFileSystems } from './group-file-systems.ts';
import { parseGroupMove } from './group-move.ts';
import { parseResources } from './group-resources.ts';
import { parseGroupServices } from './group-services.ts';
import { parseFoundGroups, parseGroupTable } from './group-table.ts';
import { parseFilesets, parseHaLevel } from './levels.ts';
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
import { parseTopology } from './topology.ts';
import { parseLogicalVolumes, parseVolumeGroup } from './volume-groups.ts';

/** Reads the output of a command; throws `ParseError` and nothing else. */
export type Reader = (text: string) => unknown;

/**
 * Finds the reader for a command by its name and options, as typed: `clRGinfo -s`, `/usr/sbin/lscluster -m`,
 * `lssrc -a | grep cl`.
 *
 * @returns `undefined` for a command, or a form of one, whose output nobody has documented well enough.
 */
export function readerOf(command: string): Reader | undefined {
  return readers.find(({ shape }) => shape.test(normal(command)))?.read;
}

/** The command without its directory, and with single blanks. */
function normal(command: string): string {
  return command
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/^\S*\//, '');
}

/** The first that fits is taken, so the narrower form comes before the wider. */
const readers: readonly { readonly shape: RegExp; readonly read: Reader }[] = [
  { shape: /^clcmd\b/, read: parseNodeOutputs },
  { shape: /^(clrsh|cl_rsh)\b/, read: (text) => parseRemoteOutput(text) },
  { shape: /^lssrc -ls clstrmgrES\b/, read: parseClusterManager },
  { shape: /^lssrc -ls (cthags|grpsvcs)\b/, read: parseGroupServices },
  { shape: /^lssrc -[ags]\b/, read: parseSubsystems },
  { shape: /^clshowsrv\b/, read: parseShownServices },
  { shape: /^(clRGinfo|clfindres) (.* )?-[sc]\b/, read: parseGroupRows },
  { shape: /^clRGinfo( -h)?( [A-Za-z_][\w.-]*)*( \(.*)?$/, read: parseGroupTable },
  { shape: /^clfindres\b/, read: readFoundGroups },
  { shape: /^clRGmove\b/, read: parseGroupMove },
  { shape: /^clmgr (.* )?move (resource_group|rg)\b/, read: parseGroupMove },
  { shape: /^clmgr -cv .*name,state,raw_state query node\b/, read: parseNodeStates },
  { shape: /^clmgr -cv .*query\b/, read: parseColonTable },
  { shape: /^(clmgr|clvt)( -\w+)* (-a [\w,]+ )?query (cluster\b|\w+ [^-\s(])/, read: parseAttributes },
  { shape: /^clmgr query \w+/, read: parseNames },
  { shape: /^cltopinfo( \(.*)?$/, read: parseTopology },
  { shape: /^clshowres\b/, read: parseResources },
  { shape: /^cllsfs\b/, read: parseGroupFileSystems },
  { shape: /^cllsnode\b/, read: parseConfiguredNodes },
  { shape: /^(cllsgrp|clgetactivenodes|clodmget -n -f name HACMPnode)\b/, read: parseNames },
  { shape: /^get_local_nodename\b/, read: parseLocalNodeName },
  { shape: /^lscluster -m\b/, read: parseMembership },
  { shape: /^lscluster -[id]\b/, read: parseReporting },
  { shape: /^ifconfig -a\b/, read: parseAddresses },
  { shape: /^lsrpnode\b/, read: parsePeerNodes },
  { shape: /^odmget HACMPnode \| grep (-i )?version\b/, read: parseOdmVersions },
  { shape: /^odmget\b/, read: parseOdmObjects },
  { shape: /^snmpinfo\b/, read: parseVarbinds },
  { shape: /^clstat\b/, read: parseClusterStatus },
  { shape: /^halevel -s\b/, read: parseHaLevel },
  { shape: /^lslpp (-c -l|-l -c|-cl|-lc)\b/, read: parseFilesets },
  { shape: /^lsvg -l\b/, read: parseLogicalVolumes },
  { shape: /^lsvg [^-]/, read: parseVolumeGroup },
  { shape: /^mount( \(.*)?$/, read: parseMounts },
];

/** The same name prints one row a group up to 4.x and a row for each node from 5.x on. */
function readFoundGroups(text: string): unknown {
  return /^\s*GroupName\b/m.test(text) ? parseFoundGroups(text) : parseGroupTable(text);
}
