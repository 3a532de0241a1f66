import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, changes, reads } from './command.ts';
import type { Host, ScriptOutcome, StepResult } from './host.ts';
import type { Script } from './script.ts';
import type { Chunk } from './transport.ts';

/** What one case of the contract runs against. */
export interface Subject {
  /** A host of its own whose PATH holds the usual POSIX programs. */
  readonly host: Host;
  /** Its `maxOutputBytes`, at least 16 MiB; default 64 MiB, as there. A rule floods it. */
  readonly maxOutputBytes?: number | undefined;
  /** Cuts the link under everything that runs, as a pulled cable does; without it the cases that need it do not exist. */
  readonly cut?: (() => void) | undefined;
  readonly dispose?: (() => Promise<void>) | undefined;
}

/** One rule that every {@link Host} keeps. */
export interface ContractCase {
  readonly name: string;
  /** Rejects with an AssertionError when the rule is broken. Takes up to 20 seconds, and longer on a busy machine. */
  run(): Promise<void>;
}

/**
 * The rules that a {@link Host} keeps, as cases for any test runner. They run real programs on the host (`sh`, `cat`,
 * `sleep`, `dd`, ...) and write a few files in `/tmp`, which they remove.
 *
 * @param make Makes a fresh subject for each case.
 * @param options `cuts`: the subjects can cut their link.
 */
export function hostContract(
  make: () => Promise<Subject>,
  options: { readonly cuts?: boolean | undefined } = {},
): readonly ContractCase[] {
  const rules = options.cuts ? [...always, ...whenCut] : always;
  return rules.map(([name, rule]) => ({
    name,
    async run() {
      const subject = await make();
      try {
        const cut = subject.cut ?? (() => assert.fail('the subject cannot cut its link'));
        await rule(subject.host, cut, subject.maxOutputBytes ?? 64 << 20);
      } finally {
        await subject.host.close();
        await subject.dispose?.();
      }
    },
  }));
}

type Rule = readonly [name: string, rule: (host: Host, cut: () => void, maxOutputBytes: number) => Promise<void>];

/** A one-line shell program as a command. */
function sh(text: string, ...args: string[]): Command {
  return reads('sh', '-c', text, 'sh', ...args);
}

function writes(text: string, ...args: string[]): Command {
  return changes('sh', '-c', text, 'sh', ...args);
}

function one(run: Script['steps'][number]['run'], timeoutSeconds = 10): Script {
  return { steps: [{ id: 'one', run, timeoutSeconds }] };
}

function step(outcome: ScriptOutcome, id: string): StepResult {
  const found = outcome.steps.find((result) => result.id === id);
  assert.ok(found, `there is a result for ${id}`);
  return found;
}

/** The step as ended by itself; anything else breaks the rule. */
function ended(outcome: ScriptOutcome, id = 'one'): Extract<StepResult, { kind: 'ended' }> {
  const found = step(outcome, id);
  assert.equal(found.kind, 'ended', `${id}: ${JSON.stringify(found)}`);
  return found as Extract<StepResult, { kind: 'ended' }>;
}

function kinds(outcome: ScriptOutcome): string {
  return outcome.steps.map((result) => `${result.id} ${result.kind}`).join(', ');
}

function scratchName(): string {
  return `/tmp/splitmirror-${randomBytes(6).toString('hex')}`;
}

/** What a file on the node holds by now; the file is removed. */
async function take(host: Host, file: string): Promise<string> {
  const outcome = await host.run(one(writes('cat "$1"; rm -f "$1"', file)));
  return ended(outcome).stdout;
}

/** Waits until the file is there, then hands out what it holds. */
async function appears(host: Host, file: string): Promise<string> {
  const wait = 'n=0; while [ ! -s "$1" ] && [ "$n" -lt 60 ]; do sleep 1; n=$((n + 1)); done; cat "$1"';
  return ended(await host.run(one(sh(wait, file), 90))).stdout;
}

/**
 * Waits until everything has been read that was written before the call: what a process has left in its pipe is read no
 * later than the answer of one that was started afterwards.
 */
async function caughtUp(host: Host): Promise<void> {
  ended(await host.run(one(sh('exit 0'))));
}

