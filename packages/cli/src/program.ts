import { SplitmirrorError } from '@splitmirror/host';
import { Command, CommanderError, Option } from 'commander';
import { backup, plan, problemText } from './commands/backup.ts';
import { levels } from './commands/levels.ts';
import { parse } from './commands/parse.ts';
import { recover } from './commands/recover.ts';
import { list, restore, verify } from './commands/store.ts';
import { who } from './commands/who.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { type CommonOptions, inSession, type Session } from './session.ts';

/**
 * Runs the command line.
 *
 * @param words Arguments without program and script.
 * @returns the exit code, one of {@link exitCodes}.
 */
export async function main(words: readonly string[]): Promise<number> {
  let code: number = exitCodes.OK.code;
  const program = buildProgram((result) => {
    code = result;
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.USAGE.code;
    if (error instanceof Error && error.name === 'AbortError') {
      process.stderr.write('interrupted before anything was changed\n');
      return exitCodes.INTERRUPTED.code;
    }
    for (const line of errorText(error)) process.stderr.write(`${line}\n`);
    if (words.includes('--json')) process.stdout.write(`${JSON.stringify(errorResult(error))}\n`);
    return exitCodeOfError(error);
  }
}

function buildProgram(done: (code: number) => void): Command {
  const program = new Command('splitmirror')
    .description('Back up the right node of an AIX cluster from a split mirror.')
    .showHelpAfterError()
    .exitOverride();
  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option('-c, --config <file>', 'configuration file', 'splitmirror.yaml')
      .option('--json', 'print JSON lines and nothing else')
      .addOption(new Option('--quiet', 'print only what needs a person').conflicts('json'));
  const inside = async (options: CommonOptions, work: (session: Session) => Promise<number>) =>
    done(await inSession(options, work));

  command('who <group>', 'say which node holds a resource group, with the evidence').action((group, options) =>
    inside(options, (session) => who(session, group)),
  );
  command('levels', 'compare the software levels of all nodes').action((options) => inside(options, levels));
  command('plan <group>', 'print exactly what a backup would do').action((group, options) =>
    inside(options, (session) => plan(session, group)),
  );
  command('backup <group>', 'split the mirror, archive the copy, merge it back').action((group, options) =>
    inside(options, (session) => backup(session, group)),
  );
  command('recover <group>', 'take back what an interrupted run left, from what the nodes show')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--break-lock', 'take a lock whose holder is certainly gone')
    .action((group, options) => inside(options, (session) => recover(session, group, options)));
  command('list <group>', 'list the complete backups of a group').action((group, options) =>
    inside(options, (session) => list(session, group)),
  );
  command('verify <group> [run]', 'read a backup again and compare it with its manifest').action(
    (group, run, options) => inside(options, (session) => verify(session, group, run)),
  );
  command('restore <group> <directory> [run]', 'restore a backup into a new directory').action(
    (group, directory, run, options) => inside(options, (session) => restore(session, group, directory, run)),
  );

  program
    .command('parse [file]')
    .description('read the saved output of a HACMP command and print it as JSON')
    .requiredOption('--command <command>', 'the command as it was typed, for instance "clRGinfo -s"')
    .action(async (file, options) => done(await parse(options.command, file)));
  program
    .command('lab')
    .description('start a simulated two-node cluster and write a configuration for it')
    .requiredOption('--directory <directory>', 'where the lab and its splitmirror.yaml live')
    .option('--minutes <minutes>', 'end by itself after so long', Number)
    .action(async (options) => {
      const { lab } = await import('./commands/lab.ts');
      done(await lab(options));
    });
  program
    .command('demo')
    .description('back up a simulated cluster twice, before your eyes, and restore the last backup')
    .option('--keep', 'leave the lab up and say how to reach its nodes')
    .option('--directory <directory>', 'where everything lies; default a new temporary directory')
    .option('--json', 'print JSON lines and nothing else')
    .action(async (options) => {
      const { demo } = await import('./demo/demo.ts');
      done(await demo(options));
    });
  return program;
}

function errorText(error: unknown): string[] {
  if (!SplitmirrorError.is(error)) return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  const problems = 'problems' in error ? (error.problems as Parameters<typeof problemText>[0][]) : [];
  return [`${error.code}: ${error.message}`, `  ${error.remedy}`, ...problems.flatMap(problemText)];
}

function errorResult(error: unknown): Readonly<Record<string, unknown>> {
  const at = new Date().toISOString();
  if (!SplitmirrorError.is(error)) return { at, type: 'error', code: 'UNEXPECTED', message: String(error) };
  const problems = 'problems' in error ? error.problems : [];
  return { at, type: 'error', code: error.code, message: error.message, remedy: error.remedy, problems };
}
