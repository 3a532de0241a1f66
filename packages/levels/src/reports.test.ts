import { describe, expect, it } from 'vitest';
import { node, printed, silentNode, snapshotOf } from '../test/nodes.ts';
import {
  auditLevels,
  readTranscripts,
  renderCsv,
  renderHtml,
  renderJson,
  renderJUnit,
  renderMarkdown,
  renderPrometheus,
  renderSarif,
  renderTable,
  rules,
} from './index.ts';
import { reportSchema } from './reports/json-schema.ts';

const snapshot = readTranscripts([
  node('east', { 'cluster.es.server.rte': '7.2.0.4' }),
  node('north', { 'cluster.es.server.rte': '7.2.0.4', 'bos.net': '7.2.5.0' }),
  node('west', { 'cluster.es.server.rte': '7.2.0.3' }, { osLevel: printed('7200-05-02-2136\n') }),
  silentNode('south', 'login "root" refused: <no key> & no password'),
]);
const findings = auditLevels(snapshot, {
  waivers: [{ rule: 'AIX-SP', reason: 'SP3 on Sunday | "late"', until: '2026-12-31' }],
});
const agreed = snapshotOf({ a: {}, b: {} });

describe('renderTable', () => {
  it('shows only what differs, or everything', () => {
    expect(renderTable(snapshot, findings).split('\n\n')[0]).toBe(
      [
        '                       east             north            south  west',
        'oslevel -s             7200-05-03-2148  7200-05-03-2148  ?      7200-05-02-2136 *',
        'halevel -s             7.2.0 SP4        7.2.0 SP4        ?      7.2.0 SP4',
        'cluster.es.server.rte  7.2.0.4          7.2.0.4          ?      7.2.0.3 *',
        'bos.net                -                7.2.5.0 *        ?      -',
      ].join('\n'),
    );
    const all = renderTable(snapshot, findings, { rows: 'all' });
    expect(all).toContain('bos.rte                7.2.5.101        7.2.5.101        ?      7.2.5.101');
  });

  it('lists an open waiver with its reason', () => {
    expect(renderTable(snapshot, findings)).toContain('  Waiver open, until 2026-12-31: SP3 on Sunday | "late"\n');
  });
});

describe('renderCsv', () => {
  it('quotes what must be quoted', () => {
    const odd = auditLevels(snapshotOf({ 'a,b': { 'p.x"y': '1.0.0.0' }, c: {} }));
    expect(renderCsv(snapshotOf({ 'a,b': { 'p.x"y': '1.0.0.0' }, c: {} }), odd)).toBe(
      'name,"a,b",c\r\noslevel -s,7200-05-03-2148,7200-05-03-2148\r\nhalevel -s,7.2.0 SP4,7.2.0 SP4\r\n"p.x""y",1.0.0.0,\r\n',
    );
  });

  it('has every fileset on request', () => {
    expect(renderCsv(agreed, [], { rows: 'all' })).toContain('bos.rte,7.2.5.101,7.2.5.101\r\n');
  });
});

describe('renderMarkdown', () => {
  it('escapes what would break the table', () => {
    const text = renderMarkdown(snapshot, findings);
    expect(text).toContain('| cluster.es.server.rte | 7.2.0.4 | 7.2.0.4 | ? | **7.2.0.3** |\n');
    expect(text).toContain('SP3 on Sunday \\| "late"');
    expect(text).toContain('\\<no key\\>');
  });
});

describe('renderJson', () => {
  it('holds the findings with their evidence, and follows its schema', () => {
    const report = JSON.parse(renderJson(snapshot, findings, { cluster: 'harbour' }));
    expect(report).toMatchObject({ format: 'splitmirror-levels-report', version: 1, cluster: 'harbour', gate: 'stop' });
    expect(report.findings).toEqual(findings);
    const schema = reportSchema() as { required: string[]; additionalProperties: boolean };
    expect([Object.keys(report).sort(), schema.additionalProperties]).toEqual([schema.required.toSorted(), false]);
  });
});

