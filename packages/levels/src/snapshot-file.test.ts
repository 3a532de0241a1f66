import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { node, printed, silentNode } from '../test/nodes.ts';
import { readTranscripts } from './snapshot.ts';
import { readSnapshotFile, SnapshotFileError, snapshotFileSchema, writeSnapshotFile } from './snapshot-file.ts';

const transcripts = [
  node(
    'east',
    { 'cluster.es.server.rte': '7.2.0.4' },
    { osLevel: { kind: 'unanswered', reason: 'no answer within 90 s' } },
  ),
  node('west', { 'bos.net': '7.2.5.0' }, { kernel: printed('é\n') }),
  silentNode('north'),
];
const text = [...writeSnapshotFile(transcripts)].join('');
const bytes = Buffer.from(text);

describe('readSnapshotFile', () => {
  it('reads what writeSnapshotFile writes, in whatever pieces it comes', async () => {
    const snapshot = readTranscripts(transcripts);
    expect(await readSnapshotFile([text])).toEqual(snapshot);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 20 }), async (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(await readSnapshotFile(chunks)).toEqual(snapshot);
      }),
      { numRuns: 30 },
    );
  });

  it('never takes a cut file for whole', async () => {
    for (let length = 0; length < text.length - 1; length += 7) {
      await expect(readSnapshotFile([text.slice(0, length)])).rejects.toThrow(SnapshotFileError);
    }
  });

  it.each([
    ['another format', '{"format":"tar","version":1}\n'],
    ['a later version', text.replace('"version":1', '"version":2')],
    ['a node twice', text.replace('"node":"west"', '"node":"east"')],
    ['a wrong count', text.replace('{"end":3}', '{"end":2}')],
    ['a line after the end', `${text}{}\n`],
    ['an unknown command', text.replace('"kernel":', '"colour":')],
    ['a time without its day', text.replace('2026-11-22T01:00:00.000Z', '01:00')],
    ['something else', 'lslpp: not found\n'],
  ])('refuses %s', async (_, changed) => {
    const error = await readSnapshotFile([changed]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SnapshotFileError);
    expect(error).toMatchObject({ code: 'SNAPSHOT_FILE', remedy: expect.any(String) });
  });

  it('publishes its schema', () => {
    expect(snapshotFileSchema()).toMatchObject({
      $schema: expect.stringContaining('json-schema'),
      anyOf: expect.any(Array),
    });
  });
});
