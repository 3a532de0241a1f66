import { linesOf, nowhere, ParseError } from '@splitmirror/host';
import { readCells } from './cells.ts';

/** Mirror pools of a volume group: what `lsmp VG` prints. */
export interface MirrorPools {
  readonly group: string;
  /** Every copy lies in one pool, and no pool holds two copies. */
  readonly superStrict: boolean;
  readonly pools: readonly MirrorPool[];
  /** Rows whose labels are not known here, as newer levels print them: value by label. */
  readonly otherRows: Readonly<Record<string, string>>;
}

/** One mirror pool of a group. */
export interface MirrorPool {
  readonly name: string;
  readonly mode: string | null;
  /** As in {@link MirrorPools}. */
  readonly otherRows: Readonly<Record<string, string>>;
}

/** A pool that mirrors asynchronously says more of itself. */
const poolLabels = [
  ...['MIRROR POOL', 'Mirroring Mode', 'ASYNC MIRROR STATE', 'ASYNC CACHE LV', 'ASYNC CACHE VALID'],
  ...['ASYNC CACHE EMPTY', 'ASYNC CACHE HWM', 'ASYNC DATA DIVERGED'],
];

/**
 * Reads what `lsmp VG` prints.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseMirrorPools(text: string): MirrorPools {
  const [head = '', ...blocks] = text.split(/^(?=MIRROR POOL:)/m);
  const group = readCells('lsmp', head, ['VOLUME GROUP', 'Mirror Pool Super Strict']);
  const superStrict = group.word('Mirror Pool Super Strict');
  if (superStrict !== 'yes' && superStrict !== 'no') {
    throw new ParseError('lsmp', 'Mirror Pool Super Strict: neither yes nor no', { line: 1, text: superStrict });
  }
  return {
    group: group.word('VOLUME GROUP'),
    superStrict: superStrict === 'yes',
    otherRows: group.others,
    pools: blocks.map((block) => {
      const pool = readCells('lsmp', block, poolLabels);
      return { name: pool.word('MIRROR POOL'), mode: pool.need('Mirroring Mode'), otherRows: pool.others };
    }),
  };
}

/** In which pool each copy of a volume lies: a row of `lsvg -m`. */
export interface VolumePools {
  readonly volume: string;
  /** Pool of the first, second and third copy. */
  readonly pools: readonly (string | null)[];
}

/**
 * Reads what `lsvg -m VG` prints. The group's name may stand in front.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseVolumePools(text: string): VolumePools[] {
  const lines = linesOf(text);
  const [heading = nowhere, ...rows] = lines.slice(/^\S+:$/.test(lines[0]?.text ?? '') ? 1 : 0);
  if (!/^Logical Volume\s+Copy 1\s+Copy 2\s+Copy 3$/i.test(heading.text)) {
    throw new ParseError('lsvg -m', 'no column heading', heading);
  }
  return rows.map((row) => {
    const [volume, ...pools] = row.text.trim().split(/\s+/);
    if (!volume || pools.length !== 3) throw new ParseError('lsvg -m', 'not a volume with three pools', row);
    return { volume, pools: pools.map((pool) => (pool === 'None' ? null : pool)) };
  });
}
