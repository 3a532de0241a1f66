import { ParseError } from '@splitmirror/host';
import { readCells } from './cells.ts';

/** Mirror pools of a volume group: what `lsmp VG` prints. */
export interface MirrorPools {
  readonly group: string;
  /** Every copy lies in one pool, and no pool holds two copies. */
  readonly superStrict: boolean;
  readonly pools: readonly { readonly name: string; readonly mode: string | null }[];
}

/**
 * Reads what `lsmp VG` prints.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseMirrorPools(text: string): MirrorPools {
  const [head = '', ...blocks] = text.split(/^(?=MIRROR POOL:)/m);
  const group = readCells('lsmp', head, ['VOLUME GROUP', 'Mirror Pool Super Strict']);
  return {
    group: group.word('VOLUME GROUP'),
    superStrict: group.word('Mirror Pool Super Strict') === 'yes',
    pools: blocks.map((block) => {
      const pool = readCells('lsmp', block, ['MIRROR POOL', 'Mirroring Mode']);
      return { name: pool.word('MIRROR POOL'), mode: pool.need('Mirroring Mode') };
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
  const lines = text.trimEnd().split('\n');
  const titled = /^\S+:\s*$/.test(lines[0] ?? '') ? 1 : 0;
  const heading = lines[titled] ?? '';
  if (!/^Logical Volume\s+Copy 1\s+Copy 2\s+Copy 3\s*$/i.test(heading)) {
    throw new ParseError('lsvg -m', 'no column heading', { line: titled + 1, text: heading });
  }
  return lines.slice(titled + 1).map((line, index) => {
    const [volume, ...pools] = line.trim().split(/\s+/);
    if (!volume || pools.length !== 3) {
      throw new ParseError('lsvg -m', 'not a volume with three pools', { line: titled + index + 2, text: line });
    }
    return { volume, pools: pools.map((pool) => (pool === 'None' ? null : pool)) };
  });
}
