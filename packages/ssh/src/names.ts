import { SshSettingsError } from './algorithms.ts';
import type { SshOptions } from './options.ts';
import { stationsOf } from './stations.ts';

/**
 * Refuses names that nobody can have, of a node and of its jump hosts: no address leads to this very machine, and a
 * character that controls something ends a name early.
 *
 * @throws SshSettingsError
 */
export function refuseNames(host: string, options: SshOptions): void {
  for (const { address, user, hostKeyAlias } of stationsOf(options)) {
    for (const [setting, name] of Object.entries({ address, user, hostKeyAlias })) {
      if (name === undefined || /^\P{Cc}+$/u.test(name)) continue;
      throw new SshSettingsError(`${host}: ${setting}: ${JSON.stringify(name)} is no name`, {
        remedy: `Name the ${setting}, without control characters.`,
      });
    }
  }
}
