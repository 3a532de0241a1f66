import { accidents } from './script.ts';

/** What came of one case. */
export interface Row {
  readonly title: string;
  readonly boundaries: number;
  /** In the order of {@link accidents}. */
  readonly cells: readonly {
    readonly tried: number;
    /** Of these, left to a person where the group was, and recovered where it came back to. */
    readonly reported: number;
  }[];
  /** Runs in which the recovery met with an accident too. */
  readonly relapses: number;
}

const head = `# Every strategy, whatever happens at any command

Made by \`SPLITMIRROR_UPDATE_MATRIX=1 npx vitest run packages/lvm/test/matrix.test.ts\`; the test fails when this page is out of date. Without
\`SPLITMIRROR_EXHAUSTIVE=1\` it tries one accident at each boundary.

A boundary is a command of the plan, from the mark of the split to the removal of the last directory. At each one, in turn:

| accident | what happens |
|---|---|
| controller dies | the script is ended after this command, and pays what it owes; another controller recovers, without a journal |
| link drops | nothing is heard any more, and the script goes on to its end |
| fails before | the command ends with 1 and has done nothing |
| fails after | the command ends with 1 and has done its work |
| node dies | it loses its power after this command, comes up again, and has the group online |
| group moves | after this command the group is brought to the other node in good order; where it is open, its node is halted |

Between the phases the application writes. Then \`recover\`, on both nodes, and all of this must be as before: copies and their disks, no stale
partition, the content as the application reads it and as **each copy** holds it by itself, labels, mounts, \`/etc/filesystems\`, disks and groups of both
nodes, and what others have beside ours: a volume and a volume group with names like ours. (Empty directories above those that \`splitvg\` makes may
stay when their removal fails.) A second \`recover\` must find nothing to do.

The last column but one counts runs in which the first recovery met with an accident as well, and was begun anew.

A cell tells in how many of its runs everything was as before. "reported" stands for what the new owner of the group cannot repair, since it has never heard
of the volume group that \`splitvg\` made: it said so and did nothing, and the recovery after the way back did.

`;

/** The page with the counts. */
export function printMatrix(rows: readonly Row[]): string {
  const columns = ['case', 'boundaries', ...accidents, 'and again in the recovery', 'runs'];
  const lines = rows.map(({ title, boundaries, cells, relapses }) => [
    title,
    String(boundaries),
    ...cells.map(({ tried, reported }) => (reported > 0 ? `${tried}, ${reported} of them reported` : String(tried))),
    String(relapses),
    String(runsOf({ cells, relapses })),
  ]);
  const total = rows.reduce((sum, row) => sum + runsOf(row), 0);
  const line = (words: readonly string[]) => `| ${words.join(' | ')} |\n`;
  const table = [columns, columns.map(() => '---'), ...lines].map(line).join('');
  return `${head}${table}\n${total} runs.\n`;
}

function runsOf({ cells, relapses }: Pick<Row, 'cells' | 'relapses'>): number {
  return cells.reduce((sum, { tried }) => sum + tried, relapses);
}

/** Boundaries of each case, as a page tells them. */
export function readBoundaries(text: string): Record<string, number> {
  const rows = text.matchAll(/^\| ([A-F] [^|]+) \| (\d+) \|/gm);
  return Object.fromEntries(Array.from(rows, ([, title, boundaries]) => [title ?? '', Number(boundaries)]));
}
