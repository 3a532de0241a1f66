export type { EventCommand } from './cluster/customisation.ts';
export type { Generation } from './cluster/generation.ts';
export type { Ran } from './cluster/resources.ts';
export type { Policies } from './cluster/topology.ts';
export type { Answer, Commands, Invocation } from './command.ts';
export { connectLab, type LabControl, type LabStatus } from './control.ts';
export type { Fault, Misbehaviour } from './faults.ts';
export { type Lab, type LabNode, type LabOptions, startLab } from './lab.ts';
export { type LedgerParts, type LedgerVerdict, verifyLedger } from './ledger/verify.ts';
export type { Fileset, InterimFix, Language, SoftwareOverrides } from './levels/filesets.ts';
export type { ExtraGroup, NodeNames } from './scenario.ts';
export {
  createStorage,
  type MountState,
  type SharedDisk,
  type Storage,
  StorageError,
  type StorageOptions,
  type StorageState,
  type Timers,
  type Truth,
} from './storage/index.ts';
export type { TruthEntry } from './storage/mounts.ts';
export type { Varied } from './storage/volume-groups.ts';
