import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Codes stand as words of capitals in the source, and nothing else does. */
function codesIn(text: string): string[] {
  return Array.from(
    text.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|STALE|RAGGED|STRIPED|ENCRYPTED|LEFTOVERS|CANCELLED)'/g),
    ([, code]) => code ?? '',
  );
}

it('every code is in the README', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  const codes = new Set(sources.flatMap((name) => codesIn(readFileSync(join(root, 'src', name), 'utf8'))));
  expect(codes.size).toBeGreaterThan(50);
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  expect([...codes].filter((code) => !readme.includes(`\`${code}\``)).sort()).toEqual([]);
});
