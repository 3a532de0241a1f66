import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Command, type Host, localHost, members, type Pipeline } from '@splitmirror/host';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type ArchiveTool,
  backupByInode,
  compareNames,
  cpio,
  type DirectorySource,
  diffCatalogues,
  listNames,
  readCatalogue,
  readNames,
  tar,
  type Verdict,
  watchArchive,
} from '../src/index.ts';
import { isInstalled, output, populate, scratch } from './tools.ts';

const here = localHost('here', { path: process.env.PATH });
afterAll(() => here.close());

async function run(command: Command | Pipeline, host: Host = here) {
  const { stdout, outcome } = await host.stream(command, { timeoutSeconds: 20 });
  const chunks: Buffer[] = [];
  for await (const chunk of stdout) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), outcome: await outcome };
}

/** An archive made by real commands under a real shell, watched, and judged. */
async function made<Source>(tool: ArchiveTool<Source, DirectorySource>, source: Source) {
  const { bytes, outcome } = await run(tool.create(source));
  const pieces: Buffer[] = [];
  const watch = watchArchive(tool.format as 'tar' | 'cpio', { onCatalogue: (lines) => pieces.push(lines) });
  watch.push(bytes);
  const verdict: Verdict = tool.judge({ outcome, seen: watch.end() });
  return { bytes, verdict, catalogue: () => readCatalogue(Readable.from([Buffer.concat(pieces)])) };
}

function restore(tool: ArchiveTool<never, DirectorySource>, directory: string, input: Buffer): void {
  const [program, ...args] = members(tool.restore({ directory }))[0]?.argv ?? [''];
  output(program, args, { input });
}

const allNames = async (directory: string) => readNames((await run(listNames({ directory }))).bytes);
const longAgo = 1_700_000_000;

describe.skipIf(!isInstalled('cpio', /GNU cpio/) || !isInstalled('tar', /GNU tar/))('full and incremental', () => {
  it.each([{ full: tar }, { full: cpio }])(
    '$full.name, then cpio of what is newer: restored as it was',
    async ({ full }) => {
      using root = scratch();
      const [directory, into, stamp] = ['from', 'into', 'stamp'].map((name) => join(root.path, name)) as [
        string,
        string,
        string,
      ];
      for (const path of [directory, into]) mkdirSync(path);
      populate(directory);
      mkdirSync(join(directory, 'gone-directory'));
      writeFileSync(join(directory, 'gone-directory/file'), 'gone');
      utimesSync(join(directory, 'gone-directory'), longAgo, longAgo);

      // The stamp is made first: what changes while the full archive is made is in the next one.
      writeFileSync(stamp, '');
      utimesSync(stamp, longAgo + 10, longAgo + 10);
      const first = await made(full as typeof cpio, { directory });

      writeFileSync(join(directory, 'redo01.log'), 'written again');
      writeFileSync(join(directory, 'bin/new'), 'new');
      symlinkSync('new', join(directory, 'bin/link'));
      linkSync(join(directory, 'bin/new'), join(directory, 'bin/new-too'));
      rmSync(join(directory, 'gone-directory'), { recursive: true });
      rmSync(join(directory, 'block'));
      const second = await made(cpio, { directory, newerThan: stamp });
      const names = await allNames(directory);

      expect([first.verdict.kind, second.verdict.kind]).toEqual(['good', 'good']);
      const archived = (await diffCatalogues(first.catalogue(), second.catalogue())).added.map((name) =>
        name.replace(/^\.\//, ''),
      );
      expect(archived).toEqual(expect.arrayContaining(['bin/new', 'bin/link', 'bin/new-too']));
      expect(second.bytes.length).toBeLessThan(first.bytes.length / 2);

      const { deleted, unarchived } = await compareNames([first.catalogue(), second.catalogue()], names);
      expect(deleted).toEqual(['./block', './gone-directory', './gone-directory/file']);
      expect(unarchived).toEqual([]);

      restore(full as ArchiveTool<never, DirectorySource>, into, first.bytes);
      restore(cpio as ArchiveTool<never, DirectorySource>, into, second.bytes);
      for (const name of deleted) rmSync(join(into, name), { recursive: true, force: true });
      output('diff', ['-r', '--no-dereference', directory, into]);
    },
  );

  it('tells of what is there, is not newer, and stands in no archive', async () => {
    using root = scratch();
    const [directory, stamp] = [join(root.path, 'from'), join(root.path, 'stamp')];
    mkdirSync(directory);
    for (const name of ['kept', 'moved']) {
      writeFileSync(join(directory, name), name);
      utimesSync(join(directory, name), longAgo, longAgo);
    }
    writeFileSync(stamp, '');
    const full = await made(cpio, { directory });
    renameSync(join(directory, 'moved'), join(directory, 'elsewhere'));
    const increment = await made(cpio, { directory, newerThan: stamp });
    const chain = [full.catalogue(), increment.catalogue()];
    expect(await compareNames(chain, await allNames(directory))).toEqual({
      deleted: ['./moved'],
      unarchived: ['./elsewhere'],
    });
  });

  it('reads names byte by byte, and no list that is cut or holds a line feed', async () => {
    const bytes = Buffer.from('.\n./a b\n./\xe4\n', 'latin1');
    expect(readNames(bytes)).toEqual(['.', './a b', './\udce4']);
    expect(readNames(Buffer.alloc(0))).toEqual([]);
    expect(() => readNames(bytes.subarray(0, -1))).toThrow(expect.objectContaining({ code: 'PARSE_OUTPUT' }));
    expect(() => readNames(Buffer.from('.\n./a\nb\n'))).toThrow(expect.objectContaining({ code: 'PARSE_OUTPUT' }));
  });
});

it('archives by inode level after level, and records them when told to', async () => {
  using root = scratch();
  const dumpdates = join(root.path, 'dumpdates');
  const header = Buffer.alloc(10_240);
  header.writeInt32BE(1, 0);
  header.writeInt32BE(60_012, 24);
  header.writeInt32BE(84_446 - 60_012 - 1, 28);
  writeFileSync(join(root.path, 'header'), header);
  // A stand-in: what AIX would be asked to do, under a real shell.
  const shim = `#!/bin/sh\ncase "$*" in "-[0-9] -f - /data") ;; -[0-9]" -u -f - /data") echo "/dev/rdatalv \${1#-}" >> ${dumpdates} ;; esac\nexec cat ${join(root.path, 'header')}\n`;
  writeFileSync(join(root.path, 'backup'), shim);
  chmodSync(join(root.path, 'backup'), 0o755);
  const host = localHost('node', { path: `${root.path}:${process.env.PATH}` });
  for (const [level, record] of [
    [0, 'record'],
    [1, 'record'],
    [5, 'leave'],
  ] as const) {
    const { bytes, outcome } = await run(backupByInode.create({ fileSystem: '/data', level, dumpdates: record }), host);
    const watch = watchArchive('backup-inode');
    watch.push(bytes);
    const evidence = { outcome, seen: watch.end() };
    expect(backupByInode.judge({ ...evidence, accept: ['OPAQUE'] }).kind).toBe('good');
    expect(backupByInode.judge(evidence)).toMatchObject({ reasons: [{ code: 'OPAQUE' }] });
  }
  await host.close();
  expect(readFileSync(dumpdates, 'utf8')).toBe('/dev/rdatalv 0\n/dev/rdatalv 1\n');
});
