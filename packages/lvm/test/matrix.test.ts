import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { cases, type MatrixCase } from './matrix/cases.ts';
import { type Boundary, boundariesOf, type CellResult, type Relapse, tryCell } from './matrix/run.ts';
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

const inRecovery: readonly Relapse['accident'][] = ['controller dies', 'fails before', 'link drops', 'fails after'];

/** An accident at each boundary, or at every fifth, and another one somewhere in the recovery. */
function relapsesOf(boundaries: readonly Boundary[], caseNumber: number) {
  return boundaries.flatMap((boundary, position) => {
    if (!exhaustive && position % 5 !== caseNumber % 5) return [];
    const accident = accidents[(position * 5 + caseNumber) % accidents.length] ?? 'node dies';
    const relapse = { share: (position * 0.618) % 1, accident: inRecovery[position % 4] ?? 'fails before' };
    return [{ boundary, accident, relapse }];
  });
}

async function tryAll(each: MatrixCase, boundaries: readonly Boundary[], caseNumber: number): Promise<Row> {
  const first = boundaries.flatMap((boundary, position) =>
    accidentsAt(position, caseNumber).map((accident) => ({ boundary, accident, relapse: undefined })),
  );
  const relapses = relapsesOf(boundaries, caseNumber);
  const results: { accident: Accident; relapse: Relapse | undefined; result: CellResult }[] = [];
  const broken: string[] = [];
  let scene = await buildScene(each.wish);
  for (const { boundary, accident, relapse } of [...first, ...relapses]) {
    const result = await tryCell(scene, each, boundary, accident, relapse).catch(
      (error: unknown): CellResult => ({ kind: 'broken', what: String(error) }),
    );
    results.push({ accident, relapse, result });
    if (result.kind !== 'broken') continue;
    const again =
      relapse === undefined ? '' : `, then ${relapse.accident} at ${relapse.share.toFixed(2)} of the recovery`;
    broken.push(`${accident} at ${boundary.id}${again}: ${result.what}`);
    scene.remove();
    scene = await buildScene(each.wish);
  }
  scene.remove();
  expect(broken).toEqual([]);
  return {
    title: each.title,
    boundaries: boundaries.length,
    cells: accidents.map((accident) => {
      const mine = results.filter((tried) => tried.accident === accident && tried.relapse === undefined);
      return { tried: mine.length, reported: mine.filter(({ result }) => result.kind === 'reported').length };
    }),
    relapses: relapses.length,
  };
}

describe('every strategy, whatever happens at any command', () => {
  const rows: Row[] = [];
  for (const [number, { each, boundaries }] of plans.entries()) {
    const all = boundaries.length * (accidents.length + 1);
    const tried = exhaustive ? all : boundaries.length + relapsesOf(boundaries, number).length;
    it(`${each.title}: ${tried} of ${all} runs`, async () => {
      rows.push(await tryAll(each, boundaries, number));
    }, 600_000);
    if (tried < all) it.skip(`${each.title}: the other ${all - tried} runs, tried with SPLITMIRROR_EXHAUSTIVE=1`);
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
