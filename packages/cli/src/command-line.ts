import { quote } from '@splitmirror/host';
import { defaultConfig } from './config/read.ts';

/** Tells commands so that they can be pasted where this one was typed. */
export interface Directions {
  /** A command line of ours, with the configuration of this one. */
  readonly commandLine: (name: ConfiguredCommand, ...words: string[]) => string;
  /** A remedy whose commands have the configuration of this one, which whoever made it could not know. */
  readonly remedyText: (remedy: string) => string;
}

/** Commands that read a configuration. */
export const configuredCommands = [
  'adopt',
  'backup',
  'capture',
  'check',
  'drill',
  'events',
  'guard',
  'init',
  'judge',
  'levels',
  'list',
  'plan',
  'recover',
  'replay',
  'restore',
  'retain',
  'schedule',
  'show',
  'status',
  'sudoers',
  'verify',
  'who',
] as const;

type ConfiguredCommand = (typeof configuredCommands)[number];

/** @param config What the command was given, if anything: the file that is taken by itself need not be named. */
export function directionsWith(config: string | undefined): Directions {
  if (config === undefined || config === defaultConfig) {
    return { commandLine: lineOf, remedyText: (remedy) => remedy };
  }
  return {
    commandLine: (name, ...words) => lineOf(name, '--config', config, ...words),
    remedyText: (remedy) => withConfig(remedy, config),
  };
}

function lineOf(...words: string[]): string {
  return ['splitmirror', ...words].map(quote).join(' ');
}

/** A command stands alone, after a colon or in quotes; what else follows our name is prose. */
const opening = /(?:^|: |")$/;
const command = new RegExp(`^splitmirror (?:${configuredCommands.join('|')})(?![\\w-])`);
const configured = / (?:--config|-c)[ =]/;

/** Where a command ends, prose does not say: the configuration comes before its arguments. */
function withConfig(remedy: string, config: string): string {
  const pieces = remedy.split(/(?=splitmirror )/);
  return pieces
    .map((piece, at) => {
      if (configured.test(piece) || !opening.test(pieces[at - 1] ?? '')) return piece;
      return piece.replace(command, (named) => `${named} --config ${quote(config)}`);
    })
    .join('');
}
