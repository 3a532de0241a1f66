import { describe, expect, it } from 'vitest';
import { node, printed, snapshotOf } from '../test/nodes.ts';
import { auditLevels, type Waiver } from './audit.ts';
import { gate } from './gate.ts';
import { readTranscripts } from './snapshot.ts';

const snapshot = snapshotOf({
  east: { 'cluster.es.server.rte': '7.2.0.4', 'cluster.es.cspoc.rte': '7.2.0.4' },
  west: { 'cluster.es.server.rte': '7.2.0.3', 'cluster.es.cspoc.rte': '7.2.0.3' },
});
const waiver: Waiver = { rule: 'HA-LEVEL', reason: 'update under way', until: '2026-11-22' };
const waived = (...waivers: readonly Waiver[]) =>
  auditLevels(snapshot, { waivers }).map(({ message, waiver }) => [message.split(':')[0], waiver?.state ?? null]);

describe('waivers', () => {
  it('hold to the end of their last day, and let the gate pass', () => {
    expect(waived(waiver)).toEqual([['cluster.es.cspoc.rte and cluster.es.server.rte', 'open']]);
    expect(gate(auditLevels(snapshot, { waivers: [waiver] }))).toEqual({ kind: 'pass' });
  });

  it('stay visible when they have ended, and hold nothing back', () => {
    const findings = auditLevels(snapshot, { waivers: [waiver], at: '2026-11-23T00:00:00Z' });
    expect(findings[0]?.waiver).toEqual({ state: 'ended', reason: 'update under way', until: '2026-11-22' });
    expect(gate(findings).kind).toBe('stop');
  });

  it('cover only their subjects, their nodes and their rule', () => {
    expect(waived({ ...waiver, subjects: ['cluster.es.cs*'] })).toEqual([
      ['cluster.es.server.rte', null],
      ['cluster.es.cspoc.rte', 'open'],
    ]);
    const both = 'cluster.es.cspoc.rte and cluster.es.server.rte';
    expect(waived({ ...waiver, nodes: ['west'] })).toEqual([[both, null]]);
    expect(waived({ ...waiver, nodes: ['west', 'east'] })).toEqual([[both, 'open']]);
    expect(waived({ ...waiver, rule: 'HA-MISSING' })).toEqual([[both, null]]);
  });

  it('prefer the one that still holds', () => {
    expect(waived({ ...waiver, until: '2025-01-01' }, waiver)).toEqual([[expect.any(String), 'open']]);
  });

  it.each([
    ['*', true],
    ['cluster.*.rte', true],
    ['*server*', true],
    ['cluster.es.server.rte', true],
    ['cluster.es', false],
    ['*.msg', false],
    ['cluster.es.server.rte*rte', false],
    ['a*b*c', false],
  ])('take %j as a pattern', (pattern, covered) => {
    const [finding] = auditLevels(
      snapshotOf({ a: { 'cluster.es.server.rte': '1.0.0.0' }, b: { 'cluster.es.server.rte': '1.0.0.1' } }),
      {
        waivers: [{ ...waiver, subjects: [pattern] }],
      },
    );
    expect(finding?.waiver !== null).toBe(covered);
  });
});

describe('severities', () => {
  const java = snapshotOf({
    a: { 'Java8_64.jre': '8.0.0.700', 'perl.rte': '5.28.0.1', 'sudo.rte': '1.9.0.0' },
    b: { 'Java8_64.jre': '8.0.0.635', 'perl.rte': '5.28.0.0', 'sudo.rte': '1.8.0.0' },
  });

  it('can be told for some subjects of a rule', () => {
    const findings = auditLevels(java, {
      severities: { 'FS-OTHER': 'warning' },
      subjects: [
        { rule: 'FS-OTHER', subjects: ['Java*'], severity: 'error' },
        { rule: 'FS-OTHER', subjects: ['sudo.*'], severity: 'off' },
        { rule: 'FS-DEV', subjects: ['*'], severity: 'off' },
      ],
    });
    expect(findings.map(({ severity, subjects }) => [severity, ...subjects.map(({ name }) => name)])).toEqual([
      ['error', 'Java8_64.jre'],
      ['warning', 'perl.rte'],
    ]);
  });
});

