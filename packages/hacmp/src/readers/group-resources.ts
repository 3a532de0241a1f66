import { ParseError } from '@splitmirror/host';

/** A resource group as it is configured: no word about where it is. */
export interface GroupResources {
  readonly group: string;
  /** Participating nodes in priority order. */
  readonly nodes: readonly string[];
  /** For instance `Online On Home Node Only`. */
  readonly startup: string;
  readonly fallover: string;
  readonly fallback: string;
  /** Empty where this level tells none. */
  readonly site: string;
  /** Mount points; `ALL`: every file system of the volume groups, which LVM has to tell. */
  readonly fileSystems: readonly string[] | 'ALL';
  readonly volumeGroups: readonly string[];
  readonly concurrentVolumeGroups: readonly string[];
  readonly applications: readonly string[];
  readonly serviceLabels: readonly string[];
  /** Every label with its value as printed; empty values are common. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What a resource group consists of. */
export interface GroupContents {
  readonly volumeGroups: readonly string[];
  /** Mount points; `ALL` means every file system of the volume groups. */
  readonly fileSystems: readonly string[] | 'ALL';
}

/** Answer of `clshowres`. */
export interface ShownResources {
  readonly groups: readonly GroupResources[];
  /** Nodes of the run-time parameters: all nodes of the cluster. */
  readonly runTimeNodes: readonly string[];
}

const source = 'clshowres';
/** Values start at column 53. */
const labelWidth = 52;
/** Their values are lists of names, or sentences: they may be long enough to be wrapped. */
const longValued =
  /^(.* Policy|Participating Node Name\(s\)|Service IP Label|Filesystems|(Concurrent )?Volume Groups|(Raw )?Disks|Application Servers)$/;
/** Labels that may come without a value below those. Other words alone on a line there are the rest of a value. */
const emptyLabels = new Set([
  'Site Relationship',
  'Node Priority',
  'Dynamic Node Priority',
  'Service IP Label',
  'HTY Service Label',
  'Filesystems',
  'Filesystems Consistency Check',
  'Filesystems Recovery Method',
  'Filesystems to be exported',
  'Filesystems/Directories to be exported (NFSv3)',
  'Filesystems/Directories to be exported (NFSv4)',
  'Filesystems to be NFS mounted',
  'Network For NFS Mount',
  'Filesystem/Directory for NFSv4 Stable Storage',
  'Volume Groups',
  'Concurrent Volume Groups',
  'Disks',
  'Raw Disks',
  'GMVG Replicated Resources',
  'GMD Replicated Resources',
  'PPRC Replicated Resources',
  'SVC PPRC Replicated Resources',
  'EMC SRDF? Replicated Resources',
  'Hitachi TrueCopy? Replicated Resources',
  'Generic XD Replicated Resources',
  'AIX Connections Services',
  'AIX Fast Connect Services',
  'Shared Tape Resources',
  'Application Servers',
  'Communication Links',
  'Highly Available Communication Links',
  'Primary Workload Manager Class',
  'Secondary Workload Manager Class',
  'Delayed Fallback Timer',
  'Miscellaneous Data',
  'Inactive Takeover',
  'WPAR Name',
]);

/**
 * Reads what `clshowres` prints: for each group lines of a label and a value, then the run-time parameters.
 *
 * @throws {@link ParseError} at a line that is neither, at the rest of a value that was wrapped, and when groups or
 *   run-time parameters are cut off.
 */
export function parseResources(text: string): ShownResources {
  const groups: Record<string, string>[] = [];
  const runTime: [label: string, value: string][] = [];
  let inRunTime = false;
  let wrappable = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const at = { line: index + 1, text: line };
    if (line.trimEnd() === 'Run Time Parameters:') {
      inRunTime = true;
      continue;
    }
    const label = line.slice(0, labelWidth).trimEnd();
    const value = line.slice(labelWidth).trim();
    const split = line.length < labelWidth || line[labelWidth - 1] === ' ';
    // Two blanks within a label: the value has come out of its column.
    if (!split || !/^[A-Z][\w ()/,?.-]*$/.test(label) || label.includes('  '))
      throw new ParseError(source, 'not a label and its value', at);
    if (wrappable && value === '' && !emptyLabels.has(label)) throw new ParseError(source, 'the rest of a value', at);
    wrappable = value !== '' && longValued.test(label);
    if (label === 'Resource Group Name') {
      if (value === '') throw new ParseError(source, 'a group without a name', at);
      inRunTime = false;
      groups.push({});
    }
    const group = groups.at(-1);
    if (inRunTime) {
      runTime.push([label, value]);
    } else if (!group) {
      throw new ParseError(source, 'no "Resource Group Name" before it', at);
    } else if (Object.hasOwn(group, label)) {
      throw new ParseError(source, 'the label comes twice in one group', at);
    } else {
      group[label] = value;
    }
  }
  if (groups.length === 0 || !inRunTime) {
    throw new ParseError(source, 'no group, or no run-time parameters after it', { line: 1, text });
  }
  const shown = groups.map(toGroup);
  const runTimeNodes = nodesOf(runTime);
  const lost = shown.flatMap(({ nodes }) => nodes).find((node) => !runTimeNodes.includes(node));
  if (lost !== undefined) {
    throw new ParseError(source, 'no run-time parameters of a participating node', { line: 1, text: lost });
  }
  return { groups: shown, runTimeNodes };
}

