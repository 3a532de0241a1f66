import type { SshOptions } from './options.ts';

/**
 * The jump hosts in the order in which they are passed, then the node. Whoever opens keys and is warned for the node does
 * so for its jump hosts, unless they name somebody else.
 */
export function stationsOf(options: SshOptions): readonly SshOptions[] {
  const { passphrase, onWarning } = options;
  const jumps = (options.jumps ?? []).map((jump) => ({
    ...jump,
    passphrase: jump.passphrase ?? passphrase,
    onWarning: jump.onWarning ?? onWarning,
  }));
  const [first, ...others] = jumps;
  return [...(first === undefined ? [] : stationsOf(first)), ...others, options];
}
