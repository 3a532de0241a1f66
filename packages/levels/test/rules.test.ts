import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { rules } from '../src/index.ts';

const file = fileURLToPath(new URL('../RULES.md', import.meta.url));

function catalogue(): string {
  const sections = rules.map((rule) =>
    [
      `## ${rule.id}`,
      '',
      `${rule.title}.`,
      '',
      `- Severity: ${rule.severity}${'inWindow' in rule ? `; ${rule.inWindow} in a maintenance window` : ''}`,
      `- Source: ${rule.source}`,
      `- Why: ${rule.rationale}`,
      `- Remedy: ${rule.remedy}`,
      '',
    ].join('\n'),
  );
  return [
    '# Rules',
    '',
    'Written from `src/rules.ts` by `UPDATE_RULES=1 npm test`; do not edit.',
    '',
    ...sections,
  ].join('\n');
}

it('RULES.md is what the code says', () => {
  if (process.env.UPDATE_RULES === '1') writeFileSync(file, catalogue());
  expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(catalogue());
});

it('every rule has an id of its own, and says what, why and what to do', () => {
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  for (const { id, title, source, rationale, remedy } of rules) {
    expect(id).toMatch(/^[A-Z]+(-[A-Z]+)?$/);
    expect(title).toMatch(/^\S.*[^.]$/);
    for (const sentence of [source, rationale, remedy]) expect(sentence).toMatch(/^\S.*\.$/);
  }
});

it('every rule is met by a situation', () => {
  const seen = new Set<string>();
  const situations = fileURLToPath(new URL('situations', import.meta.url));
  for (const { id } of rules) {
    for (const name of readdirSync(situations).filter((entry) => entry !== 'README.md')) {
      if (readFileSync(`${situations}/${name}/findings.txt`, 'utf8').includes(` ${id} [`)) seen.add(id);
    }
  }
  // A baseline is a second snapshot: src/policy.test.ts has it.
  expect(rules.map(({ id }) => id).filter((id) => !seen.has(id))).toEqual(['CHANGED']);
});
