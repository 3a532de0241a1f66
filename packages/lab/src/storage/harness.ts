import type { Answer } from '../command.ts';
import { createStorage, type Storage, type StorageOptions, type StorageState, type Timers } from './index.ts';

/** Time that passes when the test says so. */
export function handTimers(): { readonly timers: Timers; pass(ms: number): Promise<void> } {
  const waiting: { at: number; callback: () => void }[] = [];
  let clock = 0;
  return {
    timers: {
      after(ms, callback) {
        const entry = { at: clock + ms, callback };
        waiting.push(entry);
        return () => {
          const at = waiting.indexOf(entry);
          if (at >= 0) waiting.splice(at, 1);
        };
      },
    },
    async pass(ms) {
      clock += ms;
      for (;;) {
        await Promise.resolve();
        const due = waiting.findIndex(({ at }) => at <= clock);
        if (due < 0) return;
        waiting.splice(due, 1)[0]?.callback();
        for (let i = 0; i < 10; i++) await Promise.resolve();
      }
    },
  };
}

/** Storage with a keyboard. */
export interface Bench {
  readonly storage: Storage;
  ask(node: string, line: string, stdin?: string): Promise<Answer>;
  /** Runs a command that ends. */
  run(
    node: string,
    line: string,
    stdin?: string,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  /** Runs a command that must succeed and gives what it prints. */
  ok(node: string, line: string, stdin?: string): Promise<string>;
  real(node: string, path: string): string;
  volumeNamed(name: string): StorageState['groups'][number]['volumes'][number] | undefined;
}

/** Two nodes, `alpha` and `beta`, and shared disks. */
export function makeBench(directory: string, options: Partial<StorageOptions> = {}): Bench {
  const storage = createStorage({
    directory,
    nodes: ['alpha', 'beta'],
    now: () => new Date(Date.UTC(2026, 10, 7, 19, 11)),
    resyncPerSecond: 100_000,
    ...options,
  });
  const bench: Bench = {
    storage,
    async ask(node, line, stdin = '') {
      const [program = '', ...args] = line.split(' ');
      const command = storage.commands[program];
      if (command === undefined) throw new Error(`no command ${program}`);
      return command({ node, program, args, stdin: () => Promise.resolve(Buffer.from(stdin)) });
    },
    async run(node, line, stdin) {
      const answer = await bench.ask(node, line, stdin);
      if (answer.kind !== 'exit') throw new Error(`${line}: ${answer.kind}`);
      return { code: answer.code, stdout: answer.stdout ?? '', stderr: answer.stderr ?? '' };
    },
    async ok(node, line, stdin) {
      const { code, stdout, stderr } = await bench.run(node, line, stdin);
      if (code !== 0) throw new Error(`${line}: ${code} ${stdout}${stderr}`);
      return stdout;
    },
    real: (node, path) => storage.realPath(node, path),
    volumeNamed: (name) =>
      storage
        .inspect()
        .groups.flatMap(({ volumes }) => volumes)
        .find((volume) => volume.name === name),
  };
  return bench;
}

/** A mirrored standard group on alpha, with one mounted JFS2 file system and one raw volume. */
export async function mirroredGroup(directory: string, options: Partial<StorageOptions> = {}): Promise<Bench> {
  const bench = makeBench(directory, options);
  await bench.ok('alpha', 'mkvg -y datavg -s 1 -S -n hdisk1 hdisk2');
  await bench.ok('alpha', 'mklv -y datalv -t jfs2 -c 2 datavg 8 hdisk1 hdisk2');
  await bench.ok('alpha', 'mklv -y rawlv -t raw -c 2 datavg 4 hdisk1 hdisk2');
  await bench.ok('alpha', 'crfs -v jfs2 -d datalv -m /data -A no -p rw -a logname=INLINE');
  await bench.ok('alpha', 'mount /data');
  return bench;
}

/** The same on an enhanced concurrent group, active on alpha and passive on beta. */
export async function concurrentGroup(directory: string, options: Partial<StorageOptions> = {}): Promise<Bench> {
  const bench = makeBench(directory, options);
  await bench.ok('alpha', 'mkvg -y datavg -s 1 -C -n hdisk1 hdisk2');
  await bench.ok('alpha', 'varyonvg -n -c -A datavg');
  await bench.ok('beta', 'importvg -y datavg hdisk1');
  await bench.ok('beta', 'varyonvg -n -c -P datavg');
  await bench.ok('alpha', 'mklv -y datalv -t jfs2 -c 2 datavg 8 hdisk1 hdisk2');
  await bench.ok('alpha', 'crfs -v jfs2 -d datalv -m /data -A no -p rw -a logname=INLINE');
  await bench.ok('alpha', 'mount /data');
  return bench;
}
