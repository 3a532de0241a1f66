import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, type Commands, fails, type Invocation, prints } from '../command.ts';
import { isMeant, readByName, restoreEntry, saveByName } from './by-name.ts';
import { mapPath } from './paths.ts';

/** `backup -i` and `restore` by name. By inode nobody knows the format well enough to write it. */
export function backupCommands(root: (node: string) => string): Commands {
  const locator = ({ node, directory }: Invocation) => {
    const here = directory ?? root(node);
    return (name: string) => (name.startsWith('/') ? mapPath(root(node), name) : join(here, name));
  };
  return {
    async backup(call) {
      const { flags, device } = readFlags(call.args, 'fbleLE');
      if (!flags.has('i')) return fails('backup: the lab does not know the format by inode\n');
      if (device === undefined) return fails('backup: a device or file is needed: -f Device\n');
      const names = (await call.stdin())
        .toString('latin1')
        .split('\n')
        .filter((name) => name !== '');
      const locate = locator(call);
      const temporary = mkdtempSync(join(tmpdir(), 'lab-backup-'));
      const file = join(temporary, 'archive');
      const { total, unsaved } = saveByName(file, names, (name) =>
        locate(Buffer.from(name, 'latin1').toString('utf8')),
      );
      // What cannot be opened is told, and the run goes on (facts archive.md 2.5); its status is not known to change.
      const said = [
        ...(flags.has('v') ? [...names.map((name) => `a ${name}\n`), `total size: ${total}\n`] : []),
        ...unsaved.map(({ name, reason }) => `backup: 0511-089 Cannot open ${name}: ${reason}\n`),
      ];
      const target = device === '-' ? '-' : locate(device);
      const script = `printf %s "$2" >&2
if [ "$3" = - ]; then cat "$1/archive"; else cat "$1/archive" >"$3"; fi
s=$?; rm -r "$1"; exit $s`;
      return { kind: 'run', argv: ['/bin/sh', '-c', script, 'backup', temporary, said.join(''), target] };
    },
    async restore(call) {
      const { flags, device, operands } = readFlags(call.args, 'fbXEn');
      const locate = locator(call);
      if (device === undefined) return fails('restore: a device or file is needed: -f Device\n');
      if (!flags.has('x') && !flags.has('T')) return fails('restore: the lab knows -x and -T only\n');
      return restore(device === '-' ? await call.stdin() : readFileSync(locate(device)), flags, operands, locate);
    },
  };
}

function restore(
  archive: Buffer,
  flags: ReadonlySet<string>,
  operands: readonly string[],
  locate: (name: string) => string,
): Answer {
  let entries: ReturnType<typeof readByName>;
  try {
    entries = readByName(archive);
  } catch (error) {
    return fails(`restore: 0511-126 ${error instanceof Error ? error.message : String(error)}.\n`);
  }
  const chosen = entries.filter(({ name }) => isMeant(name, operands));
  if (flags.has('T')) return prints(chosen.map(({ name }) => `${name}\n`).join(''));
  for (const entry of chosen) restoreEntry(entry, locate(Buffer.from(entry.name, 'latin1').toString('utf8')));
  const total = chosen.reduce((sum, { content }) => sum + content.length, 0);
  const lines = chosen.map(({ name, content }) => `x\t${String(content.length).padStart(12)} ${name}\n`).join('');
  if (!flags.has('v')) return prints('');
  return prints(`${lines}The total size is ${total} bytes.\nThe number of restored files is ${chosen.length}.\n`);
}

/** Letters in clusters; the value of one may follow it at once or come as the next word. */
function readFlags(args: readonly string[], valued: string) {
  const flags = new Set<string>();
  const operands: string[] = [];
  let device: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      continue;
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] ?? '';
      flags.add(letter);
      if (!valued.includes(letter)) continue;
      const value = word.slice(i + 1) || args[++at];
      if (letter === 'f') device = value;
      break;
    }
  }
  return { flags, device, operands };
}
