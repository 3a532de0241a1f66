import { SpanStatusCode } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it } from 'vitest';
import { labPolicy } from '../test/lab-policy.ts';
import { localFamily } from '../test/local-family.ts';
import { traceRun } from './otel.ts';
import { planBackup } from './plan/plan.ts';
import type { PhaseOutcome } from './ports.ts';
import { runBackup } from './run/run.ts';

async function traced(failing?: PhaseOutcome) {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const family = await localFamily({ a: 'n1' });
  family.onPhase = async (_, { name }) => (name === 'expose' ? failing : undefined);
  const context = { ...family.context, onEvent: traceRun({ tracer: provider.getTracer('test') }) };
  const plan = await planBackup(context, 'a', { ...labPolicy, quiesce: null, rawVolumes: [] });
  await runBackup(context, plan);
  return { plan, spans: exporter.getFinishedSpans() };
}

describe('traceRun', () => {
  it('makes a span of the run, its steps and its archives, each in its own', async () => {
    const { plan, spans } = await traced();
    const [run] = spans.filter(({ name }) => name === 'backup');
    expect(run?.attributes).toMatchObject({
      'splitmirror.run': plan.run,
      'splitmirror.group': 'a',
      'splitmirror.verdict': 'good',
    });
    expect(run?.status.code).toBe(SpanStatusCode.UNSET);
    const [step] = spans.filter(({ name }) => name === 'archive');
    const [volume] = spans.filter(({ name }) => name === 'archive volume');
    expect(volume?.parentSpanContext?.spanId).toBe(step?.spanContext().spanId);
    expect(step?.parentSpanContext?.spanId).toBe(run?.spanContext().spanId);
    expect(volume?.attributes).toMatchObject({
      'splitmirror.volume': 'alv',
      'splitmirror.entries': expect.any(Number),
    });
    expect(spans.filter(({ name }) => name === 'perform')).toHaveLength(4);
    expect(spans.every(({ ended }) => ended)).toBe(true);
  });

  it('shows where a run failed and turned back', async () => {
    const problem = { code: 'NOT_CLEAN', node: 'n1', message: '', seen: '', remedy: '' };
    const { spans } = await traced({
      kind: 'failed',
      problems: [problem],
      transcript: { kind: 'completed', steps: [] },
    });
    const [run] = spans.filter(({ name }) => name === 'backup');
    expect(run?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'failed' });
    expect(run?.events).toMatchObject([{ name: 'way-back', attributes: { 'splitmirror.codes': ['NOT_CLEAN'] } }]);
    const failed = spans.filter(({ status }) => status.code === SpanStatusCode.ERROR).map(({ name }) => name);
    expect(failed).toEqual(['perform', 'backup']);
  });
});
