import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { timelineOf } from '@splitmirror/backup';
import { renderReportHtml } from '../report/html.ts';
import { type RunRecord, reportOf } from '../report/report.ts';
import { renderReportText } from '../report/text.ts';
import type { Session } from '../session.ts';

/** Where a report goes beside the terminal. */
export interface ShowFlags {
  readonly html?: string;
}

/** The report of a run: what it did and when, why it was allowed to, what it saved. */
export async function show(
  { context, reporter }: Session,
  group: string,
  run: string | undefined,
  { html }: ShowFlags,
): Promise<number> {
  const { manifest, directory } = await context.store.find(group, run);
  const record: RunRecord = { manifest, timeline: await readTimeline(directory) };
  for (const line of renderReportText(reportOf(record)).trimEnd().split('\n')) reporter.line(line);
  if (html !== undefined) {
    await writeFile(html, renderReportHtml(record));
    reporter.line(`\nreport: ${html}`);
  }
  reporter.result({ ...record });
  return 0;
}

/** The journal is a help: a backup whose journal was removed is as good as before. */
async function readTimeline(directory: string): Promise<RunRecord['timeline']> {
  const text = await readFile(join(directory, 'journal.ndjson'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : timelineOf(text);
}
