import type { Command } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { examplesOf } from './tree/branch.ts';

/** The manual page of the command line in roff, made of the commands themselves. */
export function manPage(program: Command): string {
  const commands = program.commands.filter((command) => !isHidden(command));
  return [
    `.TH SPLITMIRROR 1 "" "splitmirror ${program.version() ?? ''}" "User Commands"`,
    '.SH NAME',
    `splitmirror \\- ${text(lowerFirst(program.description()).replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    '.B splitmirror',
    '.I command',
    '[arguments] [options]',
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH EXIT STATUS',
    ...Object.values(exitCodes).flatMap(({ code, means }) => tagged(String(code), means)),
    '.SH FILES',
    ...tagged('splitmirror.yaml', 'The configuration; "splitmirror schema" prints its JSON Schema.'),
    '',
  ].join('\n');
}

function commandLines(command: Command): string[] {
  const help = command.createHelp();
  return [
    '.SS',
    `${bold(`splitmirror ${command.name()}`)} ${text(command.usage())}`,
    '.PP',
    `${text(command.description())}.`,
    ...command.options.flatMap((option) => tagged(help.optionTerm(option), help.optionDescription(option))),
    ...exampleLines(examplesOf(command)),
  ];
}

/** Not filled: a line that is to be typed keeps its blanks, and is not hyphenated. */
function exampleLines(examples: readonly string[]): string[] {
  if (examples.length === 0) return [];
  return ['.PP', '.nf', ...examples.map((example) => bold(`splitmirror ${example}`)), '.fi'];
}

/** A term, and what it means set in below it. */
function tagged(term: string, meaning: string): string[] {
  return ['.TP', bold(term), text(meaning)];
}

/** By escapes: the words behind a macro would be its arguments, and lose their quotes. */
function bold(words: string): string {
  return `\\fB${text(words)}\\fR`;
}

/** Characters that roff takes for something else, or that a typesetter would make nicer and nobody could type again. */
const escapes: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  '"': '\\(dq',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

/** A leading dot would be a request to roff. */
function text(words: string): string {
  return words.replace(/[\\\-"'`^~]/g, (character) => escapes[character] ?? character).replace(/^\./gm, '\\&.');
}

function lowerFirst(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}

function isHidden(command: Command): boolean {
  return '_hidden' in command && command._hidden === true;
}
