import { leastPrivilege } from '@splitmirror/ssh';
import { policyOf } from '../config/policy.ts';
import { ConfigError, readConfig } from '../config/read.ts';
import type { Config } from '../config/schema.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Purpose, privileges } from '../privileges.ts';

/** Whose rights, and for what. */
export interface SudoersFlags {
  readonly config: string;
  /** Login name; default that of the configuration. */
  readonly user?: string;
  /** What the login may do beside backups. */
  readonly also: readonly Purpose[];
}

/** Prints the lines of a sudoers file that let a login do what the configuration asks of it, and nothing else. */
export async function sudoers({ config: file, user, also }: SudoersFlags): Promise<number> {
  const config = await readConfig(file);
  const login = user ?? config.ssh.user;
  if (login === undefined || login === 'root') {
    throw new ConfigError('no login is named that needs leave', { remedy: 'Set ssh.user, or name one with --user.' });
  }
  const purposes: Purpose[] = ['changes', ...(config.ssh.sudo === 'changes' ? [] : (['reads'] as const)), ...also];
  const { commands, unplaced } = applicationCommands(config);
  const lines = [
    `# What ${login} may run as root for splitmirror: ${[...new Set(purposes)].join(', ')}. Check it with visudo -c -f FILE.`,
    ...unplaced.map((program) => `# Not listed: ${program}. Name it by its absolute path in the configuration.`),
    ...linesFor(login, [...purposes.flatMap((purpose) => privileges[purpose]), ...commands]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return exitCodes.OK.code;
}

function linesFor(user: string, commands: readonly string[]): string[] {
  try {
    return leastPrivilege({ user, commands });
  } catch (cause) {
    throw new ConfigError((cause as Error).message, {
      remedy: 'Put what cannot be written there into a script on the nodes, and name that in the configuration.',
      cause,
    });
  }
}

/** The site's own commands, and the programs among them that have no absolute path. */
function applicationCommands(config: Config): { readonly commands: string[]; readonly unplaced: string[] } {
  const all = Object.keys(config.groups).flatMap((group) => {
    const { quiesce } = policyOf(config, group);
    if (quiesce === null) return [];
    const { before = [], suspend, resume, after = [], restart = [] } = quiesce;
    return [...before, ...suspend, ...resume, ...after, ...restart];
  });
  const words = all.map((command) => ('argv' in command ? command.argv : command));
  const placed = words.filter(([program]) => program.startsWith('/'));
  const unplaced = words.map(([program]) => program).filter((program) => !program.startsWith('/'));
  return { commands: placed.map((argv) => argv.join(' ')), unplaced: [...new Set(unplaced)] };
}
