// Breaks the sources on purpose, one rule at a time, in a copy, and shows that the tests notice each.
//
//   node scripts/mutants.mjs                  all of them; ends with 1 when one survives
//   node scripts/mutants.mjs --write          writes docs/mutants.md, too
//   node scripts/mutants.mjs 'lock'           those whose text contains it
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What is broken: in which file, which text becomes which, and the test files that must notice. */
const mutants = [
  {
    breaks: 'the proof of ownership before a phase is not taken again',
    file: 'packages/backup/src/run/effects.ts',
    from: "  'perform',\n",
    to: '',
    tests: ['packages/backup/test/faults.test.ts'],
  },
  {
    breaks: 'the proof of ownership before the lock is given back is not taken again',
    file: 'packages/backup/src/run/effects.ts',
    from: "  'unlock',\n",
    to: '',
    tests: ['packages/backup/test/faults.test.ts'],
  },
  {
    breaks: 'the note goes although the suspension was cut off',
    file: 'packages/backup/src/run/recovery.ts',
    from: "kind: state.cutOffOn === null ? 'pay-debt' : 'resume'",
    to: "kind: 'pay-debt'",
    tests: ['packages/backup/test/faults.test.ts'],
  },
  {
    breaks: 'who finds others at the lock takes it all the same',
    file: 'packages/backup/src/run/lock.ts',
    from: 'if (others.length === 0) return',
    to: 'if (others.length >= 0) return',
    tests: ['packages/backup/src/run/lock.test.ts'],
  },
  {
    breaks: 'who asks for the lock looks before it has written its file',
    file: 'packages/backup/src/run/lock.ts',
    from: 'const outcome = await run(lockingScript(notes, holder));\n  const names = namesIn(outcome);',
    to: 'const names = namesIn(await run(listingScript(notes)));\n  if (!("problem" in names)) (names.found as string[]).push(fileOf(holder.token));\n  const outcome = await run(lockingScript(notes, holder));',
    tests: ['packages/backup/src/run/lock.test.ts'],
  },
  {
    breaks: 'a lock that cannot be read counts as free',
    file: 'packages/backup/src/run/lock.ts',
    from: "if ('problem' in names) return unreadable(node, notes, names.problem);",
    to: "if ('problem' in names) return { kind: 'free', debt: false, strays: [] };",
    tests: ['packages/backup/src/run/lock.test.ts'],
  },
  {
    breaks: 'a run that fails only gives its lock back, and undoes nothing',
    file: 'packages/backup/src/run/reducer.ts',
    from: "startRecovery(isWhole ? 'whole' : 'locked')",
    to: "startRecovery('whole')",
    tests: ['packages/backup/test/faults.test.ts'],
  },
  {
    breaks: 'a run goes on when the proof of ownership is lost',
    file: 'packages/backup/src/run/reducer.ts',
    from: "        case 'lost': {",
    to: "        case 'lost': {\n          return { ...state, journey: { ...journey, proved: true } };",
    tests: ['packages/backup/test/faults.test.ts', 'packages/backup/test/seeds.test.ts'],
  },
  {
    breaks: 'a recovery does not write down how many copies it gives back',
    file: 'packages/backup/src/run/recovery.ts',
    from: '{ ...rules.self, intended: [...state.intended] }',
    to: 'rules.self',
    tests: ['packages/backup/test/faults.test.ts'],
  },
  {
    breaks: 'a recovery does not pay the quiesce debt',
    file: 'packages/backup/src/run/recovery.ts',
    from: 'known = {\n    ...state,\n    debt: reading.debt,',
    to: 'known = {\n    ...state,\n    debt: false,',
    tests: ['packages/backup/test/faults.test.ts'],
  },
  {
    breaks: 'a recovery asks for the lock again after it may have given it back',
    file: 'packages/backup/src/run/recovery.ts',
    from: 'again({ ...state, whole: true }',
    to: 'again({ ...state, locked: false }',
    tests: ['packages/backup/test/faults.test.ts', 'packages/backup/test/seeds.test.ts'],
  },
  {
    breaks: 'the note of a suspended application goes without a confirmed resume',
    file: 'packages/backup/src/run/quiesce.ts',
    from: 'needs: [...debts.slice(1), ...resumes.map(({ id }) => id)]',
    to: 'needs: []',
    tests: ['packages/backup/src/run/quiesce.test.ts'],
  },
  {
    breaks: 'a journal that cannot be written does not send the run back',
    file: 'packages/backup/src/run/drive.ts',
    from: 'broken = problemOf(error, null);',
    to: 'void error;',
    tests: ['packages/backup/src/run/drive.test.ts'],
  },
  {
    breaks: 'an effect begins before its intent is on the disk',
    file: 'packages/backup/src/run/journal.ts',
    from: '      await handle.datasync();\n',
    to: '',
    tests: ['packages/backup/test/durability.test.ts'],
  },
  {
    breaks: 'an archive gets its name before its bytes are on the disk',
    file: 'packages/backup/src/run/sink.ts',
    from: '      await handle.sync();\n',
    to: '',
    tests: ['packages/backup/test/durability.test.ts'],
  },
  {
    breaks: 'what the disk refused under way is forgotten',
    file: 'packages/backup/src/run/sink.ts',
    from: 'void failures.push(error)',
    to: 'void error',
    tests: ['packages/backup/test/durability.test.ts'],
  },
  {
    breaks: 'the memory of a chunk is given back before it is written',
    file: 'packages/backup/src/run/sink.ts',
    from: '    for (let left = bytes; left > 0; ) {',
    to: '    for (const release of written) release();\n    for (let left = bytes; left > 0; ) {',
    tests: ['packages/backup/src/run/sink.test.ts'],
  },
  {
    breaks: 'what the system did not take at once is not written',
    file: 'packages/backup/src/run/sink.ts',
    from: '      left -= bytesWritten;',
    to: '      left = 0;',
    tests: ['packages/backup/src/run/sink.test.ts'],
  },
  {
    breaks: 'the memory of a chunk is given back before restic has it',
    file: 'packages/backup/src/store/restic.ts',
    from: '      if (!isAtOnce) await drained();',
    to: '      if (!isAtOnce) await drained();\n      release?.();',
    tests: ['packages/backup/src/store/restic.test.ts'],
  },
  {
    breaks: 'a chunk of which a part is held back is handed on whole',
    file: 'packages/host/src/marks.ts',
    from: 'bytes: at === data.length ? data : data.subarray(0, at)',
    to: 'bytes: data',
    tests: ['packages/host/src/marks.test.ts'],
  },
  {
    breaks: 'the name of a manifest is not made durable',
    file: 'packages/backup/src/store/durable.ts',
    from: ', file);\n  await syncDirectory(dirname(file));\n}',
    to: ', file);\n}',
    tests: ['packages/backup/test/durability.test.ts'],
  },
  {
    breaks: 'a restic that hangs at its end is waited for',
    file: 'packages/backup/src/store/restic.ts',
    from: "      child.kill('SIGKILL');\n      interrupted.abort();",
    to: '',
    tests: ['packages/backup/src/store/restic.test.ts'],
  },
  {
    breaks: 'the lock of a killed restore counts for nothing',
    file: 'packages/backup/src/run/lock.ts',
    from: "lives === 'gone' && writes === true ? 'unknown' : lives",
    to: 'lives',
    tests: ['packages/backup/src/run/lock.test.ts'],
  },
  {
    breaks: 'a copy that was split after the freeze had lapsed is taken',
    file: 'packages/lvm/src/judge.ts',
    from: 'if (longest > limit || ',
    to: 'if (longest > limit * 1000 || ',
    tests: ['packages/lvm/src/judge.test.ts'],
  },
  {
    breaks: 'a copy that is mounted for writing is taken for a read-only one',
    file: 'packages/lvm/src/judge.ts',
    from: "!mount.readOnly && options !== 'snapshot'",
    to: "!mount.readOnly && options === 'snapshot'",
    tests: ['packages/lvm/src/judge.test.ts'],
  },
  {
    breaks: 'a freeze is not thawed when the split fails',
    file: 'packages/lvm/src/plan/phases.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is text of a source.
    from: '          pays: [`freeze:${mountPoint}`],\n',
    to: '',
    tests: ['packages/lvm/src/plan/plan.test.ts'],
  },
  {
    breaks: 'two proofs that differ in a fact count as the same',
    file: 'packages/hacmp/src/verdict/proof.ts',
    from: 'return was === is ? []',
    to: 'return was === is || true ? []',
    tests: ['packages/hacmp/src/survey/cluster.test.ts'],
  },
  {
    breaks: 'a raw volume about which nobody has decided is left out',
    file: 'packages/backup/src/plan/coverage.ts',
    from: "holds === 'raw'",
    to: "holds === 'never'",
    tests: ['packages/backup/src/plan/coverage.test.ts'],
  },
  {
    breaks: 'an interrupt is told as what it has cut off',
    file: 'packages/host/src/abort.ts',
    from: 'signal?.throwIfAborted();',
    to: '',
    tests: ['packages/host/src/abort.test.ts'],
  },
  {
    breaks: 'a freeze that was refused is thawed all the same',
    file: 'packages/host/src/shell.ts',
    from: '[ "$refusal" = owes-nothing ]',
    to: '[ "$refusal" = never ]',
    tests: ['packages/host/src/contract.test.ts', '-t', 'owes nothing'],
  },
  {
    breaks: 'what is owed is not paid after a failure',
    file: 'packages/host/src/shell.ts',
    from: "'go=1 paying=1'",
    to: `'[ -n "$failed" ] || go=1 paying=1'`,
    tests: ['packages/host/src/contract.test.ts', '-t', 'pays after a failure'],
  },
  {
    breaks: 'a sink that takes no bytes any more is waited for',
    file: 'packages/backup/src/run/bounded-sink.ts',
    from: 'waited(() => sink.write(chunk, release), giveUp)',
    to: 'sink.write(chunk, release)',
    tests: ['packages/backup/src/run/archiving.test.ts'],
  },
  {
    breaks: 'a run that this process has ended counts as alive',
    file: 'packages/backup/src/run/ended-holders.ts',
    from: 'return ended.has(token);',
    to: 'return token === undefined;',
    tests: ['packages/backup/src/run/run.test.ts'],
  },
  {
    breaks: 'a store counts although its file system is not mounted',
    file: 'packages/backup/src/store/access.ts',
    from: 'if (mountPoint !== undefined) await requireMount(mountPoint);',
    to: 'if (mountPoint === root) await requireMount(root);',
    tests: ['packages/backup/src/store/store.test.ts'],
  },
  {
    breaks: 'a window is written down as told before anybody is told',
    file: 'packages/backup/src/schedule/passed.ts',
    from: "await write('telling', untold);",
    to: "await write('told', untold);",
    tests: ['packages/backup/src/schedule/scheduled.test.ts'],
  },
];