describe('renderJUnit', () => {
  it('has a case for each rule, and fails those that found something', () => {
    const xml = renderJUnit(snapshot, findings, { cluster: 'harbour' });
    expect(xml.match(/<testcase /g)).toHaveLength(rules.length);
    expect(xml).toContain(
      `<testsuite name="harbour" tests="${rules.length}" failures="1" errors="1" timestamp="2026-11-22T01:00:00.000Z">`,
    );
    expect(xml).toContain('&quot;root&quot; refused: &lt;no key&gt; &amp; no password');
    expect(xml).toMatch(/name="AIX-SP: [^"]*"\/>/);
  });

  it('holds nothing that XML does not know', () => {
    const broken = readTranscripts([silentNode('east', 'a\u0000b\u001b[1m\ud800')]);
    const codes = [...renderJUnit(broken, auditLevels(broken))].map((character) => character.codePointAt(0) ?? 0);
    expect(codes.filter((code) => (code < 32 && code !== 10) || (code >= 0xd800 && code <= 0xdfff))).toEqual([]);
  });
});

describe('renderSarif', () => {
  it('points at rules and nodes, and suppresses what is waived', () => {
    const [run] = JSON.parse(renderSarif(findings)).runs;
    const level = run.results.find(({ ruleId }: { ruleId: string }) => ruleId === 'HA-LEVEL');
    expect(run.tool.driver.rules[level.ruleIndex].id).toBe('HA-LEVEL');
    expect(level).toMatchObject({
      level: 'error',
      locations: [{ logicalLocations: [{ name: 'west', kind: 'resource' }] }],
      suppressions: [],
    });
    expect(run.results.at(-1)).toMatchObject({ ruleId: 'AIX-SP', suppressions: [{ kind: 'external' }] });
  });
});

describe('renderPrometheus', () => {
  it('counts what is not waived, and has every series', () => {
    const text = renderPrometheus(snapshot, findings, { cluster: 'har"bour' });
    expect(text).toContain('splitmirror_levels_findings{cluster="har\\"bour",rule="HA-LEVEL",severity="error"} 1\n');
    expect(text).toContain('rule="AIX-SP",severity="warning"} 0\n');
    expect(text).toContain(
      'splitmirror_levels_node_info{cluster="har\\"bour",node="west",oslevel="7200-05-02-2136",halevel="7.2.0 SP4",clversion="16"} 1\n',
    );
    expect(text).toContain(
      `splitmirror_levels_last_run_seconds{cluster="har\\"bour"} ${Date.UTC(2026, 10, 22, 1) / 1000}\n`,
    );
    expect(
      text
        .trimEnd()
        .split('\n')
        .every((line) => /^(#|\w+\{.*\} \d+$)/.test(line)),
    ).toBe(true);
  });
});

describe('renderHtml', () => {
  const page = renderHtml(snapshot, findings, { cluster: '<harbour> & "co"' });

  it('loads nothing and runs nothing', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<script|https?:|src=|url\(|@import/i);
  });

  it('escapes what nodes and operators say', () => {
    expect(page).toContain('<h1>Levels of &lt;harbour&gt; &amp; &quot;co&quot;</h1>');
    expect(page).toContain('refused: &lt;no key&gt; &amp; no password');
    expect(page).not.toContain('<no key>');
  });

  it('says in words what it says in colours', () => {
    expect(page).toContain('<td class="odd">7.2.0.3 <em>(differs)</em></td>');
    expect(page).toContain('Stop: errors were found');
    expect(page).toContain('<td>not installed</td>');
    expect(page).toContain('<td>not assessed</td>');
  });

  it('holds the lines as evidence, and every fileset once', () => {
    expect(page).toContain('<code>cluster.es.server:cluster.es.server.rte:7.2.0.3: : :C:F:');
    for (const name of ['cluster.es.server.rte', 'bos.net', 'bos.rte']) {
      expect(page.split(`<th scope="row">${name}</th>`)).toHaveLength(2);
    }
  });

  it('has headings, captions and scopes for who listens to it', () => {
    expect(page.match(/<h1>/g)).toHaveLength(1);
    expect(page.match(/<table>/g)?.length).toBe(page.match(/<thead>/g)?.length);
    for (const [, id] of page.matchAll(/aria-labelledby="([^"]+)"/g)) expect(page).toContain(`id="${id}"`);
    expect(page).not.toMatch(/<th(?! scope=)[ >]/);
  });
});

describe('every report', () => {
  it('copes with agreement and with nothing', () => {
    for (const empty of [agreed, { nodes: [] }]) {
      const found = auditLevels(empty);
      for (const render of [
        renderTable,
        renderCsv,
        renderHtml,
        renderMarkdown,
        renderJson,
        renderJUnit,
        renderPrometheus,
      ]) {
        expect(render(empty, found).endsWith('\n')).toBe(true);
      }
    }
  });
});
