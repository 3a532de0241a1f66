/*
 * One measurement of bench/wire.ts, in a process of its own. Its argument is JSON; it prints JSON.
 *
 *   nothing                 the modules alone: what memory they take
 *   backup                  streams files of a node side by side into a directory: hash, catalogue, fsync
 *   answer                  connects and asks for one answer
 *   freeze                  one script of many steps
 *   survey                  asks many nodes at once
 *   lab                     runs a lab of many nodes until its standard input ends
 *   relay                   a long link before a server, until its standard input ends
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DigestKind, watchArchive } from '@splitmirror/archive';
import { type Chunk, type Host, reads } from '@splitmirror/host';
import { type SshOptions, sshHost } from '@splitmirror/ssh';
import { openSink } from '../packages/backup/src/run/sink.ts';
import { type LinkSettings, startRelay } from '../packages/ssh/test/relay.ts';
import { peakMiB } from './peak.ts';

/** What a job is told. */
export type Job =
  | { readonly job: 'nothing' }
  | {
      readonly job: 'backup';
      readonly options: SshOptions;
      readonly files: readonly string[];
      readonly directory: string;
      /** Default `outline`, which hashes each byte once. */
      readonly digest?: DigestKind;
    }
  | { readonly job: 'answer'; readonly options: SshOptions }
  | { readonly job: 'freeze'; readonly options: SshOptions; readonly commands: readonly string[] }
  | { readonly job: 'survey'; readonly nodes: readonly SurveyNode[] }
  | { readonly job: 'lab'; readonly nodes: number; readonly slowestMs: number; readonly othersMs: number }
  | { readonly job: 'relay'; readonly target: number; readonly link: LinkSettings };

/** A node of a lab, and the way to it. */
export interface SurveyNode {
  readonly name: string;
  readonly path: string;
  readonly options: SshOptions;
}

const told = JSON.parse(process.argv[2] ?? '{"job":"nothing"}') as Job;
const systemPath = { path: '/usr/bin:/bin' };

/** Runs until the caller is gone. */
async function serve(found: object, end: () => unknown): Promise<void> {
  console.log(JSON.stringify(found));
  for await (const _ of process.stdin);
  await end();
}

async function save(host: Host, file: string, to: string, digest: DigestKind = 'outline'): Promise<number> {
  const [sink, catalogue] = await Promise.all([openSink(to), openSink(`${to}.catalogue`)]);
  const lines: Buffer[] = [];
  const watch = watchArchive('tar', { digest, onCatalogue: (piece) => void lines.push(piece) });
  const { stdout, outcome } = await host.stream(reads('cat', file), { timeoutSeconds: 600 });
  for await (const chunk of stdout as AsyncIterable<Chunk>) {
    watch.push(chunk);
    await sink.write(chunk, chunk[Symbol.dispose]?.bind(chunk));
    for (const piece of lines.splice(0)) await catalogue.write(piece);
  }
  const ended = await outcome;
  if (ended.kind !== 'ended') throw new Error(JSON.stringify(ended));
  const { bytes } = watch.end();
  for (const piece of lines.splice(0)) await catalogue.write(piece);
  await Promise.all([sink.finish(), catalogue.finish()]);
  return bytes;
}

/** Milliseconds on the clock and on the processors, since the modules were loaded. */
function spent(): { readonly ms: number; readonly cpuMs: number } {
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - begun, cpuMs: (user + system) / 1000 };
}

async function measured(job: Job): Promise<object> {
  switch (job.job) {
    case 'backup': {
      mkdirSync(job.directory);
      const host = sshHost('node', job.options, systemPath);
      const all = job.files.map((file, index) => save(host, file, join(job.directory, `${index}.tar`), job.digest));
      const bytes = (await Promise.all(all)).reduce((sum, each) => sum + each, 0);
      // What a backup waits for ends here.
      const taken = spent();
      await host.close();
      rmSync(job.directory, { recursive: true });
      return { ...taken, bytes };
    }
    case 'answer': {
      const host = sshHost('node', job.options, systemPath);
      await host.run({ steps: [{ id: 'one', run: reads('echo', 'hi'), timeoutSeconds: 30 }] });
      const taken = spent();
      await host.close();
      return taken;
    }
    case 'freeze': {
      const host = sshHost('node', job.options, systemPath);
      await host.run({ steps: [] });
      const steps = job.commands.map((line, index) => ({
        id: String(index),
        run: reads('sh', '-c', line),
        timeoutSeconds: 30,
      }));
      const outcome = await host.run({ steps });
      if (outcome.kind !== 'completed') throw new Error(JSON.stringify(outcome));
      await host.close();
      return spent();
    }
    case 'survey': {
      const run = reads('oslevel', '-s');
      const each = await Promise.all(
        job.nodes.map(async ({ name, path, options }) => {
          const start = performance.now();
          const host = sshHost(name, options, { path });
          const outcome = await host.run({ steps: [{ id: 'one', run, timeoutSeconds: 60 }] });
          const ms = performance.now() - start;
          if (outcome.steps[0]?.kind !== 'ended') throw new Error(JSON.stringify(outcome));
          void host.close();
          return ms;
        }),
      );
      return { ...spent(), slowestMs: Math.max(...each) };
    }
    default:
      return {};
  }
}

const begun = performance.now();
const before = process.cpuUsage();
if (told.job === 'relay') {
  const relay = await startRelay(told.target, told.link);
  await serve({ port: relay.port }, () => {
    relay.close();
    relay.cut();
  });
} else if (told.job === 'lab') {
  const names = Array.from({ length: told.nodes }, (_, index) => ({ name: `node${index}`, host: `host${index}` }));
  const { startLab } = await import('@splitmirror/lab');
  const lab = await startLab({ nodes: names, contentBytes: 1000, ledger: { intervalMs: 600_000 } });
  for (const { name } of names) {
    const milliseconds = name === 'node1' ? told.slowestMs : told.othersMs;
    lab.fault({ node: name, program: 'oslevel', times: 0, does: { kind: 'delays', milliseconds } });
  }
  const { identityFile, knownHostsFile } = lab;
  const nodes = lab.nodes.map(({ name, path, port }): SurveyNode => {
    const identities = [{ file: identityFile }];
    const knownHosts = [knownHostsFile];
    return { name, path, options: { address: '127.0.0.1', port, user: 'root', agent: false, identities, knownHosts } };
  });
  await serve({ nodes }, () => lab.close());
} else {
  const result = await measured(told);
  console.log(JSON.stringify({ ...result, rssMiB: peakMiB() }));
}
