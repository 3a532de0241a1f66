import { SplitmirrorError } from '@splitmirror/host';
import { z } from 'zod';
import { type NodeTranscript, type ProbeName, probeNames, type Snapshot, snapshotReader } from './snapshot.ts';

/** A snapshot file is not what this version writes, or it is not whole. */
export class SnapshotFileError extends SplitmirrorError {
  readonly code = 'SNAPSHOT_FILE';
}

const format = 'splitmirror-levels';
const version = 1;

const headerSchema = z.strictObject({ format: z.literal(format), version: z.literal(version) });
const answerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ended'), exitCode: z.int(), stdout: z.string(), stderr: z.string() }),
  z.strictObject({ kind: z.literal('unanswered'), reason: z.string() }),
]);
const nodeSchema = z.strictObject({
  node: z.string().min(1),
  askedAt: z.iso.datetime(),
  unreachable: z.string().nullable(),
  answers: z.partialRecord(z.enum(probeNames as [ProbeName, ...ProbeName[]]), answerSchema),
});
/** The last line counts the nodes: a file that was cut has none. */
const endSchema = z.strictObject({ end: z.int().nonnegative() });

/** JSON Schema of the lines of a snapshot file: a header, one line for each node, and the end. */
export function snapshotFileSchema(): object {
  return z.toJSONSchema(z.union([headerSchema, nodeSchema, endSchema]));
}

/** Writes answers as a snapshot file: NDJSON, UTF-8, each line with its line feed. */
export function* writeSnapshotFile(transcripts: Iterable<NodeTranscript>): Generator<string> {
  yield `${JSON.stringify({ format, version })}\n`;
  let nodes = 0;
  for (const { node, askedAt, unreachable, answers } of transcripts) {
    nodes += 1;
    yield `${JSON.stringify({ node, askedAt, unreachable, answers })}\n`;
  }
  yield `${JSON.stringify({ end: nodes })}\n`;
}

/**
 * Reads a snapshot file node by node, so that only one node's raw answers are in memory at a time.
 *
 * @param chunks The file as it comes, for instance a Node `ReadStream`; pieces need not end with lines.
 * @throws SnapshotFileError when it is of another format or version, not whole, or names a node twice.
 */
export async function readSnapshotFile(
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): Promise<Snapshot> {
  const reader = snapshotReader();
  const seen = new Set<string>();
  let number = 0;
  let ended = false;
  for await (const line of linesOf(chunks)) {
    number += 1;
    const value = parseLine(line, number);
    if (ended) throw refuse(number, 'a line after the end');
    if (number === 1) {
      if (!headerSchema.safeParse(value).success) throw refuse(1, `not the header of ${format} version ${version}`);
      continue;
    }
    const end = endSchema.safeParse(value);
    if (end.success) {
      if (end.data.end !== seen.size) throw refuse(number, `${seen.size} nodes where ${end.data.end} were written`);
      ended = true;
      continue;
    }
    const node = nodeSchema.safeParse(value);
    if (!node.success) throw refuse(number, z.prettifyError(node.error));
    if (seen.has(node.data.node)) throw refuse(number, `node ${node.data.node} a second time`);
    seen.add(node.data.node);
    reader.add({ ...node.data, answers: defined(node.data.answers) });
  }
  if (!ended) throw refuse(number + 1, 'the end is missing: the file was cut');
  return reader.snapshot();
}

/** Drops keys without a value, which the type of a parsed record allows and ours does not. */
function defined<K extends string, V>(record: Partial<Record<K, V | undefined>>): Partial<Record<K, V>> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Partial<Record<K, V>>;
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw refuse(number, 'not JSON', cause);
  }
}

function refuse(line: number, reason: string, cause?: unknown): SnapshotFileError {
  return new SnapshotFileError(`snapshot file, line ${line}: ${reason}`, {
    remedy: 'Collect the nodes again, or use the version of splitmirror that wrote the file.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Lines that end; a rest without a line feed is a line too, and its reader has to refuse it. */
async function* linesOf(
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  let open: string[] = [];
  for await (const chunk of chunks) {
    const pieces = (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })).split('\n');
    const last = pieces.pop() ?? '';
    for (const piece of pieces) {
      open.push(piece);
      yield open.join('');
      open = [];
    }
    open.push(last);
  }
  const rest = open.join('');
  if (rest !== '') yield rest;
}