const words = process.argv.slice(2);
const wanted = words.filter((word) => !word.startsWith('--'));
const chosen = mutants.filter(({ breaks, file }) => wanted.every((word) => `${breaks} ${file}`.includes(word)));
const started = Date.now();
const results = new Map();
const queue = [...chosen];
const copies = await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, copySources));
try {
  // Tests that fail anyhow would prove nothing.
  const unbroken = await test(copies[0], [...new Set(chosen.flatMap(({ tests }) => tests.slice(0, 1)))]);
  if (unbroken.code !== 0) throw new Error(`the tests fail without any mutant:\n${unbroken.output.slice(-4000)}`);
  console.log(`tests pass without a mutant, after ${seconds()} s`);
  await Promise.all(copies.map(work));
} finally {
  for (const copy of copies) await rm(copy, { recursive: true, force: true });
}

const survivors = chosen.filter((mutant) => results.get(mutant) !== 'caught');
console.log(`${chosen.length - survivors.length} of ${chosen.length} mutants caught in ${seconds()} s`);
if (words.includes('--write')) await writeFile(join(root, 'docs/mutants.md'), page());
process.exitCode = survivors.length === 0 ? 0 : 1;

function seconds() {
  return Math.round((Date.now() - started) / 1000);
}

/** One mutant after another lives in a copy. */
async function work(copy) {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const file = join(copy, mutant.file);
    const text = await readFile(file, 'utf8');
    let result = 'caught';
    if (text.split(mutant.from).length !== 2) result = 'its text is not there once';
    else {
      await writeFile(
        file,
        text.replace(mutant.from, () => mutant.to),
      );
      const { code, output } = await test(copy, mutant.tests);
      // A mutant which does not even load proves nothing.
      if (code === 0) result = 'SURVIVED';
      else if (/SyntaxError|Transform failed|No test files found/.test(output)) result = `does not run:\n${output}`;
      await writeFile(file, text);
    }
    results.set(mutant, result);
    console.log(`${result.padEnd(8)}  ${mutant.breaks}`);
  }
}

