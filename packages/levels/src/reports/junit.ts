import type { Finding } from '../finding.ts';
import { rules } from '../rules.ts';
import type { Snapshot } from '../snapshot.ts';

/**
 * The audit as JUnit XML: one suite for the cluster, one test case for each rule. Errors and warnings that are not
 * waived are failures; what could not be assessed is an error of the test itself.
 */
export function renderJUnit(
  snapshot: Snapshot,
  findings: readonly Finding[],
  { cluster = 'cluster' }: { readonly cluster?: string } = {},
): string {
  const standing = findings.filter(({ severity, waiver }) => severity !== 'info' && waiver?.state !== 'open');
  const errors = standing.filter(({ rule }) => rule === 'NODE-UNREAD');
  const cases = rules.map(({ id, title }) => {
    const found = standing.filter(({ rule }) => rule === id);
    const [first] = found;
    const opening = `    <testcase classname="${quoteXml(cluster)}" name="${quoteXml(`${id}: ${title}`)}"`;
    if (first === undefined) return `${opening}/>`;
    const tag = id === 'NODE-UNREAD' ? 'error' : 'failure';
    const text = found.map(({ severity, message, remedy }) => `${severity}: ${message}\n${remedy}`).join('\n\n');
    return `${opening}>\n      <${tag} message="${quoteXml(first.message)}">${quoteXml(text)}</${tag}>\n    </testcase>`;
  });
  const failed = new Set(standing.filter(({ rule }) => rule !== 'NODE-UNREAD').map(({ rule }) => rule)).size;
  const counts = `tests="${rules.length}" failures="${failed}" errors="${errors.length > 0 ? 1 : 0}"`;
  const at = snapshot.nodes
    .map(({ askedAt }) => askedAt)
    .sort()
    .at(-1);
  const timestamp = at === undefined ? '' : ` timestamp="${quoteXml(at)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite name="${quoteXml(cluster)}" ${counts}${timestamp}>`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML knows no control characters but tab and the line ends, and no lone surrogates, not even escaped. */
function quoteXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
