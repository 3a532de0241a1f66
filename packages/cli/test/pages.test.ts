import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasBrowser, openBrowser, type Page } from './browser.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let page: Page;
const files = () => ({ report: join(stage.directory, 'report.html'), levels: join(stage.directory, 'levels.html') });

/** Contrast of what is drawn with the page behind it, at its least: of text, and of the bars of the figures. */
const leastContrasts = `(() => {
  const luminance = (css) => {
    const parts = css.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const [r, g, b] = parts.map((part) => css.startsWith('color(') ? part : part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = luminance(getComputedStyle(document.body).backgroundColor);
  const least = (words, property) => Math.min(...[...document.querySelectorAll(words)].map((element) => {
    const [a, b] = [luminance(getComputedStyle(element)[property]), behind].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
  return { text: least('h1, h2, h3, p, strong, dt, dd, td, th, summary, figcaption', 'color'), bars: least('rect', 'fill') };
})()`;

/** The element that has the focus, and whether that can be seen. */
const focused = `(() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  const name = document.activeElement.getAttribute('aria-label') ?? document.activeElement.getAttribute('aria-labelledby');
  return { name: name ?? document.activeElement.tagName, isSeen: outlineStyle !== 'none' && parseFloat(outlineWidth) > 0 };
})()`;

/** Shows a page on a screen, or on paper, of a width in CSS pixels. */
async function show(file: string, width: number, media = '', features: readonly [name: string, value: string][] = []) {
  await page.send('Emulation.setEmulatedMedia', {
    media,
    features: features.map(([name, value]) => ({ name, value })),
  });
  await page.send('Emulation.setDeviceMetricsOverride', { width, height: 800, deviceScaleFactor: 1, mobile: false });
  await page.open(file);
}

/** How many pixels anything sticks out of the page to the right. */
const overhang =
  'Math.max(...[...document.querySelectorAll("*")].map((e) => e.getBoundingClientRect().right)) - innerWidth';

describe.skipIf(!hasBrowser)('the pages, in a browser (needs Debian’s chromium)', () => {
  beforeAll(async () => {
    stage = await openStage({ contentBytes: 200_000, phaseMs: 5 });
    expect((await stage.run('backup', 'ledger_rg', '--quiet')).code).toBe(0);
    expect((await stage.run('show', 'ledger_rg', '--html', files().report)).code).toBe(0);
    expect((await stage.run('levels', '--html', files().levels)).code).toBe(0);
    page = await openBrowser();
  }, 120_000);
  afterAll(async () => {
    await page?.close();
    await stage?.close();
  });

  it.each(['light', 'dark'])('can be read in %s', async (scheme) => {
    for (const file of Object.values(files())) {
      await show(file, 1100, '', [['prefers-color-scheme', scheme]]);
      const { text, bars } = await page.evaluate<{ text: number; bars: number }>(leastContrasts);
      expect(text).toBeGreaterThanOrEqual(4.5);
      expect(file === files().report ? bars : 3).toBeGreaterThanOrEqual(3);
    }
  });

  it('keep their bars where the reader’s system says all colours, and never move', async () => {
    await show(files().report, 1100, '', [['forced-colors', 'active']]);
    expect((await page.evaluate<{ bars: number }>(leastContrasts)).bars).toBeGreaterThanOrEqual(3);
    expect(await page.evaluate('document.getAnimations().length')).toBe(0);
  });

  it('lay each bar into its figure', async () => {
    await show(files().report, 1100);
    const strays = `[...document.querySelectorAll('rect')].filter((bar) => {
      const [inner, outer] = [bar.getBoundingClientRect(), bar.closest('svg').getBoundingClientRect()];
      const labels = [...bar.closest('svg').querySelectorAll('text[x="0"]')].map((label) => label.getBoundingClientRect().right);
      return inner.left < Math.max(...labels) || inner.right > outer.right || inner.bottom > outer.bottom;
    }).length`;
    expect(await page.evaluate('document.querySelectorAll("rect").length')).toBeGreaterThan(8);
    expect(await page.evaluate(strays)).toBe(0);
  });

  it('fit a phone: nothing is wider than the screen but what can be scrolled, and no word is torn', async () => {
    for (const file of Object.values(files())) {
      await show(file, 360);
      expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(
        0,
      );
      const headLines = 'Math.max(...[...document.querySelectorAll("thead th")].map((e) => e.clientHeight))';
      expect(await page.evaluate(headLines)).toBeLessThan(45);
    }
  });

  it('are walked through by the keyboard alone, and show where one is', async () => {
    await show(files().report, 1100);
    const stops: { name: string; isSeen: boolean }[] = [];
    do {
      await page.press('Tab');
      stops.push(await page.evaluate(focused));
    } while (stops.at(-1)?.name !== 'BODY' && stops.length < 20);
    expect(stops.slice(0, -1).every(({ isSeen }) => isSeen)).toBe(true);
    expect(stops.slice(2, -1).map(({ name }) => name)).toEqual(['timeline', 'ownership', 'proofs', 'saved']);

    await show(files().levels, 1100);
    do await page.press('Tab');
    while ((await page.evaluate<{ name: string }>(focused)).name !== 'SUMMARY');
    await page.press('Enter');
    expect(await page.evaluate('document.activeElement.parentElement.open')).toBe(true);
  });

  it('print on few sheets, with nothing cut off', async () => {
    for (const [file, most] of [[files().report, 3] as const, [files().levels, 1] as const]) {
      await show(file, 720, 'print');
      expect(await page.evaluate(overhang)).toBeLessThanOrEqual(0);
      const { data } = await page.send('Page.printToPDF', { paperWidth: 8.27, paperHeight: 11.69 });
      const sheets = Buffer.from(data as string, 'base64')
        .toString('latin1')
        .match(/\/Type \/Page\b(?!s)/g);
      expect(sheets?.length).toBeGreaterThan(0);
      expect(sheets?.length).toBeLessThanOrEqual(most);
    }
  });
});
