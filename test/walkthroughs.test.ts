import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { agrees, commandsOf, follow } from './walkthrough.ts';

const pages = readdirSync(fileURLToPath(new URL('../docs/walkthroughs', import.meta.url))).filter((name) =>
  name.endsWith('.md'),
);

describe('the walkthroughs', () => {
  it.concurrent.each(pages)('%s prints what it says', { timeout: 300_000 }, async (page) => {
    const ran = await follow(`docs/walkthroughs/${page}`);
    const [last] = ran.slice(-1);
    const where = `docs/walkthroughs/${page}:${last?.line}`;
    expect(last?.printed, `${where}: ${last?.typed}`).toSatisfy((text: string) => agrees(text, last?.expected ?? []));
  });
});

describe('how a page is compared', () => {
  it('takes dots for anything in a line, and alone for any lines', () => {
    expect(agrees('a 12 b\nx\ny\nend\n', ['a ... b', '...', 'end'])).toBe(true);
    expect(agrees('end\n', ['...', 'end'])).toBe(true);
    expect(agrees('a 12 b\nend\n', ['a ... c', 'end'])).toBe(false);
    expect(agrees('more\n', [])).toBe(false);
    expect(agrees('', ['something'])).toBe(false);
  });

  it('joins continued lines, and leaves other blocks alone', () => {
    const page = ['```sh', '$ no', '```', '```console', '$ one \\', '> two', 'out', '```'].join('\n');
    expect(commandsOf(page)).toEqual([{ line: 5, typed: 'one \\\ntwo', expected: ['out'] }]);
  });
});
