export { ConfigError, readConfig } from './config/read.ts';
export type { Config } from './config/schema.ts';
export { exitCodes } from './exit-codes.ts';
export { main } from './program.ts';
