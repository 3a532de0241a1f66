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
    ...Object.values(exitCodes).flatMap(({ code, means }) => ['.TP', `.B ${code}`, text(means)]),
    '.SH FILES',
    '.TP',
    '.I splitmirror.yaml',
    'The configuration; "splitmirror schema" prints its JSON Schema.',
    '',
  ].join('\n');
}

function commandLines(command: Command): string[] {
  return [
    '.SS',
    `\\fBsplitmirror ${text(command.name())}\\fR ${text(command.usage())}`,
    '.PP',
    `${text(command.description())}.`,
    ...command.options.flatMap(({ flags, description, defaultValue }) => [
      '.TP',
      `.B ${text(flags)}`,
      text(defaultValue === undefined ? description : `${description} (default ${defaultValue})`),
    ]),
    ...examplesOf(command).flatMap((example) => ['.PP', `.B splitmirror ${text(example)}`]),
  ];
}

/** A leading dot or quote would be a request to roff, and a bare hyphen a dash. */
function text(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
}

function lowerFirst(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}

function isHidden(command: Command): boolean {
  return '_hidden' in command && command._hidden === true;
}
