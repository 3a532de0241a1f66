import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { shells } from '../test/shells.ts';
import { changes, reads } from './command.ts';
import type { Script, Step } from './script.ts';
import { renderScript, renderStream } from './shell.ts';

const nonce = `sm${'c3'.repeat(16)}`;
const settings = { path: '/usr/bin:/bin' };
/** A shell that hangs must not hang the tests. */
const patience = { timeout: 10_000, killSignal: 'SIGKILL' } as const;
const directory = mkdtempSync(join(tmpdir(), 'splitmirror-shell-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const argv = fc.array(
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
  { maxLength: 4 },
);
const command = fc.record({
  argv: argv.map((args) => ['echo', ...args] as const),
  effect: fc.constantFrom<'reads' | 'changes'>('reads', 'changes'),
});
const run = fc.oneof(
  command,
  fc.tuple(command, command).map((pipe) => ({ pipe })),
);
/** Scripts in which anything may name anything earlier. */
const scripts = fc
  .array(
    fc.record({
      run,
      timeoutSeconds: fc.integer({ min: 1, max: 9999 }),
      stdin: fc.option(fc.string({ unit: 'binary' })),
      onFailure: fc.constantFrom<'stop' | 'continue'>('stop', 'continue'),
      pays: fc.array(fc.nat(), { maxLength: 2 }),
      needs: fc.array(fc.nat(), { maxLength: 2 }),
    }),
    { maxLength: 6 },
  )
  .map(
    (steps): Script => ({
      steps: steps.map(({ stdin, pays, needs, ...rest }, index): Step => {
        const earlier = (names: readonly number[]) => (index === 0 ? [] : names.map((name) => `s:${name % index}`));
        const input = stdin === null ? {} : { stdin: `${stdin.replaceAll('\0', '')}\n` };
        return { ...rest, ...input, id: `s:${index}`, pays: earlier(pays), needs: earlier(needs) };
      }),
    }),
  );

/** What ksh88 does not know, or knows otherwise. */
const bashisms = [
  /\[\[/,
  /\bfunction\b/,
  /\blocal\b/,
  /\$'/,
  /<\(/,
  />\(/,
  /pipefail/,
  /\bsource\b/,
  /<<</,
  /&>/,
  /\$\{[^}]*\/[^}]*\}/,
];

describe('renderScript', () => {
  for (const [name, shell] of Object.entries(shells)) {
    describe.skipIf(!existsSync(shell))(name, { timeout: 120_000 }, () => {
      it('is a text that the shell can read, whatever the steps say', () => {
        fc.assert(
          fc.property(scripts, (script) => {
            const { status, stderr } = spawnSync(shell, ['-n'], { input: renderScript(script, nonce, settings) });
            expect(stderr.toString().replace(/^.*: warning: .*\n/gm, '')).toBe(''); // ksh93 has opinions about speed
            expect(status).toBe(0);
          }),
          { numRuns: 40 },
        );
      });

      it('runs nothing of a text that arrives in part', () => {
        const ran = join(directory, `cut-${name}`);
        const text = Buffer.from(renderScript(touching(ran), nonce, settings));
        fc.assert(
          fc.property(fc.integer({ min: 0, max: text.length - '}\n'.length }), (length) => {
            spawnSync(shell, ['-s'], { input: text.subarray(0, length), ...patience });
            expect(existsSync(ran)).toBe(false);
          }),
          { numRuns: 60, examples: [[text.length - 2], [text.length - 3]] },
        );
        spawnSync(shell, ['-s'], { input: text, ...patience });
        expect(existsSync(ran)).toBe(true);
      });

      it('runs no step of a text whose first lines were eaten by a login script', () => {
        const ran = join(directory, `eaten-${name}`);
        const lines = renderScript(touching(ran), nonce, settings).split('\n');
        for (let eaten = 1; eaten < 8; eaten++) {
          spawnSync(shell, ['-s'], { input: lines.slice(eaten).join('\n'), ...patience });
          expect({ eaten, ran: existsSync(ran) }).toEqual({ eaten, ran: false });
        }
      });

      it('pays although the shell is hung up between the freeze and the thaw', async () => {
        const file = join(directory, `hup-${name}`);
        const script: Script = {
          steps: [
            { id: 'freeze', run: changes('sh', '-c', `echo frozen >${file}`), timeoutSeconds: 10 },
            { id: 'split', run: changes('sleep', '1'), timeoutSeconds: 10 },
            { id: 'thaw', run: changes('sh', '-c', `echo thawed >>${file}`), timeoutSeconds: 10, pays: ['freeze'] },
          ],
        };
        const child = start(shell, renderScript(script, nonce, settings));
        await delay(400);
        child.kill('SIGHUP');
        await gone(child);
        expect(readFileSync(file, 'utf8')).toBe('frozen\nthawed\n');
      });

      it('obeys TERM however often and whenever it comes, and leaves no process behind', async () => {
        const paid = join(directory, `term-${name}`);
        const marker = (number: number | '') =>
          `${number}${String(process.pid).padStart(5, '0')}${Object.keys(shells).indexOf(name)}`;
        await Promise.all(
          [2, 5, 8, 15, 30, 60, 100, 200].map(async (pauseMs) => {
            const file = `${paid}-${pauseMs}`;
            const script: Script = {
              steps: [
                { id: 'freeze', run: changes('touch', `${file}.frozen`), timeoutSeconds: Number(marker(641)) },
                { id: 'split', run: changes('sleep', marker(644)), timeoutSeconds: Number(marker(642)) },
                { id: 'thaw', run: changes('touch', file), timeoutSeconds: Number(marker(643)), pays: ['freeze'] },
              ],
            };
            const child = start(shell, renderScript(script, nonce, settings));
            await heard(child, 'begin');
            for (let times = 0; times < 3; times++) {
              await delay(pauseMs);
              child.kill('SIGTERM');
            }
            await gone(child);
            expect(existsSync(file) || !existsSync(`${file}.frozen`)).toBe(true);
          }),
        );
        await delay(300);
        const all = spawnSync('ps', ['-eo', 'args']).stdout.toString().split('\n');
        expect(all.filter((args) => args.startsWith('sleep ') && args.includes(marker('')))).toEqual([]);
      });
    });
  }

  it('holds no bashism', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(reads('ls'), { pipe: [reads('ls'), reads('wc')] } as const)), (runs) => {
        const steps = runs.map((each, index): Step => ({ id: `${index}`, run: each, timeoutSeconds: 5, stdin: '\n' }));
        for (const bashism of bashisms) expect(renderScript({ steps }, nonce, settings)).not.toMatch(bashism);
      }),
      { numRuns: 20 },
    );
  });
});

