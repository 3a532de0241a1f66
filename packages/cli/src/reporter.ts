import type { BackupEvent } from '@splitmirror/backup';
import { createLogUpdate } from 'log-update';
import { afterEvent, lineOf, liveLines, noProgress } from './progress.ts';

/** Where a command tells what it does. */
export interface Reporter {
  heading(title: string): void;
  line(text: string): void;
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
  const print = (value: unknown) => void stream.write(`${JSON.stringify(value)}\n`);
  return {
    heading: (title) => print({ at: new Date().toISOString(), type: 'heading', title }),
    line: (text) => print({ at: new Date().toISOString(), type: 'line', text }),
    warn: (text) => print({ at: new Date().toISOString(), type: 'warning', text }),
    event: (event, group) => print(group === undefined ? event : { group, ...event }),
    result: (value) => print({ at: new Date().toISOString(), type: 'result', ...value }),
    close() {},
  };
}

function textReporter(stream: NodeJS.WriteStream, live: boolean, quiet: boolean): Reporter {
  const area = createLogUpdate(stream);
  let progress = noProgress;
  const draw = () => area(liveLines(progress, Date.now(), (stream.columns ?? 80) - 1).join('\n'));
  const timer = live ? setInterval(draw, 125) : undefined;
  timer?.unref();
  const print = (text: string) => {
    if (live) area.clear();
    stream.write(`${text}\n`);
    if (live) draw();
  };
  return {
    heading: (title) => quiet || print(`\n${title}`),
    line: (text) => quiet || print(text),
    warn: (text) => print(`warning: ${text}`),
    event(event, group) {
      const text = lineOf(event, progress);
      progress = afterEvent(progress, event);
      if (text === undefined || (quiet && event.type !== 'way-back')) return;
      print(group === undefined ? text : text.replace(/^/gm, `${group}: `));
    },
    result() {},
    close() {
      clearInterval(timer);
      if (live) area.clear();
    },
  };
}
