import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { auditLevels, renderHtml, renderTable } from '../src/index.ts';
import { snapshotOf } from './nodes.ts';

const browser = '/usr/bin/chromium';

it.skipIf(!existsSync(browser))('a browser sees the page as it was meant (needs Debian’s chromium)', () => {
  const snapshot = snapshotOf({
    east: { 'cluster.es.server.rte': '7.2.0.4', 'a.b<c>&"d"': '1.0.0.0' },
    north: { 'cluster.es.server.rte': '7.2.0.4' },
    west: { 'cluster.es.server.rte': '7.2.0.3' },
  });
  const findings = auditLevels(snapshot);
  const directory = mkdtempSync(join(tmpdir(), 'splitmirror-levels-html-'));
  try {
    writeFileSync(join(directory, 'page.html'), renderHtml(snapshot, findings, { cluster: 'harbour' }));
    const args = ['--headless=new', '--no-sandbox', '--disable-gpu', `--user-data-dir=${directory}/profile`];
    const page = `file://${directory}/page.html`;
    const dom = execFileSync(browser, [...args, '--dump-dom', page], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // What a lenient parser repairs shows as another tree: rows in a table, one heading for each finding.
    const rows = renderTable(snapshot, findings, { rows: 'all' }).split('\n\n')[0]?.split('\n').slice(1) ?? [];
    const body = dom.slice(dom.indexOf('<main>'));
    const named = [...body.matchAll(/<tr><th scope="row">([^<]+)<\/th><td(?: class="odd")?>(?!<code>)/g)];
    expect(named).toHaveLength(rows.length);
    expect(body.match(/<h3>/g)).toHaveLength(findings.length);
    expect(body).toContain('a.b&lt;c&gt;&amp;"d"');
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  }
});
