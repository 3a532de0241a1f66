import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Generation, type Lab, startLab } from '../src/index.ts';

const captures = process.env.SPLITMIRROR_CAPTURES ?? join(import.meta.dirname, '../../../../shared/captures');

/** Lines of a capture without the two that tell where it comes from, and without blanks at their ends. */
function captured(name: string): string[] {
  return lines(readFileSync(join(captures, name), 'utf8')).slice(2);
}

function lines(text: string): string[] {
  return text.split('\n').map((line) => line.trimEnd());
}

/** The form of a line: what differs from one cluster to the next is taken out. */
function form(line: string): string {
  return line
    .replace(/"[^"]*"/g, '""')
    .replace(/NodeName - \S+/, 'NodeName - NAME')
    .replace(/Last event run was \S+ +on/, 'Last event run was EVENT on')
    .replace(/(?<= )\d{5,8} {2,}/, 'PID ')
    .replace(/\d+(\.\d+)?/g, 'N');
}

const forms = (text: readonly string[]) => text.filter((line) => line.trim() !== '').map(form);

/** Label of a line of `clshowres`, which is cut where the value begins. */
const label = (line: string) => line.slice(0, 52).trim();

describe.skipIf(!existsSync(captures))(`what the lab prints, against ${captures} (skipped where they are not)`, () => {
  const labs = new Map<Generation, Lab>();
  beforeAll(async () => {
    for (const generation of ['5.x', '7.1', '7.2'] as const) {
      labs.set(generation, await startLab({ generation, contentBytes: 1000, phaseMs: 0 }));
    }
  });
  afterAll(async () => {
    for (const lab of labs.values()) await lab.close();
  });
  const printed = async (generation: Generation, ...argv: [string, ...string[]]) =>
    lines((await labs.get(generation)?.run('db_node1', argv))?.stdout ?? '');

  it.each([
    ['clRGinfo', 'hacmp/clrginfo-713-wide-state.txt', 3],
    ['clmgr -cv -a name,state,raw_state query node', 'hacmp/clmgr-query-node-all-normal.txt', 1],
    ['lsrpnode', 'hacmp/lsrpnode-split-site1.txt', 1],
    ['lsrpdomain', 'levels/lsrpdomain-aix.txt', 1],
    ['lslpp -Lc', 'levels/lslpp-Lc-aix-7.1-header-18col.txt', 1],
    ['lslpp -lc', 'levels/lslpp-lc-aix-5.3a.txt', 1],
  ])('%s has the heading of %s', async (command, capture, count) => {
    const squeezed = (text: readonly string[]) => text.slice(0, count).map((line) => line.replace(/ +/g, ' '));
    const [program = '', ...args] = command.split(' ');
    expect(squeezed(await printed('7.1', program, ...args))).toEqual(squeezed(captured(capture)));
  });

  it('clRGinfo has its columns where the capture has them', async () => {
    const columns = (line = '') => [...line.matchAll(/\S+(?: \S+)*/g)].map(({ index }) => index);
    const [, , , first, second] = await printed('7.1', 'clRGinfo');
    const [, , , ...rows] = captured('hacmp/clrginfo-713-wide-state.txt');
    expect([columns(first), columns(second)]).toEqual([columns(rows[0]), columns(rows[1])]);
  });

  it('clRGinfo -s has the fields of the capture', async () => {
    const tail = (line = '') => line.split(':').slice(3).join(':');
    expect(tail((await printed('7.1', 'clRGinfo', '-s'))[0])).toBe(
      tail(captured('hacmp/clrginfo-s-713-two-groups.txt')[0]),
    );
  });

  it('clshowsrv -v has the lines of 7.1.3, in their order', async () => {
    expect(forms(await printed('7.1', 'clshowsrv', '-v'))).toEqual(
      forms(captured('hacmp/clshowsrv-v-713sp2-stable.txt')),
    );
  });

  it('clshowsrv -a has the lines of 5.x', async () => {
    expect(forms(await printed('5.x', 'clshowsrv', '-a'))).toEqual(
      forms(captured('hacmp/clshowsrv-hacmp5-started.txt')),
    );
  });

  it('clshowres has labels of 7.2.0, in their order', async () => {
    const known = captured('hacmp/clshowres-720-glvm.txt').map(label);
    const own = (await printed('7.2', 'clshowres')).map(label).filter((text) => text !== '');
    expect(own.filter((text) => !known.includes(text))).toEqual([]);
    const group = own.slice(0, own.indexOf('Run Time Parameters:'));
    expect(group).toEqual(known.filter((text) => group.includes(text)));
  });

  it('emgr -l has heading, rulers and legend of 7.2', async () => {
    const own = (await printed('7.2', 'emgr', '-l')).filter((line) => line !== '');
    const known = captured('levels/emgr-l-1.txt').filter((line) => line !== '');
    expect(own.slice(0, 2)).toEqual(known.slice(0, 2));
    expect(own.slice(own.indexOf('STATE codes:'))).toEqual(known.slice(known.indexOf('STATE codes:')));
  });
});
