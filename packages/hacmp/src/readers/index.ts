// Everything that reads what a command of HACMP prints. A door of its own: a bundler that takes one reader takes nothing else.
export { type LocalAddress, parseAddresses } from './addresses.ts';
export { parseAttributes } from './attributes.ts';
export { type ClusterStatus, type NodeStatus, parseClusterStatus } from './clstat.ts';
export {
  type ClusterManager,
  type ManagerMeaning,
  managerMeaning,
  parseClusterManager,
} from './cluster-manager.ts';
export { type GroupFileSystem, parseGroupFileSystems } from './group-file-systems.ts';
export { type GroupMove, parseGroupMove } from './group-move.ts';
export {
  type GroupContents,
  type GroupResources,
  parseResources,
  type ShownResources,
} from './group-resources.ts';
export { type GroupServices, parseGroupServices, type ServiceGroup } from './group-services.ts';
export { type FoundGroup, parseFoundGroups, parseGroupTable } from './group-table.ts';
export {
  type Fileset,
  type HaLevel,
  hasHacmp,
  type NodeLevel,
  parseFilesets,
  parseHaLevel,
  parseNodeLevels,
} from './levels.ts';
export { type Member, parseMembership, parseReporting, type Reporting } from './membership.ts';
export { type Mount, parseMounts } from './mounts.ts';
export { parseLocalNodeName } from './node-name.ts';
export { type ColonTable, type NodeState, parseColonTable, parseNodeStates } from './node-states.ts';
export {
  type ConfiguredNode,
  type NodeInterface,
  type PeerNode,
  parseConfiguredNodes,
  parseNames,
  parsePeerNodes,
} from './nodes.ts';
export { type OdmObject, parseOdmObjects, parseOdmVersions } from './odm.ts';
export { type Reader, readerOf } from './readers.ts';
export { type NodeOutput, parseNodeOutputs, parseRemoteOutput } from './remote-output.ts';
export {
  type GroupInstance,
  type GroupRow,
  meaningOf,
  parseGroupRows,
  type StateMeaning,
} from './resource-groups.ts';
export { type NodeServices, parseShownServices, type ShownServices } from './shown-services.ts';
export { parseSnmpCluster, parseVarbinds, type SnmpCluster, type Varbind } from './snmp.ts';
export { parseSubsystems, type Subsystem } from './subsystems.ts';
export { parseSynchronisation, type Synchronisation } from './synchronisation.ts';
export { parseTopology, type Topology, type TopologyGroup } from './topology.ts';
export {
  type LogicalVolume,
  parseLogicalVolumes,
  parseVolumeGroup,
  type VolumeGroup,
} from './volume-groups.ts';
