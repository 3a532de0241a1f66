export { type Config, ConfigError, readConfig } from './config.ts';
export { exitCodes } from './exit-codes.ts';
export { main } from './program.ts';
