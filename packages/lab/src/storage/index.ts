export type { MountState, StorageState } from './inspect.ts';
export type { Timers } from './machine.ts';
export {
  createStorage,
  type SharedDisk,
  type Storage,
  StorageError,
  type StorageOptions,
} from './storage.ts';
export type { Truth } from './truth.ts';
