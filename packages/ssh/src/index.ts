export type { Identity, SshOptions } from './options.ts';
export { sshHost, sshTransport } from './transport.ts';
