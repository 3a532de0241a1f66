import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

it('the README explains every code of TransportError and ParseError', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const errors = await readFile(new URL('../src/errors.ts', import.meta.url), 'utf8');
  const codes = new Set(errors.match(/'(HOST|PARSE)_[A-Z_]+'/g)?.map((code) => code.slice(1, -1)));
  expect(codes.size).toBe(7);
  for (const code of codes) expect(readme).toContain(`| \`${code}\` |`);
});
