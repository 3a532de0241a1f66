import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, concurrentGroup, makeBench } from './harness.ts';

const captures = process.env.SPLITMIRROR_CAPTURES ?? join(import.meta.dirname, '../../../../../shared/captures');

/** Lines of a capture without its source and command. */
function capture(name: string): string[] {
  return readFileSync(join(captures, 'lvm', `${name}.txt`), 'utf8')
    .split('\n')
    .slice(2);
}

/** Where each label and each value of a description in cells begins. */
function columns(lines: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of lines) {
    for (const match of line.matchAll(/(?:^| )([A-Z][\w ./()-]*?\??:)( +)/g)) {
      const label = (match[1] ?? '').replace(/^\S+ (?=PERMISSION)/, '');
      const at = match.index + match[0].indexOf(match[1] ?? '');
      found.set(label, `${at} ${at + (match[1] ?? '').length + (match[2] ?? '').length}`);
    }
  }
  return found;
}

describe.skipIf(!existsSync(captures))('layout', () => {
  let directory: string;
  let bench: Bench;
  const lines = async (line: string) => (await bench.ok('alpha', line)).split('\n');

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'splitmirror-layout-'));
    bench = await concurrentGroup(directory);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it.each([
    ['lsvg-enhanced-concurrent-active', 'lsvg datavg'],
    ['lsvg-scalable-aix72', 'lsvg datavg'],
    ['lsvg-rootvg-aix73', 'lsvg rootvg'],
    ['lslv-closed-mirrorpool-encryption-aix72', 'lslv datalv'],
    ['lspv-hdisk-aix73', 'lspv hdisk1'],
  ])('%s: labels and values stand where "%s" puts them', async (name, line) => {
    const [seen, ours] = [columns(capture(name)), columns(await lines(line))];
    const common = [...seen].filter(([label]) => ours.has(label));
    expect(common.length).toBeGreaterThan(10);
    expect(Object.fromEntries(common.map(([label]) => [label, ours.get(label)]))).toEqual(Object.fromEntries(common));
  });

  it('lslv of an older level has no rows that its capture lacks', async () => {
    const old = makeBench(join(directory, 'old'), { level: '6.1' });
    const seen = columns(capture('lslv-opened-intra-two-words-aix61'));
    const ours = columns((await old.ok('alpha', 'lslv hd1')).split('\n'));
    expect([...ours.keys()]).toEqual([...seen.keys()]);
  });

  it.each([
    ['lsvg-l-mirrored-syncd', 'lsvg -l datavg', 1],
    ['lslv-m-two-copies-renamed-disks', 'lslv -m datalv', 1],
    ['lslv-l-two-copies', 'lslv -l datalv', 0],
    ['lspv-l-opensvc', 'lspv -l hdisk1', 1],
    ['lspv-p-regions', 'lspv -p hdisk1', 1],
    ['mount-local-pseudo', 'mount', 0],
    ['mount-local-pseudo', 'mount', 1],
    ['df-512-blocks-nfs-long', 'df', 0],
    ['lsfs-c-aix61', 'lsfs -c', 0],
    ['lsfs-q-jfs2-aix7-doc', 'lsfs -q', 0],
  ])('%s: "%s" has the same heading', async (name, line, row) => {
    const seen = capture(name)[row] ?? '';
    expect((await lines(line)).map((each) => each.trimEnd())).toContain(seen.trimEnd());
  });

  it.each([
    ['lsvg-l-mirrored-syncd', 'lsvg -l rootvg', /^hd4 /],
    ['mount-local-pseudo', 'mount', / \/dev\/hd3 /],
    ['df-512-blocks-nfs-long', 'df', /^\/dev\/hd2 /],
    ['lspv-list-concurrent-standby-node', 'lspv', /^hdisk1 /],
    ['lspv-l-opensvc', 'lspv -l hdisk0', /^hd4 /],
  ])('%s: rows of "%s" end their words in the same columns', async (name, line, row) => {
    const starts = (text: string) => [...text.matchAll(/\S+/g)].map(({ index }) => index);
    const ends = (text: string) => [...text.matchAll(/\S+/g)].map((match) => match.index + match[0].length);
    const seen = capture(name).find((each) => row.test(each)) ?? '';
    const ours = (await lines(line)).find((each) => row.test(each)) ?? '';
    // Numbers of df are aligned at their right ends.
    const edges = name.startsWith('df') ? ends : starts;
    const fields = name.startsWith('df') ? 6 : edges(ours).length;
    expect(edges(ours).slice(1, fields)).toEqual(edges(seen).slice(1, fields));
  });

  it('getlvcb -AT has the keys of its capture', async () => {
    const keys = (text: readonly string[]) => text.flatMap((line) => /^\s*([\w ]+?)\s*=/.exec(line)?.[1] ?? []);
    expect(keys(await lines('getlvcb -AT datalv'))).toEqual(keys(capture('getlvcb-jfs2-external-log')));
  });

  it('a locked group says what its capture says', async () => {
    bench.storage.lockGroup('alpha', 'rootvg');
    const answer = await bench.ask('alpha', 'lsvg -l rootvg');
    expect(answer).toEqual({ kind: 'hang', stderr: capture('lsvg-l-vg-locked-0516-1201').join('\n') });
    await bench.ok('alpha', 'chvg -u rootvg');
  });
});
