import { access } from 'node:fs/promises';
import type { SshOptions } from '../options.ts';

/** User certificates that lie beside the private keys, where `ssh` looks for them: `/root/.ssh/id_ed25519-cert.pub`. */
export async function certificatesBeside({ identities = [] }: SshOptions): Promise<readonly string[]> {
  const names = identities.flatMap((identity) => ('file' in identity ? [`${identity.file}-cert.pub`] : []));
  const found = names.map((name) =>
    access(name).then(
      () => [name],
      () => [],
    ),
  );
  return (await Promise.all(found)).flat();
}
