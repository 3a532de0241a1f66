/*
 * One measurement of bench/levels.ts, in a process of its own; prints JSON with the milliseconds that it took, modules
 * loaded, and the peak of its memory.
 *
 *   levels-job.ts idle                   what the modules alone take
 *   levels-job.ts parse FILE             reads one list of `lslpp -Lc`, again and again, each time as if it were the first
 *   levels-job.ts audit SNAPSHOT-FILE    reads all nodes and audits them
 */
import { createReadStream, readFileSync } from 'node:fs';
import { auditLevels, parseListing } from '@splitmirror/levels';
import { readSnapshotFile } from '@splitmirror/levels/files';
import { peakMiB } from './peak.ts';

const [, , job = 'idle', file = ''] = process.argv;
/** Bytes of text that one measurement of the reader takes. */
const parseBytes = 40e6;

async function measure(): Promise<{ bytes?: number; findings?: number }> {
  if (job === 'parse') {
    const text = readFileSync(file, 'utf8');
    let bytes = 0;
    for (; bytes < parseBytes; bytes += text.length) parseListing(text);
    return { bytes };
  }
  if (job === 'audit')
    return { findings: auditLevels(await readSnapshotFile(createReadStream(file, { highWaterMark: 1 << 18 }))).length };
  return {};
}

const start = performance.now();
const result = await measure();
const ms = performance.now() - start;
console.log(JSON.stringify({ ms, rssMiB: peakMiB(), ...result }));