describe('maintenance window', () => {
  const levels = (...texts: readonly string[]) =>
    readTranscripts(texts.map((text, index) => node(`n${index}`, {}, { osLevel: printed(`${text}\n`) })));
  const window = { until: '2026-11-22T04:00:00Z', reason: 'TL5 to TL5 SP4' };

  it('expects the old level and the new one, until it closes', () => {
    const two = levels('7200-05-03-2148', '7200-05-04-2220');
    expect(auditLevels(two, { window }).map(({ severity }) => severity)).toEqual(['info']);
    expect(auditLevels(two, { window, at: '2026-11-22T04:00:01Z' }).map(({ severity }) => severity)).toEqual([
      'warning',
    ]);
  });

  it('does not expect a third', () => {
    const three = levels('7200-05-03-2148', '7200-05-04-2220', '7200-05-02-2136');
    expect(auditLevels(three, { window }).map(({ severity }) => severity)).toEqual(['warning']);
  });

  it('never makes different cluster levels pass', () => {
    expect(auditLevels(snapshot, { window })[0]).toMatchObject({ rule: 'HA-LEVEL', severity: 'error' });
  });
});

describe('baseline', () => {
  it('tells what changed on each node since', () => {
    const before = snapshotOf({ east: { 'bos.net': '7.2.5.0', 'bos.old': '7.2.0.0' } });
    const after = snapshotOf({ east: { 'bos.net': '7.2.5.1', 'bos.new': '7.2.5.0' }, west: {} });
    const changed = auditLevels(after, { baseline: before }).filter(({ rule }) => rule === 'CHANGED');
    expect(changed.map(({ message }) => message)).toEqual([
      'bos.net, bos.new and 1 more: changed on east since 2026-11-22T01:00:00.000Z',
      'west is not in the baseline',
    ]);
    expect(changed[0]?.subjects.map(({ observations: [seen] }) => seen?.value)).toEqual([
      '7.2.5.0 -> 7.2.5.1',
      'missing -> 7.2.5.0',
      '7.2.0.0 -> missing',
    ]);
  });
});

describe('minimum levels', () => {
  const on = (haLevel: string, osLevel: string) =>
    auditLevels(
      readTranscripts([node('east', {}, { haLevel: printed(`${haLevel}\n`), osLevel: printed(`${osLevel}\n`) })]),
    ).map(({ severity, message }) => `${severity}: ${message}`);

  it.each([
    [
      '7100-03-04-1441',
      ['error: PowerHA 7.2.0 on east asks for AIX 7100-03-05 (IBM Redbook SG24-8278), and it has 7100-03-04-1441'],
    ],
    ['7100-03-05-1524', []],
    [
      '7100-04-00-0000',
      ['error: PowerHA 7.2.0 on east asks for AIX 7100-04-01 (IBM Redbook SG24-8278), and it has 7100-04-00-0000'],
    ],
    ['7100-05-00-0000', []],
    [
      '7100-02-07-1524',
      ['error: PowerHA 7.2.0 on east asks for AIX 7100-03-05 (IBM Redbook SG24-8278), and it has 7100-02-07-1524'],
    ],
    ['7300-01-01-2246', ['info: no rule is known for PowerHA 7.2.0 on AIX 7300']],
  ])('judge %s by the table', (osLevel, expected) => {
    expect(on('7.2.0 SP1', osLevel)).toEqual(expected);
  });

  it('are yours to replace', () => {
    const minimums = [{ haVersion: '7.2.9', osLevel: '7300-02-01', source: 'our own rule' }];
    const snapshot = readTranscripts([
      node('east', {}, { haLevel: printed('7.2.9 GA\n'), osLevel: printed('7300-02-00-0000\n') }),
    ]);
    expect(auditLevels(snapshot, { minimums })[0]?.message).toContain('our own rule');
  });
});
