import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Answer, type Commands, fails, prints } from '../command.ts';
import { mapPath } from './paths.ts';

/** Where a node keeps root's entries. No daemon runs them: a test does, when it wants. */
const table = '/var/spool/cron/crontabs/root';

/** `crontab`: list, remove, replace by a file or by standard input. What the lines say is not looked at. */
export function crontabCommands(rootOf: (node: string) => string): Commands {
  return {
    async crontab({ node, args, stdin, directory }): Promise<Answer> {
      const root = rootOf(node);
      const file = mapPath(root, table);
      const [word, second] = args;
      if (second !== undefined || (word?.startsWith('-') && !['-', '-l', '-r'].includes(word))) {
        return fails('Usage: crontab [ -e | -l | -r | -v | File ]\n');
      }
      if (word === '-l' || word === '-r') {
        if (!existsSync(file)) {
          return fails(
            'crontab: 0481-103 Cannot open a file in the /var/spool/cron/crontabs directory.\nA file or directory in the path name does not exist.\n',
          );
        }
        // The bytes as they are, whatever they are.
        if (word === '-l') return { kind: 'run', argv: ['/bin/cat', file] };
        rmSync(file);
        return prints('');
      }
      mkdirSync(dirname(file), { recursive: true });
      if (word === undefined || word === '-') {
        writeFileSync(file, await stdin());
        return prints('');
      }
      const source = word.startsWith('/') ? mapPath(root, word) : resolve(directory ?? root, word);
      if (!existsSync(source)) {
        return fails(
          `crontab: 0481-102 Cannot open the file ${word}.\nA file or directory in the path name does not exist.\n`,
        );
      }
      copyFileSync(source, file);
      return prints('');
    },
  };
}
