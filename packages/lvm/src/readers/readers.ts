import { linesOf, nowhere, ParseError, readTypedCommand, type TypedCommand, withoutPrompts } from '@splitmirror/host';
import { parseControlBlock } from './control-blocks.ts';
import { parseDescriptorArea } from './descriptor-areas.ts';
import { parseDisk, parseDiskRanges, parseDisks, parseDiskVolumes } from './disks.ts';
import { parseFileSystems, parseFileSystemTable } from './file-systems.ts';
import { parseFreeSpace } from './free-space.ts';
import { readCheck } from './fsck.ts';
import { isFailure, type Message, splitMessages } from './messages.ts';
import { parseMirrorPools, parseVolumePools } from './mirror-pools.ts';
import { parseMounts } from './mounts.ts';
import { parseOdmObjects } from './odm.ts';
import { parseSnapshots } from './snapshots.ts';
import { parseStanzas } from './stanzas.ts';
import { parseGroupDisks, parseGroupNames, parsePartitionMap, parseVolumeGroup } from './volume-groups.ts';
import { parseLogicalVolume, parseVolumeDisks, parseVolumeMap, parseVolumes } from './volumes.ts';

/** Reads the output of a command; throws `ParseError` and nothing else. */
export type Reader = (text: string, options?: ReaderOptions) => unknown;

export interface ReaderOptions {
  /** Hears the messages among the rows of a query, warnings for instance: they are no part of what is read. */
  readonly onMessage?: ((message: Message) => void) | undefined;
}

/**
 * Finds the reader for a command by its name and options, as typed: `lsvg -l datavg`, `LANG=C /usr/sbin/lslv -m datalv`,
 * `cat /etc/filesystems`. A query that printed nothing but numbered messages is read as `{ messages }`; rows beside a
 * message of a failure are refused. What a command printed that changes volume groups is read as
 * `{ messages, others, questions }`: the other lines as they are, and those of them that wait for an answer.
 *
 * @returns `undefined` for a command, or a form of one, whose output nobody has documented well enough.
 */
export function readerOf(command: string): Reader | undefined {
  const typed = typedCommand(command);
  const query = queryIn(typed) ?? '';
  const read = readers.get(query);
  if (read === undefined) return undefined;
  return (text, { onMessage } = {}) => {
    const said = withoutPrompts(text, typed);
    if (!/^(lslv|lsvg|lspv|lsmp|lsfs|df)\b/.test(query)) return read(said);
    // Messages come among the rows, or in place of them; the status of the command is not known here. Other commands indent
    // their rows, which could be the rest of a message.
    const { messages, rest } = splitMessages(said);
    if (messages.length > 0 && rest.trim() === '') return { messages };
    const failure = messages.find(isFailure);
    if (failure !== undefined) {
      const at = linesOf(said).find((line) => line.text.includes(failure.number));
      throw new ParseError(query, 'rows beside a failure', at ?? nowhere);
    }
    for (const message of messages) onMessage?.(message);
    return read(rest);
  };
}

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['lslv NAME', parseLogicalVolume],
  ['lslv -m NAME', parseVolumeMap],
  ['lslv -l NAME', parseVolumeDisks],
  ['lsvg', parseGroupNames],
  ['lsvg -o', parseGroupNames],
  ['lsvg NAME', parseVolumeGroup],
  ['lsvg -l NAME', parseVolumes],
  ['lsvg -p NAME', parseGroupDisks],
  ['lsvg -M NAME', parsePartitionMap],
  ['lsvg -m NAME', parseVolumePools],
  ['lspv', parseDisks],
  ['lspv NAME', parseDisk],
  ['lspv -l NAME', parseDiskVolumes],
  ['lspv -p NAME', parseDiskRanges],
  ['lspv -M NAME', parsePartitionMap],
  ['lsmp NAME', parseMirrorPools],
  ['lsmp -A NAME', parseMirrorPools],
  ['lsfs', parseFileSystemTable],
  ['lsfs -c', parseFileSystems],
  ['mount', parseMounts],
  ['filesystems', parseStanzas],
  ['df', parseFreeSpace],
  ['getlvcb -AT NAME', parseControlBlock],
  ['lqueryvg -Apt NAME', parseDescriptorArea],
  ['odmget', parseOdmObjects],
  ['fsck', readCheck],
  ['snapshot -q', parseSnapshots],
  ['snapshot -q NAME', parseSnapshots],
  ['change', readChange],
]);

/** They print messages, if anything: successes, questions and failures in one series. */
const changing = new Set([
  ...[
    'mkvg',
    'chvg',
    'extendvg',
    'reducevg',
    'mirrorvg',
    'unmirrorvg',
    'varyonvg',
    'varyoffvg',
    'importvg',
    'exportvg',
  ],
  ...[
    'mklv',
    'chlv',
    'extendlv',
    'rmlv',
    'mklvcopy',
    'rmlvcopy',
    'splitlvcopy',
    'chlvcopy',
    'splitvg',
    'joinvg',
    'syncvg',
  ],
]);

/** How splitlvcopy and rmlv ask without a number: whoever does not answer waits for ever. */
const question = /\by\(es\) n\(o\)\s?\?/;

function readChange(text: string) {
  const { messages, rest } = splitMessages(text);
  const others = linesOf(rest).map((line) => line.text);
  return { messages, others, questions: others.filter((line) => question.test(line)) };
}

/**
 * Which query a command line is, whatever the order of its options and whatever stands around it: program, options in
 * one word, and `NAME` for its operand.
 *
 * @returns `undefined` where several names are asked, or the output went through another program.
 */
export function queryOf(command: string): string | undefined {
  return queryIn(typedCommand(command));
}

function queryIn({ program, options, operands, rest }: TypedCommand): string | undefined {
  if (isFiltered(rest)) return undefined;
  const printed = printing.includes(program) ? operands.at(-1) : `/etc/${program}`;
  if (printed === '/etc/filesystems') return 'filesystems';
  if (['df', 'fsck', 'odmget'].includes(program)) return program;
  if (changing.has(program)) return 'change';
  if (program === 'lsfs') return options.includes('c') ? 'lsfs -c' : 'lsfs';
  if (operands.length > 1) return undefined;
  // -L asks without waiting for a lock, and prints the same.
  const letters = [...new Set(options)].filter((letter) => letter !== 'L').sort();
  return [program, letters.length === 0 ? '' : `-${letters.join('')}`, operands.length === 0 ? '' : 'NAME']
    .filter((word) => word !== '')
    .join(' ');
}

/** Programs that print a file of the system. */
const printing = ['cat', 'more', 'pg', 'grep'];

function typedCommand(command: string): TypedCommand {
  return readTypedCommand(command, isKnown);
}

function isKnown(program: string): boolean {
  const queries = [...readers.keys()];
  return (
    printing.includes(program) || changing.has(program) || queries.some((query) => query.split(' ')[0] === program)
  );
}

/** Whether another program has had a hand in the output; a pager has not. */
function isFiltered(rest: string): boolean {
  const commands = rest
    .replace(/ ?[(#].*$/, '')
    .replace(/\d?[<>]+&?\s*\S+/g, '')
    .replace(/\|\s*(?:more|pg|cat)\b/g, '');
  return /[|;&]/.test(commands);
}
