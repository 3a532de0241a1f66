import { ArchiveError, hexOf } from '../errors.ts';

/** Longest code that the format allows, in bits. */
const mostLevels = 24;
/** Bits that one look into the table decides. */
const tableBits = 12;
const tableMask = (1 << tableBits) - 1;

interface Tree {
  /** Leaves and inner nodes of each level; level 1 stands at index 0. */
  readonly leaves: readonly number[];
  readonly inner: readonly number[];
  /** Number of the first leaf of each level. */
  readonly first: readonly number[];
  readonly symbols: Buffer;
  /** Up to three symbols for the next bits: 8 bits each, their code lengths in bits 24 to 28, their number above. */
  readonly table: Int32Array;
}

/**
 * Decodes the content of a member that `backup -p` packed: Huffman codes as in pack(1), without that tool's own header.
 *
 * @param size Bytes that must come out.
 * @param offset Stream offset of the first byte, for errors.
 * @param emit Takes decoded bytes; they may be kept only by copying them.
 */
export function createUnpacker(
  size: number,
  offset: number,
  emit: (bytes: Buffer, start: number, end: number) => void,
): { push(chunk: Buffer, start: number, end: number): void; end(): void } {
  let header = Buffer.alloc(0);
  let tree: Tree | undefined;
  let accumulator = 0;
  let bits = 0;
  let ended = false;
  let produced = 0;
  const output = Buffer.alloc(Math.min(65_536, size + 3));
  let filled = 0;

  function damaged(message: string, seen: string): never {
    throw new ArchiveError('ARCHIVE_DATA_DAMAGED', `a packed member ${message}`, { offset, seen });
  }

  function flush(): void {
    produced += filled;
    if (produced > size) damaged('unpacks to more than its size', `more than ${size} bytes`);
    if (filled > 0) emit(output, 0, filled);
    filled = 0;
  }

  function decode(chunk: Buffer, start: number, end: number, codes: Tree, isLast: boolean): void {
    const { table } = codes;
    const room = output.length - 3;
    const fewest = isLast ? tableBits : mostLevels;
    let at = start;
    while (!ended) {
      // The state is kept in variables of this function while the table decides, which is almost always.
      let word = accumulator;
      let held = bits;
      let to = filled;
      for (;;) {
        while (held <= 24 && at < end) {
          word = (word << 8) | (chunk[at++] as number);
          held += 8;
        }
        if (held < fewest) break;
        const found = table[(word >>> (held - tableBits)) & tableMask] as number;
        const symbols = found >>> 29;
        if (symbols === 0 || to >= room) break;
        held -= (found >>> 24) & 31;
        output[to] = found;
        output[to + 1] = found >>> 8;
        output[to + 2] = found >>> 16;
        to += symbols;
      }
      accumulator = word;
      bits = held;
      filled = to;
      if (filled >= room) flush();
      else if (bits < mostLevels && !isLast) break;
      else walk(codes);
    }
    if (ended && (at < end || bits >= 8)) damaged('goes on behind its end', `${end - at + (bits >> 3)} bytes`);
  }

  /** Decodes one symbol bit by bit: a long code, the end, or the last bits of all. */
  function walk({ leaves, inner, first, symbols }: Tree): void {
    let code = 0;
    for (let level = 0; level < leaves.length; level += 1) {
      if (bits === 0) damaged('stops before its end', `${produced + filled} of ${size} bytes`);
      bits -= 1;
      code = code * 2 + ((accumulator >>> bits) & 1);
      const leaf = code - (inner[level] as number);
      if (leaf < 0) continue;
      if (leaf >= (leaves[level] as number)) break;
      const number = (first[level] as number) + leaf;
      if (number === symbols.length) ended = true;
      else output[filled++] = symbols[number] as number;
      return;
    }
    damaged('has a code that its tree does not know', String(code));
  }

  return {
    push(chunk, start, end) {
      if (tree !== undefined) {
        decode(chunk, start, end, tree, false);
        return;
      }
      // The tree takes at most 1 + 24 + 255 bytes.
      header = Buffer.concat([header, chunk.subarray(start, end)]);
      const length = treeBytes(header, damaged);
      if (length === undefined) return;
      tree = readTree(header, length, damaged);
      decode(header, length, header.length, tree, false);
      header = Buffer.alloc(0);
    },
    end() {
      if (tree === undefined) damaged('stops within its tree', hexOf(header));
      decode(header, 0, 0, tree, true);
      flush();
      if (produced !== size) damaged('unpacks to another size than it says', `${produced} of ${size} bytes`);
    },
  };
}

type Damaged = (message: string, seen: string) => never;

/** Leaves of each level. The last level holds the end code too, and is stored as two less. */
function leavesOf(header: Buffer): number[] {
  const levels = header[0] ?? 0;
  const leaves = [...header.subarray(1, 1 + levels)];
  leaves[levels - 1] = (leaves[levels - 1] ?? 0) + 2;
  return leaves;
}

/** Bytes of the tree at the start, `undefined` while they are not all there. */
function treeBytes(header: Buffer, damaged: Damaged): number | undefined {
  const levels = header[0];
  if (levels === undefined) return undefined;
  if (levels === 0 || levels > mostLevels) damaged('has a tree of impossible depth', String(levels));
  if (header.length < 1 + levels) return undefined;
  const symbols = leavesOf(header).reduce((sum, leaves) => sum + leaves, -1);
  if (symbols > 256) damaged('has more symbols than there are', String(symbols));
  const length = 1 + levels + symbols;
  return header.length < length ? undefined : length;
}

function readTree(header: Buffer, length: number, damaged: Damaged): Tree {
  const leaves = leavesOf(header);
  const inner = new Array<number>(leaves.length).fill(0);
  for (let level = leaves.length - 1; level >= 0; level -= 1) {
    const nodes = (inner[level] as number) + (leaves[level] as number);
    if (nodes % 2 !== 0 || (level === 0 && nodes !== 2)) damaged('has a tree that does not join', leaves.join(' '));
    if (level > 0) inner[level - 1] = nodes / 2;
  }
  const first: number[] = [];
  leaves.reduce((sum, count, level) => {
    first[level] = sum;
    return sum + count;
  }, 0);
  // A copy: the header may be a view of the stream.
  const symbols = Buffer.from(header.subarray(1 + leaves.length, length));
  return { leaves, inner, first, symbols, table: buildTable(leaves, inner, symbols) };
}

function buildTable(leaves: readonly number[], inner: readonly number[], symbols: Buffer): Int32Array {
  const size = 1 << tableBits;
  /** Code length in the low bits, symbol above; 0 for a code that is too long, or the end. */
  const single = new Uint16Array(size);
  let number = 0;
  for (let level = 0; level < Math.min(leaves.length, tableBits); level += 1) {
    const spread = tableBits - level - 1;
    for (let leaf = 0; leaf < (leaves[level] as number); leaf += 1, number += 1) {
      if (number === symbols.length) continue;
      const from = ((inner[level] as number) + leaf) << spread;
      single.fill((level + 1) | ((symbols[number] as number) << 8), from, from + (1 << spread));
    }
  }
  const table = new Int32Array(size);
  for (let index = 0; index < size; index += 1) {
    let used = 0;
    let packed = 0;
    let count = 0;
    while (count < 3) {
      const found = single[(index << used) & (size - 1)] as number;
      const length = found & 0xff;
      if (length === 0 || used + length > tableBits) break;
      packed |= (found >>> 8) << (8 * count);
      used += length;
      count += 1;
    }
    table[index] = packed | (used << 24) | (count << 29);
  }
  return table;
}