describe('renderStream', () => {
  for (const [name, shell] of Object.entries(shells)) {
    it.skipIf(!existsSync(shell))(`ends its command at a hang-up under ${name}`, async () => {
      const child = start(shell, renderStream(reads('sleep', '300'), nonce, 300, settings));
      await heard(child, 'start');
      await delay(200);
      child.kill('SIGHUP');
      await gone(child);
    });
  }
});

/** A script in which every way of running a step would leave the file. */
function touching(file: string): Script {
  const run = changes('touch', file);
  return {
    steps: [
      { id: 'plain', run, timeoutSeconds: 10 },
      { id: 'fed', run, stdin: 'text\n', timeoutSeconds: 10, onFailure: 'continue' },
      { id: 'piped', run: { pipe: [run, run] }, stdin: 'text\n', timeoutSeconds: 10 },
      { id: 'paying', run, timeoutSeconds: 10, pays: ['plain'], needs: ['plain'] },
    ],
  };
}

function start(shell: string, text: string): ChildProcess {
  const child = spawn(shell, ['-s'], { detached: true, stdio: 'pipe' });
  child.stdin.write(text);
  child.stderr.resume();
  return child;
}

/** Waits until the shell has printed the mark. */
async function heard(child: ChildProcess, word: string): Promise<void> {
  let said = '';
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (bytes) => {
      said += bytes;
      if (said.includes(`${nonce} ${word} `)) resolve();
    });
  });
}

async function gone(child: ChildProcess): Promise<void> {
  child.stdout?.resume();
  if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
}
