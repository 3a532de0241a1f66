import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupError, healthOf, listRecoveries, runsWithoutEnd, timelineOf } from '@splitmirror/backup';
import { exitCodes } from '../exit-codes.ts';
import { type Aftermath, aftermathOf } from '../report/aftermath.ts';
import { renderPage, renderReportHtml } from '../report/html.ts';
import { reportOfRecovery } from '../report/recovery.ts';
import { type Report, type RunRecord, reportOf } from '../report/report.ts';
import { renderReportText } from '../report/text.ts';
import type { Session } from '../session.ts';
import { toFile } from './output-file.ts';

/** Where a report goes beside the terminal. */
export interface ShowFlags {
  readonly html?: string;
}

/**
 * The report of a run, also of one that failed: what it did and when, why it was allowed to, what it saved, what broke. Or,
 * by its id, of a recovery: what it took back, when, for whom, on which evidence.
 */
export async function show(
  session: Session,
  group: string,
  run: string | undefined,
  { html }: ShowFlags,
): Promise<number> {
  const { context, reporter } = session;
  const tell = async (report: Report, page: () => string, result: object): Promise<number> => {
    for (const line of renderReportText(report, session).trimEnd().split('\n')) reporter.line(line);
    if (html !== undefined) {
      await toFile(html, () => writeFile(html, page()));
      reporter.line(`\nreport: ${html}`);
    }
    reporter.result({ ...result });
    return exitCodes.OK.code;
  };
  const recovery = (await listRecoveries(context.store, group)).recoveries.find((each) => each.run === run);
  if (recovery !== undefined) {
    const report = reportOfRecovery(recovery);
    return tell(report, () => renderPage(report), recovery);
  }
  const record = await findRecord(context, group, run);
  return tell(reportOf(record), () => renderReportHtml(record), record);
}

/** The newest run, or the one that is named; one that did not finish has a journal and no manifest. */
async function findRecord(context: Session['context'], group: string, run: string | undefined): Promise<RunRecord> {
  const { store } = context;
  const { backups, incomplete } = await store.survey(group);
  const unfinished = incomplete.findLast((each) => run === undefined || each.run === run);
  const newest = backups.at(-1)?.manifest;
  if (
    unfinished === undefined ||
    (run === undefined && newest !== undefined && newest.createdAt > unfinished.createdAt)
  ) {
    const backup = await store.find(group, run);
    const { manifest, records, directory } = backup;
    return { manifest, health: healthOf(backup), records, timeline: await readTimeline(directory), aftermath: null };
  }
  const timeline = await readTimeline(unfinished.directory);
  if (timeline !== null) {
    return { manifest: null, health: null, records: [], timeline, aftermath: await readAftermath(context, timeline) };
  }
  throw new BackupError('BACKUP_UNKNOWN', `run ${unfinished.run} of ${group} has left nothing that tells of it`, {
    remedy: 'Name another run; "splitmirror list" has them all.',
  });
}

async function readAftermath(
  { store, surroundings }: Session['context'],
  { run, group, startedAt }: { readonly run: string; readonly group: string; readonly startedAt: string },
): Promise<Aftermath | null> {
  const { backups } = await store.survey(group);
  const { recoveries } = await listRecoveries(store, group);
  return aftermathOf(
    { run, startedAt },
    {
      recoveries,
      backups: backups.map(({ manifest }) => manifest),
      progress: await runsWithoutEnd(store, group),
      isAlive: (controller) => surroundings.isAlive(controller),
    },
  );
}

/** The journal is a help: a backup whose journal was removed is as good as before. */
async function readTimeline(directory: string): Promise<RunRecord['timeline']> {
  const text = await readFile(join(directory, 'journal.ndjson'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text === '' ? null : timelineOf(text);
}
