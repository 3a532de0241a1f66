import { type Command, InvalidArgumentError, Option } from 'commander';
import { defaultConfig } from '../config/read.ts';
import type { Interrupt } from '../interrupts.ts';
import { type CommonOptions, inSession, type Session } from '../session.ts';

/** What adds the commands under one heading of the help. */
export interface Branch {
  /** A command that works without a configuration, or opens it by itself. */
  bare(name: string, description: string, ...examples: string[]): Command;
  /** A command with the options that every command knows. */
  command(name: string, description: string, ...examples: string[]): Command;
  /** Runs a command in a session; what an interrupt does is told by its last argument. */
  inside(options: CommonOptions, work: (session: Session) => Promise<number>, interrupt: Interrupt): Promise<void>;
  /** Takes the exit code of the command that was run. */
  readonly done: (code: number) => void;
}

const examplesByCommand = new WeakMap<Command, readonly string[]>();

/** The examples of a command, without `splitmirror`. */
export function examplesOf(command: Command): readonly string[] {
  return examplesByCommand.get(command) ?? [];
}

/** Opens a heading of the help. */
export function branchOf(program: Command, heading: string, done: (code: number) => void): Branch {
  const bare: Branch['bare'] = (name, description, ...examples) => {
    const command = program
      .command(name)
      .description(description)
      .helpGroup(heading)
      .hook('preAction', (_, called) => refuseEmptyWords(called))
      .addHelpText('after', ['', 'Examples:', ...examples.map((line) => `  $ splitmirror ${line}`)].join('\n'));
    examplesByCommand.set(command, examples);
    return command;
  };
  return {
    bare,
    command: (...words) =>
      bare(...words)
        .option('-c, --config <file>', 'configuration file', defaultConfig)
        .option('--json', 'print JSON lines and nothing else')
        .addOption(new Option('--quiet', 'print only what needs a person').conflicts('json')),
    inside: async (options, work, interrupt) => done(await inSession(options, work, interrupt)),
    done,
  };
}

/** A word that is empty is a variable of a shell that was not set, and would be read as something else. */
function refuseEmptyWords(command: Command): void {
  const isEmpty = (value: unknown) => [value].flat().includes('');
  const values = command.opts();
  const empty = [
    ...command.registeredArguments.filter((_, at) => isEmpty(command.processedArgs[at])).map((word) => word.name()),
    ...command.options.filter((option) => isEmpty(values[option.attributeName()])).map(({ flags }) => flags),
  ];
  if (empty.length > 0) command.error(`error: ${empty.join(', ')}: the word is empty`);
}

/** The value of an option that counts something. */
export function positiveNumber(word: string): number {
  const value = Number(word);
  if (word.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Say a number above zero.');
}

/**
 * A hook before a command that refuses words which contradict each other, or which nothing would heed: what commander does
 * for two options that conflict, for arguments and options too.
 *
 * @param objection What is wrong with the arguments and options, or nothing.
 */
export function refusing<Options extends object>(
  objection: (words: readonly unknown[], options: Options) => string | undefined,
): (command: Command) => void {
  return (command) => {
    const message = objection(command.processedArgs, command.opts<Options>());
    if (message !== undefined) command.error(`error: ${message}`);
  };
}
