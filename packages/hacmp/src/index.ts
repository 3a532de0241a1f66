export { type ReleaseScriptOptions, releaseScript } from './node-scripts/copy-release.ts';
export {
  type CrontabScriptOptions,
  crontabExitCodes,
  crontabScript,
  type GroupEntries,
} from './node-scripts/crontab-switch.ts';
export { type EventScriptOptions, eventScript } from './node-scripts/event-marker.ts';
export { type GuardOptions, guardExitCodes, guardScript } from './node-scripts/guard.ts';
export type { FileFinding, NodeInspection, RegistrationFinding } from './node-scripts/inspection.ts';
export { type InstallReport, install, uninstall, verifyInstallation } from './node-scripts/install.ts';
export {
  type EventsOptions,
  followedEvents,
  type GroupInstallation,
  type Installation,
  planEvents,
  planGuard,
  type Registration,
  type ScriptFile,
} from './node-scripts/installation.ts';
export { type DebtScriptOptions, debtExitCodes, debtScript, type HookCommand } from './node-scripts/quiesce-debt.ts';
export { type LocalAddress, parseAddresses } from './readers/addresses.ts';
export { parseAttributes } from './readers/attributes.ts';
export { type ClusterStatus, type NodeStatus, parseClusterStatus } from './readers/clstat.ts';
export {
  type ClusterManager,
  type ManagerMeaning,
  managerMeaning,
  parseClusterManager,
} from './readers/cluster-manager.ts';
export { type GroupFileSystem, parseGroupFileSystems } from './readers/group-file-systems.ts';
export { type GroupMove, parseGroupMove } from './readers/group-move.ts';
export {
  type GroupContents,
  type GroupResources,
  parseResources,
  type ShownResources,
} from './readers/group-resources.ts';
export { type GroupServices, parseGroupServices, type ServiceGroup } from './readers/group-services.ts';
export { type FoundGroup, parseFoundGroups, parseGroupTable } from './readers/group-table.ts';
export { type Fileset, type HaLevel, hasHacmp, parseFilesets, parseHaLevel } from './readers/levels.ts';
export { type Member, parseMembership, parseReporting, type Reporting } from './readers/membership.ts';
export { type Mount, parseMounts } from './readers/mounts.ts';
export { parseLocalNodeName } from './readers/node-name.ts';
export { type ColonTable, type NodeState, parseColonTable, parseNodeStates } from './readers/node-states.ts';
export {
  type ConfiguredNode,
  type NodeInterface,
  type PeerNode,
  parseConfiguredNodes,
  parseNames,
  parsePeerNodes,
} from './readers/nodes.ts';
export { type OdmObject, parseOdmObjects, parseOdmVersions } from './readers/odm.ts';
export { type Reader, readerOf } from './readers/readers.ts';
export { type NodeOutput, parseNodeOutputs, parseRemoteOutput } from './readers/remote-output.ts';
export {
  type GroupInstance,
  type GroupRow,
  meaningOf,
  parseGroupRows,
  type StateMeaning,
} from './readers/resource-groups.ts';
export { type NodeServices, parseShownServices, type ShownServices } from './readers/shown-services.ts';
export { parseSnmpCluster, parseVarbinds, type SnmpCluster, type Varbind } from './readers/snmp.ts';
export { parseSubsystems, type Subsystem } from './readers/subsystems.ts';
export { parseTopology, type Topology, type TopologyGroup } from './readers/topology.ts';
export {
  type LogicalVolume,
  parseLogicalVolumes,
  parseVolumeGroup,
  type VolumeGroup,
} from './readers/volume-groups.ts';
export { type ClusterOptions, type Confirmation, type HaCluster, haCluster, type Standing } from './survey/cluster.ts';
export { type Answer, type NodeReport, reportOf, type StorageAnswer, surveyScript } from './survey/report.ts';
export { survey } from './survey/survey.ts';
export type { Evidence, Problem, Refusal } from './verdict/finding.ts';
export type { Policy } from './verdict/policy.ts';
export { type ChangedFact, compareProofs, isIntact, type Proof, proofOf } from './verdict/proof.ts';
export { contentsOf, decide, type Known, type Verdict } from './verdict/verdict.ts';