function toGroup(attributes: Record<string, string>): GroupResources {
  const value = (label: string): string => {
    if (Object.hasOwn(attributes, label)) return attributes[label] ?? '';
    const group = attributes['Resource Group Name'] ?? '';
    throw new ParseError(source, `group ${group} has no line "${label}"`, { line: 1, text: group });
  };
  const words = (label: string) => value(label).split(/\s+/).filter(Boolean);
  const fileSystems = words('Filesystems');
  return {
    group: value('Resource Group Name'),
    nodes: words('Participating Node Name(s)'),
    startup: value('Startup Policy'),
    fallover: value('Fallover Policy'),
    fallback: value('Fallback Policy'),
    site: attributes['Site Relationship'] ?? '',
    fileSystems: fileSystems.length === 1 && fileSystems[0] === 'ALL' ? 'ALL' : fileSystems,
    volumeGroups: words('Volume Groups').map(volumeGroupName),
    concurrentVolumeGroups: words('Concurrent Volume Groups').map(volumeGroupName),
    applications: words('Application Servers'),
    serviceLabels: words('Service IP Label'),
    attributes,
  };
}

/** The name becomes an argument of `lsvg`: nothing else than a name may get there. */
function volumeGroupName(word: string): string {
  if (!/^[A-Za-z_][\w.-]{0,31}$/.test(word))
    throw new ParseError(source, 'not a volume group', { line: 1, text: word });
  return word;
}

/** Every node tells the same labels, so a block that tells fewer than the first was cut off. */
function nodesOf(runTime: readonly (readonly [label: string, value: string])[]): string[] {
  const starts = runTime.flatMap(([label], index) => (label === 'Node Name' ? [index] : []));
  const names = starts.map((start) => runTime[start]?.[1] ?? '');
  const size = runTime.length / starts.length;
  if (
    starts[0] !== 0 ||
    runTime.some(([, value]) => value === '') ||
    starts.some((start, index) => start !== index * size)
  ) {
    throw new ParseError(source, 'run-time parameters are not whole', { line: 1, text: runTime.join(' ') });
  }
  return [...new Set(names)];
}

/** What a configured group consists of, sorted. */
export function toContents(resources: GroupResources): GroupContents {
  const volumeGroups = [...new Set([...resources.volumeGroups, ...resources.concurrentVolumeGroups])].sort();
  const { fileSystems } = resources;
  return { volumeGroups, fileSystems: fileSystems === 'ALL' ? 'ALL' : [...fileSystems].sort() };
}