async function copySources() {
  const copy = await mkdtemp(join(tmpdir(), 'splitmirror-mutants-'));
  for (const name of ['package.json', 'tsconfig.base.json', 'vitest.config.ts', 'docs', 'test']) {
    await cp(join(root, name), join(copy, name), { recursive: true });
  }
  const skipped = new Set(['node_modules', 'dist', '.turbo']);
  await cp(join(root, 'packages'), join(copy, 'packages'), {
    recursive: true,
    filter: (path) => !skipped.has(path.split('/').at(-1) ?? ''),
  });
  // The packages of this repository are those of the copy, all others the installed ones.
  await mkdir(join(copy, 'node_modules/@splitmirror'), { recursive: true });
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name !== '@splitmirror') await symlink(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  }
  for (const name of await readdir(join(root, 'packages'))) {
    await symlink(join(copy, 'packages', name), join(copy, 'node_modules/@splitmirror', name));
    const own = join(root, 'packages', name, 'node_modules');
    await symlink(own, join(copy, 'packages', name, 'node_modules')).catch(() => {});
  }
  return copy;
}

function test(directory, tests) {
  return new Promise((resolve) => {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', '--bail', '1', ...tests], { cwd: directory });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    child.on('close', (code) => resolve({ code, output }));
  });
}

function page() {
  const rows = chosen.map(
    (mutant) => `| ${mutant.breaks} | \`${mutant.file}\` | ${results.get(mutant)} | \`${mutant.tests[0]}\` |`,
  );
  return `# Mutants

Rules that \`node scripts/mutants.mjs --write\` breaks on purpose, one at a time in a copy of the sources, and the tests that notice.

| what is broken | where | result | noticed by |
|---|---|---|---|
${rows.join('\n')}
`;
}
