import type { RecoveryRecord } from '@splitmirror/backup';
import { durationText } from '../units.ts';
import type { Report } from './report.ts';

/** The report of a recovery: what was taken back, when, by whom, and on which evidence. Pure. */
export function reportOfRecovery(record: RecoveryRecord): Report {
  const { run, group, node, startedAt, endedAt, by, controller, breakLock, directory } = record;
  const lasted =
    endedAt === null ? [] : [['lasted', durationText(Date.parse(endedAt) - Date.parse(startedAt))] as const];
  return {
    title: `Recovery ${run}: ${group}${node === null ? '' : ` on ${node}`}`,
    verdict: verdictOf(record),
    facts: [
      ['started', startedAt],
      ...lasted,
      ['asked for by', by ?? 'nobody who said so'],
      ['done by', `process ${controller.pid} on ${controller.host}`],
      ...(breakLock
        ? ([['lock', 'to be taken from a holder that could not be proved gone (--break-lock)']] as const)
        : []),
      ['record', directory],
    ],
    sections: [
      { title: 'Found', head: ['of earlier runs'], rows: record.found.map((line) => [line]), none: 'Nothing.' },
      {
        title: 'Performed',
        head: ['when', 'node', 'what', 'outcome'],
        rows: record.performed.map(({ at, node: on, title, outcome }) => [at, on, title, outcome]),
        none: 'Nothing had to be taken back.',
      },
      {
        title: 'Commands',
        head: ['node', 'command'],
        rows: record.performed.flatMap(({ node: on, commands }) => commands.map((command) => [on, command])),
        none: 'None but those of the site that resume an application.',
      },
      {
        title: 'Ownership',
        head: ['node', 'asked', 'says'],
        rows: record.evidence.map(({ node: of, source, says }) => [of, source, says]),
        none: 'Nobody provably held the group.',
      },
      {
        title: 'Odd',
        head: ['what', 'seen', 'remedy'],
        rows: record.problems.map(({ code, message, remedy }) => [code, message, remedy]),
        none: 'Nothing.',
      },
    ],
  };
}

function verdictOf({ verdict }: RecoveryRecord): Report['verdict'] {
  switch (verdict) {
    case 'whole':
      return { tone: 'good', text: 'Whole: every copy is in step and nothing of splitmirror is left.' };
    case null:
      return {
        tone: 'bad',
        text: 'The record breaks off: the recovery was killed, or is still at work. Run it again.',
      };
    default:
      return { tone: 'bad', text: `The recovery ended ${verdict}: a person has to look.` };
  }
}
