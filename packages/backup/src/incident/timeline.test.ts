import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timelineOf } from './timeline.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 2, 1) + seconds * 1000).toISOString();
const plan = { run: 'k3f9q2', group: 'pay_rg', node: 'node_a', evidence: [] };
const planned = { at: at(0), kind: 'plan', digest: '00', plan };
const intent = (seconds: number, effect: object) => ({ at: at(seconds), kind: 'intent', effect });
const outcome = (seconds: number, of: string, rest: object) => ({ at: at(seconds), kind: 'outcome', of, ...rest });
const ended = (id: string, durationMs: number) => ({ kind: 'ended', id, durationMs, exitCode: 0 });
const journal = (...lines: object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

const splitSteps = [
  ended('note', 100),
  ended('suspend:0', 2000),
  ended('freeze:/pay', 300),
  ended('split:paylv', 1500),
  ended('thaw:/pay', 200),
  ended('resume:0', 900),
  ended('settle', 100),
];
const split = [
  intent(1, { kind: 'perform', phase: { name: 'split' } }),
  outcome(7, 'perform', { outcome: { kind: 'done', transcript: { steps: splitSteps } } }),
];
const spansOf = (text: string) =>
  timelineOf(text).spans.map(({ lane, what, fromMs, toMs, outcome: end }) => [lane, what, fromMs, toMs, end]);

describe('timelineOf', () => {
  it('tells how long the application rested, the writers were held and copies were missing', () => {
    const text = journal(
      planned,
      ...split,
      intent(8, { kind: 'redundancy' }),
      outcome(9, 'redundancy', { redundancy: { kind: 'resyncing' } }),
      intent(20, { kind: 'redundancy' }),
      outcome(21, 'redundancy', { redundancy: { kind: 'whole' } }),
      { at: at(22), kind: 'end', verdict: { kind: 'good' } },
    );
    expect(spansOf(text)).toEqual([
      ['phase', 'split', 1000, 7000, 'done'],
      ['frozen', '/pay', 3100, 5100, 'done'],
      ['suspended', 'application', 1100, 6100, 'done'],
      ['phase', 'redundancy', 8000, 9000, 'resyncing'],
      ['phase', 'redundancy', 20_000, 21_000, 'whole'],
      ['exposed', 'fewer copies', 7000, 21_000, 'whole'],
    ]);
    expect(timelineOf(text)).toMatchObject({ run: 'k3f9q2', lastsMs: 22_000, verdict: 'good', problems: [] });
  });

  it('says of a run that was killed what was open when it was', () => {
    const text = `${journal(planned, ...split, intent(30, { kind: 'archive' }))}{"at":"2026-01-`;
    expect(timelineOf(text)).toMatchObject({ verdict: null, lastsMs: 30_000 });
    expect(spansOf(text).slice(-2)).toEqual([
      ['phase', 'archive', 30_000, 30_000, 'open'],
      ['exposed', 'fewer copies', 7000, 30_000, 'open'],
    ]);
  });

  it('says how the way back of a failed run ended, and each of its problems once', () => {
    const problem = (code: string) => ({ code, message: 'it is mounted', remedy: 'Unmount it.' });
    const text = journal(
      planned,
      intent(1, { kind: 'perform', phase: { name: 'withdraw' } }),
      outcome(2, 'perform', { outcome: { kind: 'failed', problems: [problem('COPY_IN_USE')] } }),
      {
        ...{ at: at(3), kind: 'end' },
        verdict: {
          kind: 'failed',
          recovery: { kind: 'stuck', problems: [problem('COPY_IN_USE'), problem('LEFT_BEHIND')] },
        },
      },
    );
    expect(timelineOf(text)).toMatchObject({
      verdict: 'failed',
      wayBack: 'stuck',
      problems: [{ code: 'COPY_IN_USE' }, { code: 'LEFT_BEHIND' }],
    });
    expect(timelineOf(journal(planned)).wayBack).toBeNull();
  });

  it('keeps a freeze open whose thaw was not confirmed', () => {
    const steps = [ended('freeze:/pay', 1000), { kind: 'unfinished', id: 'split:paylv' }];
    const lost = { outcome: { kind: 'unknown', transcript: { steps } } };
    const text = journal(planned, split[0] ?? {}, outcome(5, 'perform', lost), intent(9, { kind: 'locate' }));
    expect(spansOf(text)).toContainEqual(['frozen', '/pay', 1000, 9000, 'open']);
  });

  it('lists proofs and problems in their order', () => {
    const problem = { code: 'OWNERSHIP_LOST', message: 'node_a lost pay_rg', remedy: 'Recover.' };
    const text = journal(
      planned,
      intent(1, { kind: 'confirm', before: 'split' }),
      outcome(2, 'confirm', { confirmation: { kind: 'lost' } }),
      outcome(3, 'interrupt', { problem }),
      intent(3, { kind: 'archive' }),
      outcome(4, 'archive', { result: { kind: 'failed', problems: [problem] } }),
    );
    expect(timelineOf(text).proofs).toEqual([{ atMs: 2000, before: 'split', outcome: 'lost' }]);
    expect(timelineOf(text).problems.map(({ code }) => code)).toEqual(['OWNERSHIP_LOST']);
  });

  it.each([
    ['an empty file', ''],
    ['no plan', journal(intent(1, { kind: 'archive' }))],
    ['a line of another kind', journal(planned, { at: at(1), kind: 'intention' })],
    ['no JSON', `${journal(planned)}garbage\n`],
  ])('refuses %s, naming the line', (_, text) => {
    expect(() => timelineOf(text)).toThrow(expect.objectContaining({ code: 'BACKUP_DAMAGED' }));
  });

  it('throws nothing else, whatever it is given', () => {
    const whole = journal(planned, ...split);
    fc.assert(
      fc.property(fc.nat(whole.length), fc.string({ maxLength: 20 }), (place, noise) => {
        try {
          timelineOf(whole.slice(0, place) + noise + whole.slice(place));
        } catch (error) {
          expect(error).toMatchObject({ code: 'BACKUP_DAMAGED' });
        }
      }),
    );
  });
});
