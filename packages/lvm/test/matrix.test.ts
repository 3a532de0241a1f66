import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { cases, type MatrixCase } from './matrix/cases.ts';
import { type Boundary, boundariesOf, type CellResult, tryCell } from './matrix/run.ts';
import { buildScene } from './matrix/scene.ts';
import { type Accident, accidents } from './matrix/script.ts';
import { printMatrix, type Row, readBoundaries } from './matrix/table.ts';

const page = fileURLToPath(new URL('../../../docs/strategy-matrix.md', import.meta.url));
const update = process.env.SPLITMIRROR_UPDATE_MATRIX === '1';
const exhaustive = update || process.env.SPLITMIRROR_EXHAUSTIVE === '1';

const plans = await Promise.all(
  cases.map(async (each) => {
    const scene = await buildScene(each.wish);
    try {
      return { each, boundaries: await boundariesOf(scene, each.request) };
    } finally {
      scene.remove();
    }
  }),
);

/** Without the wish for all of them, every boundary has one accident, and every accident its turn. */
function accidentsAt(position: number, caseNumber: number): readonly Accident[] {
  return exhaustive ? accidents : accidents.slice((position + caseNumber) % accidents.length).slice(0, 1);
}

async function tryAll(each: MatrixCase, boundaries: readonly Boundary[], caseNumber: number): Promise<Row> {
  const results: { cell: string; accident: Accident; result: CellResult }[] = [];
  let scene = await buildScene(each.wish);
  for (const [position, boundary] of boundaries.entries()) {
    for (const accident of accidentsAt(position, caseNumber)) {
      const result = await tryCell(scene, each, boundary, accident).catch(
        (error: unknown): CellResult => ({ kind: 'broken', what: String(error) }),
      );
      results.push({ cell: `${accident} at ${boundary.id}`, accident, result });
      if (result.kind !== 'broken') continue;
      scene.remove();
      scene = await buildScene(each.wish);
    }
  }
  scene.remove();
  const broken = results.flatMap(({ cell, result }) => (result.kind === 'broken' ? [`${cell}: ${result.what}`] : []));
  expect(broken).toEqual([]);
  return {
    title: each.title,
    boundaries: boundaries.length,
    cells: accidents.map((accident) => {
      const mine = results.filter((each) => each.accident === accident);
      return { tried: mine.length, reported: mine.filter(({ result }) => result.kind === 'reported').length };
    }),
  };
}

describe('every strategy, whatever happens at any command', () => {
  const rows: Row[] = [];
  for (const [number, { each, boundaries }] of plans.entries()) {
    const all = boundaries.length * accidents.length;
    const tried = exhaustive ? all : boundaries.length;
    it(`${each.title}: ${tried} of ${all} cells`, async () => {
      rows.push(await tryAll(each, boundaries, number));
    }, 600_000);
    if (tried < all) it.skip(`${each.title}: the other ${all - tried} cells, tried with SPLITMIRROR_EXHAUSTIVE=1`);
  }

  it('is what docs/strategy-matrix.md tells', () => {
    if (update) writeFileSync(page, printMatrix(rows));
    const written = existsSync(page) ? readFileSync(page, 'utf8') : '';
    // Without all cells only how many there are can be compared.
    if (exhaustive) expect(written).toBe(printMatrix(rows));
    expect(readBoundaries(written)).toEqual(
      Object.fromEntries(plans.map(({ each, boundaries }) => [each.title, boundaries.length])),
    );
  });

  afterAll(() => console.log(printMatrix(rows)));
});
