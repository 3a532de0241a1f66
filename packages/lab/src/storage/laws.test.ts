import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, makeBench } from './harness.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'splitmirror-laws-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const rows = 3;
const partition = 1 << 20;
const names = ['one', 'two'];

const name = fc.constantFrom(...names);
const disk = fc.constantFrom('', ' hdisk1', ' hdisk2', ' hdisk3');
const count = fc.integer({ min: 1, max: 3 });
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('write' as const), name, row: fc.nat(rows - 1), byte: fc.nat(255) }),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({
        verb: fc.constantFrom(
          'mklvcopy',
          'rmlvcopy',
          'splitlvcopy -f -y cp',
          'syncvg -l',
          'chlvcopy -b -l child',
          'chlvcopy -B',
          'chlvcopy -b',
        ),
        name,
        count,
        disk,
      })
      .map(({ verb, name: volume, count: copies, disk: where }) => {
        const sized = /copy$|cp$/.test(verb) && !verb.startsWith('chlvcopy');
        return { kind: 'command' as const, line: `${verb} ${volume}${sized ? ` ${copies}${where}` : ''}` };
      }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('command' as const),
      line: fc.constantFrom(
        'rmlv -f cp',
        'rmlv -B -f child',
        'splitvg -y snapvg lawvg',
        'splitvg -y snapvg -c 1 lawvg',
        'joinvg lawvg',
        'syncvg -v lawvg',
        'varyonvg -n lawvg',
        'varyonvg lawvg',
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('interrupt' as const),
      program: fc.constantFrom('splitlvcopy' as const, 'mklvcopy' as const, 'rmlvcopy' as const),
      after: fc.nat(rows),
    }),
  },
);

/** First byte of each logical partition. */
function firstBytes(bench: Bench, volume: string): number[] {
  const bytes = readFileSync(bench.storage.deviceFile('alpha', `/dev/${volume}`));
  return Array.from({ length: bytes.length / partition }, (_, row) => bytes[row * partition] ?? -1);
}

describe('whatever is done to a group', () => {
  it('keeps the live content, never uses a partition twice, and keeps a fresh copy of everything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 20 }), async (operations) => {
        rmSync(directory, { recursive: true, force: true });
        const disks = ['hdisk1', 'hdisk2', 'hdisk3'].map((each) => ({ name: each, megabytes: 10 }));
        const bench = makeBench(directory, {
          disks,
          timers: {
            after(_, callback) {
              queueMicrotask(callback);
              return () => {};
            },
          },
        });
        await bench.ok('alpha', 'mkvg -y lawvg -s 1 -S hdisk1 hdisk2 hdisk3');
        const held = new Map(names.map((each) => [each, [0, 0, 0]]));
        for (const each of names) await bench.ok('alpha', `mklv -y ${each} -t raw -c 2 lawvg ${rows}`);
        let split: number[] | undefined;
        for (const step of operations) {
          if (step.kind === 'write') {
            bench.storage.writeRaw('alpha', step.name, step.row * partition, Buffer.of(step.byte));
            held.set(step.name, (held.get(step.name) ?? []).with(step.row, step.byte));
          } else if (step.kind === 'crash') {
            bench.storage.crash('alpha');
            await bench.ok('alpha', 'varyonvg -n lawvg');
          } else if (step.kind === 'interrupt') {
            bench.storage.interrupt(step.program, step.after);
          } else {
            // splitlvcopy would give away the only fresh copy.
            const stale = names.some((each) => (bench.volumeNamed(each)?.stale ?? 0) > 0);
            if (stale && step.line.startsWith('splitlvcopy')) continue;
            const { code } = await bench.run('alpha', step.line);
            const [, splitName] = / -y cp (\S+)/.exec(step.line) ?? [];
            if (code === 0 && splitName !== undefined) split = held.get(splitName);
          }
          // Whatever still runs in the background gets its turn.
          for (let turn = 0; turn < 50; turn++) await Promise.resolve();
          const { groups } = bench.storage.inspect();
          const group = groups.find((each) => each.name === 'lawvg');
          const volumes = group?.volumes.filter((each) => each.name !== 'child') ?? [];
          const places = volumes.flatMap(({ map }) => map.flat());
          expect(new Set(places).size).toBe(places.length);
          for (const [volume, bytes] of held) expect(firstBytes(bench, volume)).toEqual(bytes);
          const cp = volumes.find((each) => each.name === 'cp');
          if (cp === undefined) split = undefined;
          else if (split !== undefined) expect(firstBytes(bench, 'cp')).toEqual(split);
          const printed = await bench.ok('alpha', 'lsvg lawvg');
          const used = Number(/USED PPs: +(\d+)/.exec(printed)?.[1]);
          const onMap = (await bench.ok('alpha', 'lsvg -M lawvg'))
            .split('\n')
            .filter((line) => /:\d+ +\w+:/.test(line));
          expect(onMap.length).toBe(used);
        }
      }),
      { numRuns: 20 },
    );
  });
});