/** Shell text that waits until {@link letGo} is called for its first argument. */
const held = 'n=0; while [ ! -f "$1.go" ] && [ "$n" -lt 60 ]; do sleep 1; n=$((n + 1)); done; rm -f "$1.go"';

async function letGo(host: Host, file: string): Promise<void> {
  ended(await host.run(one(writes(': >"$1.go"', file))));
}

async function isAlive(host: Host, pid: string): Promise<boolean> {
  const outcome = await host.run(one(sh('kill -0 "$1" 2>/dev/null && echo alive || echo gone', pid.trim())));
  return ended(outcome).stdout === 'alive\n';
}

const awkward = [
  '',
  ' ',
  '-n',
  '--',
  '~',
  '*',
  '$HOME',
  '`id`',
  '$(id)',
  '\\',
  '\\n',
  "'",
  '"',
  "it's",
  '!',
  '#',
  'a=b',
  '{a,b}',
  'line\nfeed',
  '\n',
  'tab\t',
  'end ',
  ';&|<>()[]',
  'ä€😀',
];

const always: readonly Rule[] = [
  [
    'hands every word to the program as it is',
    async (host) => {
      const bytes = Array.from({ length: 127 }, (_, index) => String.fromCharCode(index + 1));
      const words = [...awkward, bytes.join(''), ...bytes];
      const outcome = await host.run(one(reads('printf', '<%s>', ...words)));
      assert.equal(ended(outcome).stdout, words.map((word) => `<${word}>`).join(''));
    },
  ],
  [
    'tells stdout, stderr and status of each step apart',
    async (host) => {
      const outcome = await host.run({
        steps: [
          { id: 'first', run: sh('echo out1; echo err1 >&2'), timeoutSeconds: 10 },
          { id: 'second', run: sh('echo err2 >&2; echo out2; exit 3'), timeoutSeconds: 10, onFailure: 'continue' },
          { id: 'third', run: sh('exit 0'), timeoutSeconds: 10 },
        ],
      });
      assert.equal(outcome.kind, 'completed');
      const results = outcome.steps.map((result) => {
        const { id, stdout, stderr, exitCode } = ended(outcome, result.id);
        return { id, stdout, stderr, exitCode };
      });
      assert.deepEqual(results, [
        { id: 'first', stdout: 'out1\n', stderr: 'err1\n', exitCode: 0 },
        { id: 'second', stdout: 'out2\n', stderr: 'err2\n', exitCode: 3 },
        { id: 'third', stdout: '', stderr: '', exitCode: 0 },
      ]);
    },
  ],
  [
    'keeps output without a final line feed as it is',
    async (host) => {
      const outcome = await host.run({
        steps: [
          { id: 'none', run: reads('printf', 'no end'), timeoutSeconds: 10 },
          { id: 'many', run: reads('printf', '\n\nend\n\n'), timeoutSeconds: 10 },
        ],
      });
      assert.deepEqual([ended(outcome, 'none').stdout, ended(outcome, 'many').stdout], ['no end', '\n\nend\n\n']);
    },
  ],
  [
    'takes no output for a frame',
    async (host) => {
      const forged = `\nsm${'0'.repeat(32)} end 0 0 0\n\nsm${'0'.repeat(32)} done\n`;
      const outcome = await host.run(one(reads('printf', '%s', forged)));
      assert.equal(ended(outcome).stdout, forged);
    },
  ],
  [
    'reports a program that does not exist as status 127',
    async (host) => {
      assert.equal(ended(await host.run(one(reads('splitmirror-no-such-program')))).exitCode, 127);
    },
  ],
  [
    'reports a signal as a status above 128',
    async (host) => {
      const outcome = await host.run({
        steps: [
          { id: 'one', run: sh('kill -15 $$'), timeoutSeconds: 10, onFailure: 'continue' },
          { id: 'piped', run: { pipe: [sh('kill -15 $$'), reads('cat')] }, timeoutSeconds: 10 },
        ],
      });
      assert.equal(ended(outcome).exitCode, 143);
      const piped = ended(outcome, 'piped');
      assert.deepEqual([piped.exitCode, ...piped.memberCodes], [143, 143, 0]);
    },
  ],
  [
    'runs programs with LC_ALL=C and an empty standard input',
    async (host) => {
      assert.equal(ended(await host.run(one(sh('echo "$LC_ALL"; cat')))).stdout, 'C\n');
    },
  ],
  [
    'skips the rest after a failed step',
    async (host) => {
      const outcome = await host.run({
        steps: [
          { id: 'fails', run: sh('exit 7'), timeoutSeconds: 10 },
          { id: 'rest', run: sh('echo ran'), timeoutSeconds: 10 },
          { id: 'goes on', run: sh('echo ran'), timeoutSeconds: 10, onFailure: 'continue' as const },
        ].map((each) => ({ ...each, id: each.id.replace(' ', '-') })),
      });
      assert.equal(outcome.kind, 'completed');
      assert.equal(kinds(outcome), 'fails ended, rest skipped, goes-on skipped');
    },
  ],
  [
    'goes on after a failed step that says so',
    async (host) => {
      const outcome = await host.run({
        steps: [
          { id: 'fails', run: sh('exit 7'), timeoutSeconds: 10, onFailure: 'continue' },
          { id: 'rest', run: sh('echo ran'), timeoutSeconds: 10 },
        ],
      });
      assert.equal(kinds(outcome), 'fails ended, rest ended');
    },
  ],
  [
    'pays after a failure, and only what was started',
    async (host) => {
      const outcome = await host.run({
        steps: [
          { id: 'freeze', run: sh('exit 0'), timeoutSeconds: 10 },
          { id: 'split', run: sh('exit 1'), timeoutSeconds: 10 },
          { id: 'freeze2', run: sh('exit 0'), timeoutSeconds: 10 },
          { id: 'thaw2', run: sh('exit 0'), timeoutSeconds: 10, pays: ['freeze2'] },
          { id: 'thaw', run: sh('exit 0'), timeoutSeconds: 10, pays: ['freeze'] },
          { id: 'rest', run: sh('exit 0'), timeoutSeconds: 10 },
        ],
      });
      assert.equal(
        kinds(outcome),
        'freeze ended, split ended, freeze2 skipped, thaw2 skipped, thaw ended, rest skipped',
      );
    },
  ],
  [
    'pays what failed or timed out itself, and goes on paying when a payment fails',
    async (host) => {
      const outcome = await host.run({
        steps: [
          { id: 'suspend', run: sh('exit 0'), timeoutSeconds: 10 },
          { id: 'freeze', run: reads('sleep', '60'), timeoutSeconds: 1 },
          { id: 'thaw', run: sh('exit 4'), timeoutSeconds: 10, pays: ['freeze'] },
          { id: 'resume', run: sh('exit 0'), timeoutSeconds: 10, pays: ['suspend'] },
        ],
      });
      assert.equal(kinds(outcome), 'suspend ended, freeze timed-out, thaw ended, resume ended');
    },
  ],
  [
    'owes nothing for a refusal where that is said, and all the same for a deadline or a signal',
    async (host) => {
      const freezing = (run: Command, timeoutSeconds = 10): Script => ({
        steps: [
          { id: 'suspend', run: sh('exit 0'), timeoutSeconds: 10 },
          { id: 'freeze', run, timeoutSeconds, onRefusal: 'owes-nothing' },
          { id: 'thaw', run: sh('exit 0'), timeoutSeconds: 10, pays: ['freeze'] },
          { id: 'resume', run: sh('exit 0'), timeoutSeconds: 10, pays: ['suspend'] },
        ],
      });
      const thawed = async (run: Command, timeoutSeconds?: number) => {
        const outcome = await host.run(freezing(run, timeoutSeconds));
        assert.equal(step(outcome, 'resume').kind, 'ended');
        return step(outcome, 'thaw').kind === 'ended';
      };
      assert.equal(await thawed(sh('exit 0')), true);
      assert.equal(await thawed(sh('exit 1')), false);
      assert.equal(await thawed(reads('sleep', '60'), 1), true);
      assert.equal(await thawed(sh('kill -9 $$')), true);
    },
  ],
  [
    'skips a step, even a payment, whose need has not ended with 0',
    async (host) => {
      const outcome = await host.run({
        steps: [
          { id: 'suspend', run: sh('exit 0'), timeoutSeconds: 10 },
          { id: 'resume', run: sh('exit 5'), timeoutSeconds: 10, pays: ['suspend'] },
          { id: 'note', run: sh('exit 0'), timeoutSeconds: 10, pays: ['suspend'], needs: ['resume'] },
        ],
      });
      assert.equal(kinds(outcome), 'suspend ended, resume ended, note skipped');
      const well = await host.run({
        steps: [
          { id: 'suspend', run: sh('exit 0'), timeoutSeconds: 10 },
          { id: 'resume', run: sh('exit 0'), timeoutSeconds: 10, pays: ['suspend'] },
          { id: 'note', run: sh('exit 0'), timeoutSeconds: 10, needs: ['suspend', 'resume'] },
        ],
      });
      assert.equal(kinds(well), 'suspend ended, resume ended, note ended');
    },
  ],
  [
    'waits for a step, and for a stream, whose deadline is a year away',
    async (host) => {
      const timeoutSeconds = 365 * 86_400;
      assert.equal(ended(await host.run(one(sh('sleep 1; echo done'), timeoutSeconds))).stdout, 'done\n');
      const stream = await host.stream(sh('sleep 1; echo done'), { timeoutSeconds });
      assert.equal(Buffer.concat(await stream.stdout.toArray()).toString(), 'done\n');
      assert.equal((await stream.outcome).kind, 'ended');
    },
  ],
  [
    'ends a step at its deadline, by KILL when it ignores TERM',
    async (host) => {
      const outcome = await host.run({
        steps: [
          { id: 'meek', run: reads('sleep', '60'), timeoutSeconds: 1, onFailure: 'continue' },
          { id: 'stubborn', run: sh('trap "" 15; echo on; while :; do sleep 1; done'), timeoutSeconds: 1 },
        ],
      });
      const [meek, stubborn] = [step(outcome, 'meek'), step(outcome, 'stubborn')];
      assert.equal(kinds(outcome), 'meek timed-out, stubborn timed-out');
      assert.ok(meek.kind === 'timed-out' && meek.exitCode === 143);
      assert.ok(meek.clock.end - meek.clock.start < 6, 'TERM is enough for what obeys it');
      assert.ok(stubborn.kind === 'timed-out' && stubborn.exitCode === 137 && stubborn.stdout === 'on\n');
      assert.ok(stubborn.clock.end - stubborn.clock.start >= 5);
    },
  ],
  [
    'gives a step the text of its standard input',
    async (host) => {
      const stdin = `it's "quoted" $HOME \`id\` \\ ) )\n\n${'x'.repeat(100_000)}\nlast\n`;
      const outcome = await host.run({
        steps: [
          { id: 'one', run: reads('cat'), stdin, timeoutSeconds: 10 },
          { id: 'piped', run: { pipe: [reads('cat'), reads('cat')] }, stdin, timeoutSeconds: 10 },
        ],
      });
      assert.deepEqual([ended(outcome).stdout, ended(outcome, 'piped').stdout], [stdin, stdin]);
    },
  ],
  [
    'reports the status of every member of a pipeline',
    async (host) => {
      const pipe = [sh('echo a; exit 2'), sh('cat; exit 0'), sh('cat; exit 5')] as const;
      const outcome = await host.run(one({ pipe }));
      const { exitCode, memberCodes, stdout } = ended(outcome);
      assert.deepEqual({ exitCode, memberCodes, stdout }, { exitCode: 2, memberCodes: [2, 0, 5], stdout: 'a\n' });
    },
  ],
  [
    'does not wait for a daemon that a step leaves behind',
    async (host) => {
      const begun = performance.now();
      const outcome = await host.run(one(sh('sleep 25 & echo started')));
      assert.equal(ended(outcome).stdout, 'started\n');
      assert.ok(performance.now() - begun < 20_000, 'the script ends when its steps have ended');
    },
  ],
  [
    'cancels: the process is gone, and the node has confirmed it',
    async (host) => {
      const file = scratchName();
      const controller = new AbortController();
      const running = host.run(
        {
          steps: [
            { id: 'long', run: writes('echo $$ >"$1"; exec sleep 300', file), timeoutSeconds: 300 },
            { id: 'rest', run: sh('exit 0'), timeoutSeconds: 10 },
          ],
        },
        { signal: controller.signal },
      );
      const pid = await appears(host, file);
      assert.ok(await isAlive(host, pid));
      controller.abort();
      const outcome = await running;
      assert.equal(outcome.kind, 'cancelled');
      assert.equal(kinds(outcome), 'long ended, rest skipped');
      assert.ok(!(await isAlive(host, pid)));
      await take(host, file);
    },
  ],
  [
    'pays when it is cancelled',
    async (host) => {
      const file = scratchName();
      const controller = new AbortController();
      const running = host.run(
        {
          steps: [
            { id: 'freeze', run: sh('exit 0'), timeoutSeconds: 10 },
            { id: 'split', run: writes('echo here >"$1"; sleep 300', file), timeoutSeconds: 300 },
            { id: 'thaw', run: writes('echo thawed >>"$1"', file), timeoutSeconds: 10, pays: ['freeze'] },
          ],
        },
        { signal: controller.signal },
      );
      await appears(host, file);
      controller.abort();
      const outcome = await running;
      assert.equal(outcome.kind, 'cancelled');
      assert.equal(ended(outcome, 'thaw').exitCode, 0);
      assert.equal(await take(host, file), 'here\nthawed\n');
    },
  ],
  [
    'finishes a payment that is under way when it is cancelled',
    async (host) => {
      const file = scratchName();
      const controller = new AbortController();
      const running = host.run(
        {
          steps: [
            { id: 'freeze', run: sh('exit 0'), timeoutSeconds: 10 },
            {
              id: 'thaw',
              run: writes(`echo begun >"$1"; ${held}; echo thawed >>"$1"`, file),
              timeoutSeconds: 90,
              pays: ['freeze'],
            },
            { id: 'rest', run: sh('exit 0'), timeoutSeconds: 10 },
          ],
        },
        { signal: controller.signal },
      );
      await appears(host, file);
      controller.abort();
      // The word to end went first, over a channel like these.
      for (let trips = 0; trips < 5; trips++) ended(await host.run(one(sh('exit 0'))));
      await letGo(host, file);
      const outcome = await running;
      assert.equal(outcome.kind, 'cancelled');
      assert.equal(kinds(outcome), 'freeze ended, thaw ended, rest skipped');
      assert.equal(ended(outcome, 'thaw').exitCode, 0);
      assert.equal(await take(host, file), 'begun\nthawed\n');
    },
  ],
  [
    'starts nothing when it is aborted before the start',
    async (host) => {
      const file = scratchName();
      const outcome = await host.run(one(writes('echo ran >"$1"', file)), { signal: AbortSignal.abort() });
      assert.equal(outcome.kind, 'cancelled');
      assert.equal(kinds(outcome), 'one skipped');
      const stream = await host.stream(writes('echo ran >"$1"', file), {
        timeoutSeconds: 10,
        signal: AbortSignal.abort(),
      });
      assert.equal((await stream.outcome).kind, 'cancelled');
      assert.equal(await take(host, file), '');
    },
  ],
  [
    'cancels or starts nothing when it is aborted while it starts',
    async (host) => {
      const controller = new AbortController();
      const running = host.run(one(reads('sleep', '300'), 300), { signal: controller.signal });
      controller.abort();
      assert.equal((await running).kind, 'cancelled');
    },
  ],
  [
    'runs scripts side by side on one host',
    async (host) => {
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, index) => host.run(one(sh('sleep 1; echo "$1"', String(index))))),
      );
      assert.deepEqual(
        outcomes.map((outcome) => ended(outcome).stdout),
        outcomes.map((_, index) => `${index}\n`),
      );
    },
  ],
  [
    'takes a flood on stderr',
    async (host) => {
      const flood = sh('dd if=/dev/zero bs=65536 count=128 >&2 2>/dev/null; echo end');
      const outcome = await host.run(one(flood, 30));
      assert.equal(ended(outcome).stdout, 'end\n');
      assert.equal(ended(outcome).stderr.length, 128 * 65536);
    },
  ],
  [
    'ends a script whose output exceeds the limit, and says that its end is unknown',
    async (host, _cut, maxOutputBytes) => {
      const outcome = await host.run({
        steps: [
          { id: 'freeze', run: sh('exit 0'), timeoutSeconds: 10 },
          {
            id: 'flood',
            run: sh('while :; do dd if=/dev/zero bs=65536 count=64 2>/dev/null; done'),
            timeoutSeconds: 60,
          },
          { id: 'thaw', run: sh('exit 0'), timeoutSeconds: 10, pays: ['freeze'] },
        ],
      });
      assert.ok(outcome.kind === 'unknown' && /bytes of output/.test(outcome.reason), JSON.stringify(outcome.kind));
      assert.equal(kinds(outcome), 'freeze ended, flood unfinished, thaw ended');
      const flood = step(outcome, 'flood');
      assert.ok('stdout' in flood && flood.stdout.length <= maxOutputBytes, 'no more is kept than the limit says');
    },
  ],
  [
    'streams bytes as they are, with all statuses',
    async (host) => {
      const stream = await host.stream(
        {
          pipe: [
            sh('dd if=/dev/zero bs=65536 count=64 2>/dev/null; echo warned >&2'),
            sh('cat; printf "\\377end"; exit 3'),
          ],
        },
        { timeoutSeconds: 30 },
      );
      const chunks: Buffer[] = [];
      for await (const chunk of stream.stdout) chunks.push(chunk as Buffer);
      const outcome = await stream.outcome;
      const body = Buffer.concat(chunks);
      assert.equal(body.length, 64 * 65536 + 4);
      assert.deepEqual(body.subarray(-4), Buffer.from([0xff, 0x65, 0x6e, 0x64]));
      assert.ok(outcome.kind === 'ended', JSON.stringify(outcome));
      assert.deepEqual([outcome.memberCodes, outcome.stderr], [[0, 3], 'warned']);
    },
  ],
  [
    'streams every byte to a reader that gives the memory of each chunk back',
    async (host) => {
      const count = 300_000;
      const stream = await host.stream(sh(`awk 'BEGIN { for (n = 0; n < ${count}; n++) print "line", n }'`), {
        timeoutSeconds: 30,
      });
      let rest = '';
      let next = 0;
      for await (const chunk of stream.stdout as AsyncIterable<Chunk>) {
        const lines = (rest + chunk.toString('latin1')).split('\n');
        chunk[Symbol.dispose]?.();
        rest = lines.pop() ?? '';
        for (const line of lines) assert.equal(line, `line ${next++}`);
      }
      assert.deepEqual([rest, next], ['', count]);
      assert.equal((await stream.outcome).kind, 'ended');
    },
  ],
  [
    'blocks the command while nobody reads',
    async (host) => {
      const file = scratchName();
      const produce = 'while :; do dd if=/dev/zero bs=65536 count=16 2>/dev/null; echo . >>"$1"; done';
      const stream = await host.stream(writes(produce, file), { timeoutSeconds: 60 });
      const count = async () => ended(await host.run(one(sh('wc -l <"$1"', file)))).stdout.trim();
      let written = await count();
      let before = '';
      for (let tries = 0; written !== before && tries < 6; tries++) {
        await delay(2000);
        before = written;
        written = await count();
      }
      assert.equal(written, before, 'the producer waits');
      assert.ok(Number(written) < 32, `only a window of output is on its way, not ${written} MiB`);
      stream.stdout.destroy();
      assert.equal((await stream.outcome).kind, 'cancelled');
      await take(host, file);
    },
  ],
  [
    'ends the command when the reader gives up',
    async (host) => {
      const file = scratchName();
      const stream = await host.stream(writes('echo $$ >"$1"; exec cat /dev/zero', file), { timeoutSeconds: 300 });
      for await (const chunk of stream.stdout) {
        assert.ok((chunk as Buffer).length > 0);
        break;
      }
      assert.equal((await stream.outcome).kind, 'cancelled');
      assert.ok(!(await isAlive(host, await take(host, file))));
    },
  ],
  [
    'ends a streamed command on abort, and its stdout without an end',
    async (host) => {
      const controller = new AbortController();
      const stream = await host.stream(sh('echo first; exec sleep 300'), {
        timeoutSeconds: 300,
        signal: controller.signal,
      });
      await assert.rejects(async () => {
        for await (const chunk of stream.stdout) {
          assert.match(String(chunk), /^first/);
          controller.abort();
        }
      }, /premature|aborted/i);
      assert.equal((await stream.outcome).kind, 'cancelled');
    },
  ],
  [
    'ends a streamed command at its deadline, and its stdout without an end',
    async (host) => {
      const stream = await host.stream(sh('echo first; exec sleep 300'), { timeoutSeconds: 1 });
      let text = '';
      await assert.rejects(async () => {
        for await (const chunk of stream.stdout) text += String(chunk);
      }, /premature/i);
      assert.equal(text, 'first\n');
      assert.equal((await stream.outcome).kind, 'timed-out');
    },
  ],
  [
    'ends a streamed command at its deadline although nobody reads it',
    async (host) => {
      const stream = await host.stream(sh('exec cat /dev/zero'), { timeoutSeconds: 1 });
      assert.equal((await stream.outcome).kind, 'timed-out');
      assert.ok(stream.stdout.destroyed);
    },
  ],
  [
    'says unknown at close of a stream that nobody reads',
    async (host) => {
      const stream = await host.stream(sh('exec cat /dev/zero'), { timeoutSeconds: 300 });
      await delay(1000);
      await host.close();
      assert.equal((await stream.outcome).kind, 'unknown');
      assert.ok(stream.stdout.destroyed);
    },
  ],
  [
    'keeps the last of what a streamed command says on stderr',
    async (host) => {
      const flood = sh('dd if=/dev/zero bs=65536 count=256 >&2 2>/dev/null; echo the end >&2; exit 1');
      const stream = await host.stream(flood, { timeoutSeconds: 30 });
      stream.stdout.resume();
      const outcome = await stream.outcome;
      assert.ok(outcome.kind === 'ended' && outcome.stderr.endsWith('the end'), outcome.kind);
      assert.ok(outcome.stderr.length < 8 << 20);
    },
  ],
];

