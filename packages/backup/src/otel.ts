import { type Context, context, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { BackupEvent } from './events.ts';

/** Where spans go. */
export interface TracingOptions {
  /** Default: the one of the globally registered provider, named `@splitmirror/backup`. */
  readonly tracer?: Tracer | undefined;
  /** Context whose span is the parent of each run; default the active one. */
  readonly parent?: Context | undefined;
}

/**
 * Makes spans of the events of one run: a span for the run, one in it for each step, one in the archive step for each
 * archive. Give what is returned as `onEvent`. Times are those of the events.
 *
 * Attributes: `splitmirror.run`, `.group`, `.node`, `.verdict`; `.step`, `.outcome`, `.title`; `.volume`, `.bytes`,
 * `.entries`. Commands and outputs are not among them.
 */
export function traceRun({
  tracer = trace.getTracer('@splitmirror/backup'),
  parent = context.active(),
}: TracingOptions = {}): (event: BackupEvent) => void {
  let run: Span | undefined;
  let step: Span | undefined;
  const archives = new Map<string, Span>();
  const start = (name: string, event: BackupEvent, within: Span | undefined, attributes: Attributes): Span => {
    const options = { startTime: new Date(event.at), attributes };
    return tracer.startSpan(name, options, within === undefined ? parent : trace.setSpan(parent, within));
  };
  const end = (span: Span | undefined, event: BackupEvent, failure: string | null, attributes: Attributes = {}) => {
    span?.setAttributes(attributes);
    if (failure !== null) span?.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span?.end(new Date(event.at));
  };
  return (event) => {
    switch (event.type) {
      case 'run-start':
        run = start('backup', event, undefined, {
          'splitmirror.run': event.run,
          'splitmirror.group': event.group,
          'splitmirror.node': event.node,
        });
        return;
      case 'step-start':
        step = start(event.step, event, run, { 'splitmirror.step': event.step, 'splitmirror.title': event.title });
        return;
      case 'step-end':
        // What an archive's failure leaves open ends with its step.
        for (const archive of archives.values()) end(archive, event, 'not finished');
        archives.clear();
        end(step, event, failures.has(event.outcome) ? event.outcome : null, { 'splitmirror.outcome': event.outcome });
        step = undefined;
        return;
      case 'archive-start':
        archives.set(event.volume, start('archive volume', event, step, { 'splitmirror.volume': event.volume }));
        return;
      case 'archive-end':
        end(archives.get(event.volume), event, null, {
          'splitmirror.bytes': event.bytes,
          'splitmirror.entries': event.entries,
        });
        archives.delete(event.volume);
        return;
      case 'way-back':
        run?.addEvent(
          'way-back',
          { 'splitmirror.reason': event.reason, 'splitmirror.codes': event.problems.map(({ code }) => code) },
          new Date(event.at),
        );
        return;
      case 'run-end': {
        const { kind } = event.verdict;
        end(step, event, 'stopped');
        end(run, event, kind === 'good' ? null : kind, { 'splitmirror.verdict': kind });
        run = undefined;
        return;
      }
      default:
        return;
    }
  };
}

type Attributes = Record<string, string | number>;

/** Outcomes of steps that are no success. */
const failures: ReadonlySet<string> = new Set(['failed', 'unknown', 'lost', 'reduced', 'unreadable']);
