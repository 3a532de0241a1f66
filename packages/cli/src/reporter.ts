import type { BackupEvent } from '@splitmirror/backup';
import { createLogUpdate } from 'log-update';
import { afterEvent, lineOf, liveLines, noProgress, type Progress, sparseLineOf } from './progress.ts';
import { terminalText } from './terminal-text.ts';

/** Where a command tells what it does. */
export interface Reporter {
  heading(title: string): void;
  line(text: string): void;
  /** What needs a person: printed also when quiet. */
  alert(text: string): void;
  /** What should be known although it works; also when quiet. */
  warn(text: string): void;
  /** @param group Told where several are backed up side by side. */
  event(event: BackupEvent, group?: string): void;
  /** The outcome, for programs: one JSON line in `--json`, nothing else. */
  result(value: Readonly<Record<string, unknown>>): void;
  /** Ends the live display. */
  close(): void;
}

/** `json`: one JSON object a line and nothing else. `quiet`: only what needs a person. */
export type ReportStyle = 'text' | 'json' | 'quiet';

/** Redraws on a terminal, writes plain lines elsewhere. */
export function createReporter(style: ReportStyle, stream: NodeJS.WriteStream): Reporter {
  if (style === 'json') return jsonReporter(stream);
  const live = style === 'text' && stream.isTTY === true && process.env.CI === undefined;
  return textReporter(stream, live, style === 'quiet');
}

function jsonReporter(stream: NodeJS.WriteStream): Reporter {
  const print = (type: string, more: Readonly<Record<string, unknown>>) =>
    void stream.write(`${JSON.stringify({ splitmirror: 1, at: new Date().toISOString(), type, ...more })}\n`);
  return {
    heading: (title) => print('heading', { title }),
    line: (text) => print('line', { text }),
    alert: (text) => print('alert', { text }),
    warn: (text) => print('warning', { text }),
    event: ({ type, ...event }, group) => print(type, group === undefined ? event : { group, ...event }),
    result: (value) => print('result', value),
    close() {},
  };
}

function textReporter(stream: NodeJS.WriteStream, live: boolean, quiet: boolean): Reporter {
  const area = createLogUpdate(stream);
  /** One for each group that is backed up side by side. */
  const pictures = new Map<string, Progress>();
  const draw = () => {
    const now = Date.now();
    const width = (stream.columns ?? 80) - 1;
    area(
      Array.from(pictures.values(), (progress) => liveLines(progress, now, width))
        .flat()
        .join('\n'),
    );
  };
  const timer = live ? setInterval(draw, 125) : undefined;
  timer?.unref();
  const print = (text: string) => {
    if (live) area.clear();
    stream.write(`${terminalText(text)}\n`);
    if (live) draw();
  };
  return {
    heading: (title) => quiet || print(`\n${title}`),
    line: (text) => quiet || print(text),
    alert: print,
    warn: (text) => print(`warning: ${text}`),
    event(event, group) {
      const before = pictures.get(group ?? '') ?? noProgress;
      pictures.set(group ?? '', afterEvent(before, event));
      if (quiet && event.type !== 'way-back') return;
      const text = lineOf(event, before) ?? (live ? undefined : sparseLineOf(event, before));
      if (text !== undefined) print(group === undefined ? text : text.replace(/^/gm, `${group}: `));
    },
    result() {},
    close() {
      clearInterval(timer);
      if (live) area.clear();
    },
  };
}
