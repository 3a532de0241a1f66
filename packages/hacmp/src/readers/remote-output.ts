import { ParseError } from '@splitmirror/host';

/** What one node printed under `clcmd`. */
export interface NodeOutput {
  /** Cluster node name. */
  readonly node: string;
  readonly output: string;
}

const refusal = /^Communication error, see logfile\s*$/m;

/**
 * Takes the output of `clcmd COMMAND` apart by node. When the output begins with a ruler, only names between two rulers
 * count, because the command itself may print lines that begin with `NODE`.
 *
 * @throws {@link ParseError} when there is something before the first node, a node comes twice, or a node could not be
 *   asked: an answer of all nodes but one is none.
 */
export function parseNodeOutputs(text: string): NodeOutput[] {
  const source = 'clcmd';
  const output = text.replaceAll('\r\n', '\n');
  const ruled = /^\s*-{20,}[ \t]*\n/.test(output);
  const mark = ruled ? /^-{20,}[ \t]*\nNODE (\S+)[ \t]*\n-{20,}[ \t]*$/m : /^NODE (\S+)[ \t]*$/m;
  const [before = '', ...parts] = output.split(mark);
  if (before.trim() !== '' || parts.length === 0) {
    throw new ParseError(source, 'no node before it', { line: 1, text: before });
  }
  const outputs = Array.from({ length: parts.length / 2 }, (_, index): NodeOutput => {
    const node = parts[index * 2] ?? '';
    const output = (parts[index * 2 + 1] ?? '').replace(/^\n/, '');
    return { node, output: parseRemoteOutput(output, `${source} on ${node}`) };
  });
  if (new Set(outputs.map(({ node }) => node)).size < outputs.length) {
    throw new ParseError(source, 'a node comes twice', { line: 1, text });
  }
  return outputs;
}

/**
 * Passes on what a command printed through `clrsh`, `cl_rsh` or `clcmd`, unless it is the notice that stands in place of
 * an answer. It comes now and then even from the local node.
 *
 * @throws {@link ParseError} at that notice.
 */
export function parseRemoteOutput(text: string, source = 'clrsh'): string {
  const notice = refusal.exec(text);
  if (!notice) return text;
  throw new ParseError(source, 'the node was not reached', {
    line: text.slice(0, notice.index).split('\n').length,
    text: notice[0],
  });
}