const whenCut: readonly Rule[] = [
  [
    'says unknown when the link is lost, and the script still pays',
    async (host, cut) => {
      const file = scratchName();
      const running = host.run({
        steps: [
          { id: 'freeze', run: sh('exit 0'), timeoutSeconds: 10 },
          { id: 'split', run: writes(`echo here >"$1"; ${held}; echo to nobody`, file), timeoutSeconds: 90 },
          {
            id: 'thaw',
            run: writes('echo loud || :; echo loud >&2 || :; echo thawed >>"$1"', file),
            timeoutSeconds: 10,
            pays: ['freeze'],
          },
        ],
      });
      await appears(host, file);
      await caughtUp(host);
      cut();
      const outcome = await running;
      assert.equal(outcome.kind, 'unknown');
      assert.equal(kinds(outcome), 'freeze ended, split unfinished, thaw skipped');
      await letGo(host, file);
      const paid = 'n=0; until grep thawed "$1" || [ "$n" -ge 60 ]; do sleep 1; n=$((n + 1)); done';
      ended(await host.run(one(sh(paid, file), 90)));
      assert.equal(await take(host, file), 'here\nthawed\n');
    },
  ],
  [
    'says unknown when the link is lost under a stream, and ends its stdout without an end',
    async (host, cut) => {
      const stream = await host.stream(sh('echo first; exec cat /dev/zero'), { timeoutSeconds: 300 });
      await assert.rejects(async () => {
        for await (const chunk of stream.stdout) {
          assert.ok((chunk as Buffer).length > 0);
          cut();
        }
      }, /premature/i);
      assert.equal((await stream.outcome).kind, 'unknown');
    },
  ],
];
