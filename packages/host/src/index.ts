export { orAborted, unlessAborted } from './abort.ts';
export { type Command, changes, members, type Pipeline, quote, reads, renderCommand } from './command.ts';
export { ParseError, SplitmirrorError, TransportError, type TransportFailure } from './errors.ts';
export {
  type CommandStream,
  createHost,
  type Host,
  type HostOptions,
  type ScriptOutcome,
  type StepResult,
  type StreamOutcome,
} from './host.ts';
export { type Line, linesOf, nowhere } from './lines.ts';
export { localHost, localTransport } from './local.ts';
export { makeDirectory } from './make-directory.ts';
export { requireWhole } from './numbers.ts';
export { AIX_PATH, checkScript, renderSteps, type Script, type Step } from './script.ts';
export { renderScript, renderStream, type ShellSettings, type Sudo } from './shell.ts';
export { longestTimerMs, longestTimerSeconds } from './timer.ts';
export type { ChannelUse, Chunk, ProcessExit, RemoteProcess, Transport } from './transport.ts';
export { readTypedCommand, type TypedCommand, withoutPrompts } from './typed-command.ts';
