export { type Adapter, type AdapterChoice, type AdapterEvidence, chooseAdapter } from './adapter.ts';
export { type Algorithms, SshSettingsError } from './algorithms.ts';
export { type ConfigLookup, type ConfiguredOptions, configuredOptions } from './config/files.ts';
export { type Asker, type ConfigFile, type Jump, type ResolvedSettings, resolveSettings } from './config/settings.ts';
export { type ConnectionFacts, type EmbeddedClientFacts, embeddedClient } from './embedded/connection-facts.ts';
export type { Decipher } from './embedded/quicken.ts';
export { readEvidence, sshHost, sshTransport } from './host.ts';
export { leastPrivilege, type Privileges } from './least-privilege.ts';
export type { Identity, SshOptions, SshWarning } from './options.ts';
