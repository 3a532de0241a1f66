import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Lab, type LabOptions, startLab } from '@splitmirror/lab';
import { stringify } from 'yaml';
import { labConfig } from '../src/commands/lab.ts';

const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url));

/** A lab in this process, a configuration for it, and the command line as an operator runs it: in a process of its own. */
export interface Stage {
  readonly lab: Lab;
  readonly directory: string;
  readonly store: string;
  /** Writes another configuration and returns its file. */
  configure(change: (config: ReturnType<typeof labConfig>) => unknown): Promise<string>;
  run(...words: string[]): Promise<Finished>;
  /** A command that takes no configuration. */
  bare(...words: string[]): Promise<Finished>;
  start(...words: string[]): Running;
  /** The same for a command that takes no configuration. */
  startBare(...words: string[]): Running;
  /** The same, with more in its environment. */
  startIn(environment: Readonly<Record<string, string>>, ...words: string[]): Running;
  /** A backup that is killed while it archives: lock, copies and mounts are left. */
  killBackup(): Promise<void>;
  /** What of splitmirror is left on the nodes, in the mirror and in the store; all empty when nothing is. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when stdout matches, rejects when the command ends before. */
  saw(pattern: RegExp): Promise<void>;
}

export async function openStage(options: Omit<LabOptions, 'directory'> = {}): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'splitmirror-stage-'));
  const lab = await startLab({ contentBytes: 4 << 20, phaseMs: 30, ...options, directory: join(directory, 'lab') });
  const store = join(directory, 'store');
  let files = 0;
  const configure: Stage['configure'] = async (change) => {
    const file = join(directory, `config-${files++}.yaml`);
    const base = { ...labConfig(lab), store, stabilitySeconds: 0.1, pollSeconds: 0.1 };
    await writeFile(file, stringify(change(base) ?? base));
    return file;
  };
  const config = await configure(() => undefined);

  const startIn: Stage['startIn'] = (environment, ...words) =>
    launch(environment, ...(words.includes('--config') ? words : [...words, '--config', config]));
  const launch = (environment: Readonly<Record<string, string>>, ...all: string[]): Running => {
    const child = spawn(process.execPath, ['--conditions=@splitmirror/source', bin, ...all], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    let stdout = '';
    let stderr = '';
    const waiting: { pattern: RegExp; resolve(): void; reject(error: Error): void }[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      for (const each of waiting) if (each.pattern.test(stdout)) each.resolve();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const finished = new Promise<Finished>((resolve) => {
      child.on('close', (code) => {
        resolve({ code, stdout, stderr });
        for (const each of waiting)
          each.reject(new Error(`ended with ${code} before ${each.pattern}:\n${stdout}${stderr}`));
      });
    });
    return {
      child,
      finished,
      saw: (pattern) =>
        pattern.test(stdout)
          ? Promise.resolve()
          : new Promise<void>((resolve, reject) => void waiting.push({ pattern, resolve, reject })),
    };
  };

  return {
    lab,
    directory,
    store,
    configure,
    start: (...words) => startIn({}, ...words),
    startIn,
    startBare: (...words) => launch({}, ...words),
    run: (...words) => startIn({}, ...words).finished,
    bare: (...words) => launch({}, ...words).finished,
    async killBackup() {
      lab.fault({ program: 'dd', does: { kind: 'hangs' } });
      const run = startIn({}, 'backup', 'ledger_rg', '--json');
      await run.saw(/"type":"archive-start","volume":"auditlv"/);
      run.child.kill('SIGKILL');
      await run.finished;
      lab.clearFaults();
    },
    async leftovers() {
      const found: string[] = [];
      for (const { name, root } of lab.nodes) {
        const { stdout } = await lab.run(name, ['lsvg', '-l', 'ledgervg']);
        found.push(...stdout.split('\n').filter((line) => /^sm[a-z]/.test(line) || /stale/.test(line)));
        for (const row of stdout.split('\n')) {
          const [volume, , logical, physical] = row.split(/\s+/);
          if (Number(logical) > 0 && Number(physical) !== 2 * Number(logical)) found.push(`${volume} has lost a copy`);
        }
        const mounted = await lab.run(name, ['mount']);
        found.push(...mounted.stdout.split('\n').filter((line) => line.includes('/splitmirror')));
        for (const place of ['', 'ledger/accounts', 'ledger/journal']) {
          const names = await readdir(join(root, place)).catch(() => []);
          found.push(
            ...names.filter((each) => /^\.?splitmirror$/.test(each)).map((each) => `${name}:/${place}/${each}`),
          );
        }
        const status = await lab.run(name, ['ledgerctl', 'status']);
        if (/suspended/i.test(status.stdout)) found.push(`the ledger is suspended on ${name}`);
      }
      const stored = await readdir(store, { recursive: true }).catch(() => []);
      found.push(...stored.filter((name) => /\.partial$|\.incomplete\/.*\.(?:tar|dd)$/.test(name)));
      return [...new Set(found)];
    },
    async close() {
      await lab.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
