import { type Answer, type Commands, fails, type Invocation } from '../command.ts';
import { NoSpaceError } from './labfs.ts';
import { DiskError } from './logical-volumes.ts';
import { groupOf, type Machine, type NodeState, nodeOf, volumeOf } from './machine.ts';
import { groupLocked, usage, variedOff } from './messages.ts';
import { type Options, readOptions } from './options.ts';
import type { LogicalVolume, VolumeGroup } from './volume-groups.ts';

/** What a handler gets: the lab, the node, the options. */
export interface Call {
  readonly machine: Machine;
  readonly node: NodeState;
  readonly program: string;
  readonly options: Options;
  readonly operands: readonly string[];
  readonly invocation: Invocation;
}

/** A command of AIX: its getopt specification, the level that brought it, and what it does. */
export interface Command {
  readonly options: string;
  /** First level that has the command; without it all that the lab knows. */
  readonly since?: string;
  /** First level of options that came later than the command. */
  readonly newer?: Readonly<Record<string, string>>;
  run(call: Call): Answer | Promise<Answer>;
}

/** Commands as the node's shims ask for them. */
export function bindCommands(machine: Machine, commands: Readonly<Record<string, Command>>): Commands {
  return Object.fromEntries(
    Object.entries(commands).map(([program, command]) => [
      program,
      (invocation: Invocation) => {
        if (command.since !== undefined && !atLeast(machine.level, command.since)) {
          return fails(`ksh: ${program}:  not found.\n`, 127);
        }
        const options = readOptions(invocation.args, optionsAt(machine.level, command));
        if ('fault' in options) return fails(usage(program, options.fault), 2);
        const node = nodeOf(machine, invocation.node);
        return performed(command, { machine, node, program, options, operands: options.operands, invocation });
      },
    ]),
  );
}

/** A full file system or a dead disk fails whichever command needs it. */
async function performed(command: Command, call: Call): Promise<Answer> {
  try {
    return await command.run(call);
  } catch (error) {
    if (error instanceof DiskError) return fails(`${call.program}: There is an input or output error.\n`);
    if (!(error instanceof NoSpaceError)) throw error;
    return fails(`${call.program}: There is not enough space in the file system.\n`);
  }
}

/** Whether a level such as `7.2` or `4.3.3` is not older than another. */
export function atLeast(level: string, least: string): boolean {
  const numbersOf = (text: string) => text.split('.').map(Number);
  const [numbers, needed] = [numbersOf(level), numbersOf(least)];
  const at = needed.findIndex((number, i) => number !== (numbers[i] ?? 0));
  return at < 0 || (numbers[at] ?? 0) > (needed[at] ?? 0);
}

function optionsAt(level: string, { options, newer = {} }: Command): string {
  const unknown = Object.entries(newer).filter(([, since]) => !atLeast(level, since));
  return unknown.reduce((known, [letter]) => known.replace(new RegExp(`${letter}:?`), ''), options);
}

/** A text that stands for a status: the handler gives up and answers with it. */
export type Refusal = { readonly refusal: Answer };

/** Refuses with this text. */
export function refuse(stderr: string, code = 1): Refusal {
  return { refusal: fails(stderr, code) };
}

/** What a refusal says. */
export function textOf({ refusal }: Refusal): string {
  return refusal.kind === 'exit' ? (refusal.stderr ?? '') : '';
}

/**
 * The group that a command is to change: known here, unlocked, varied on and not passive.
 */
export function writableGroup(call: Call, group: VolumeGroup): Refusal | undefined {
  if (group.locked) return { refusal: { kind: 'hang', stderr: groupLocked(call.program, group.name) } };
  const varied = call.node.varied.get(group.id);
  if (varied === undefined || varied === 'passive') return refuse(variedOff);
  return undefined;
}

/** A volume that a command is to change. */
export function writableVolume(
  call: Call,
  name: string,
  missing: string,
): Refusal | { readonly group: VolumeGroup; readonly volume: LogicalVolume } {
  const found = volumeOf(call.machine, call.node, name);
  if (found === undefined) return refuse(missing);
  return writableGroup(call, found.group) ?? { group: found.group, volume: found.volume };
}

/** The group of a name, or the refusal of a name that this node does not know. */
export function knownGroup(call: Call, name: string, missing: string): Refusal | { readonly group: VolumeGroup } {
  const group = groupOf(call.machine, call.node, name);
  return group === undefined ? refuse(missing) : { group };
}

/** Asks on standard output; the answer counts when it begins with y. */
export async function confirmed(call: Call): Promise<boolean> {
  return /^\s*y/i.test((await call.invocation.stdin()).toString('utf8'));
}

/** The lock of a group holds queries up for ever, unless they ask not to wait for it. */
export function lockWait(call: Call, group: VolumeGroup): Answer | undefined {
  if (!group.locked || call.options.has('L')) return undefined;
  return { kind: 'hang', stderr: groupLocked(call.program, group.name) };
}
