// Installs the packed packages into projects outside the repository, as consumers would, and uses them there: each part
// alone, as an ES module, as CommonJS and through the types, under every Node.js line that is supported; what it weighs,
// what its import loads, and that one function of it pulls nothing else into a bundle. Needs `npm run build`.
//
//   node scripts/check-consumers.mjs            check, and compare with docs/packages.md; looks at no clock
//   node scripts/check-consumers.mjs --write    write docs/packages.md anew, with the time that an import takes here
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'splitmirror-consumers-'));
const page = join(root, 'docs/packages.md');
const nodeLines = ['22.23.3', '24.21.0', '26.9.0'];
const budget = { kilobytes: 150, importMs: 15 };
const writing = process.argv.includes('--write');

/**
 * What a consumer writes: `use` prints `answer` with what is `imported`; `shake` is a function that stands on its own, and
 * `alone` the most bytes that a bundle of it may have, taken from `door`. `edge`: the package owns an edge, where zod or ssh2 weigh more
 * than it does, and its import is not held to the budget.
 */
const consumers = [
  {
    name: 'host',
    packages: ['host'],
    imported: 'quote',
    use: `quote("it's")`,
    answer: `'it'\\''s'`,
    alone: 2_000,
  },
  {
    name: 'hacmp',
    packages: ['host', 'hacmp'],
    imported: 'parseGroupRows',
    use: `parseGroupRows('g:ONLINE:n1:non-concurrent:OHN:FNPN:NFB:ignore::: : :::\\n').length`,
    answer: '1',
    door: 'hacmp/readers',
    alone: 4_000,
  },
  {
    name: 'lvm',
    packages: ['host', 'lvm'],
    imported: 'parseGroupNames',
    use: `parseGroupNames('rootvg\\ndatavg\\n').join()`,
    answer: 'rootvg,datavg',
    door: 'lvm/readers',
    alone: 3_000,
  },
  {
    name: 'archive',
    packages: ['host', 'archive'],
    imported: 'tar',
    use: 'typeof tar',
    answer: 'object',
    alone: null,
  },
  {
    name: 'levels',
    packages: ['host', 'levels'],
    imported: 'parseVrmf',
    use: `parseVrmf('7.2.0.10')?.text`,
    answer: '7.2.0.10',
    door: 'levels/readers',
    alone: 2_500,
  },
  {
    name: 'ssh',
    packages: ['host', 'ssh'],
    imported: 'sshHost',
    use: 'typeof sshHost',
    answer: 'function',
    alone: null,
    edge: true,
  },
  {
    name: 'backup',
    packages: ['host', 'hacmp', 'lvm', 'archive', 'levels', 'backup'],
    imported: 'planBackup',
    also: { from: '@splitmirror/backup/aix', imported: 'aixFamily' },
    use: 'typeof planBackup + typeof aixFamily',
    answer: 'functionfunction',
    alone: null,
    edge: true,
  },
];

const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });

/** Kilobytes of the files of an installed package whose names end so; its sources are there to be read. */
function weigh(directory, ending = '') {
  const bytes = readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter(
      (entry) =>
        entry.isFile() && !/[/\\](?:src|node_modules)(?:[/\\]|$)/.test(entry.parentPath.slice(directory.length)),
    )
    .filter(({ name }) => name.endsWith(ending) && !name.endsWith('.map'))
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  return bytes / 1000;
}

/** Fastest of fresh processes, in milliseconds: what the import costs whoever starts; load can only add to it. */
function importTime(node, project, specifier) {
  const code = `const t=performance.now();await import(${JSON.stringify(specifier)});console.log(performance.now()-t)`;
  return Math.min(...Array.from({ length: 9 }, () => Number(run(node, ['--input-type=module', '-e', code], project))));
}

/** How many of Node.js's own modules, its inner ones among them, the import loads that a bare process has not: most of its time. */
function builtinsLoaded(node, project, specifier) {
  const code = `const n=process.moduleLoadList.length;await import(${JSON.stringify(specifier)});console.log(process.moduleLoadList.length-n)`;
  return Number(run(node, ['--input-type=module', '-e', code], project));
}

function bundleSize(project, { imported, name, door = name }) {
  writeFileSync(join(project, 'one.mjs'), `export { ${imported} } from '@splitmirror/${door}';\n`);
  const esbuild = join(root, 'node_modules/.bin/esbuild');
  const args = ['one.mjs', '--bundle', '--format=esm', '--platform=node', '--minify', '--log-level=error'];
  return Buffer.byteLength(run(esbuild, args, project));
}

const faults = [];
const rows = [];
try {
  const packed = join(base, 'packed');
  mkdirSync(packed);
  for (const each of readdirSync(join(root, 'packages'))) {
    run('npm', ['pack', '--silent', '--pack-destination', packed], join(root, 'packages', each));
  }
  const tarball = (each) => {
    const file = readdirSync(packed).find((name) => name.startsWith(`splitmirror-${each}-`));
    if (file === undefined) throw new Error(`npm pack made no tarball of ${each}`);
    return join(packed, file);
  };
  const nodes = nodeLines.map((version) => {
    const place = join(base, `node-${version}`);
    mkdirSync(place);
    writeFileSync(join(place, 'package.json'), '{"private":true}');
    run('npm', ['install', '--silent', '--no-audit', '--no-fund', `node-linux-${process.arch}@${version}`], place);
    return { version, node: join(place, `node_modules/node-linux-${process.arch}/bin/node`) };
  });

  for (const consumer of consumers) {
    const { name, packages, imported, also, use, answer, alone, edge = false } = consumer;
    const project = join(base, name);
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, version: '1.0.0' }));
    run('npm', ['install', '--silent', '--no-audit', '--no-fund', ...packages.map(tarball)], project);
    const ours = readdirSync(join(project, 'node_modules/@splitmirror')).sort().join();
    if (ours !== [...packages].sort().join()) faults.push(`${name} brings ${ours} along`);
    const foreign = readdirSync(join(project, 'node_modules')).filter((each) => !/^[.@]/.test(each));
    if (!edge && name !== 'levels' && foreign.length > 0) faults.push(`${name} brings ${foreign.join(', ')} along`);

    const lines = (load) => [load(imported, `@splitmirror/${name}`), also && load(also.imported, also.from)];
    const body = (load) => `${lines(load).filter(Boolean).join('\n')}\nconsole.log(${use});\n`;
    const esm = body((what, from) => `import { ${what} } from '${from}';`);
    writeFileSync(join(project, 'esm.mjs'), esm);
    writeFileSync(
      join(project, 'cjs.cjs'),
      body((what, from) => `const { ${what} } = require('${from}');`),
    );
    for (const file of ['typed.mts', 'typed.cts']) writeFileSync(join(project, file), esm);
    for (const { version, node } of nodes) {
      for (const file of ['esm.mjs', 'cjs.cjs']) {
        const said = run(node, [file], project).trim();
        if (said !== answer) faults.push(`${name}: ${file} printed ${said} under Node.js ${version}, not ${answer}`);
      }
    }
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
    const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', ...types];
    run(process.execPath, [tsc, ...strict, 'typed.mts', 'typed.cts'], project);

    const installed = join(project, 'node_modules/@splitmirror', name);
    const kilobytes = weigh(installed);
    const code = weigh(installed, '.js');
    const builtins = builtinsLoaded(nodes[1].node, project, `@splitmirror/${name}`);
    const importMs = writing ? importTime(nodes[1].node, project, `@splitmirror/${name}`) : null;
    const shaken = alone === null ? null : bundleSize(project, consumer);
    if (!edge && code > budget.kilobytes) faults.push(`the code of ${name} weighs ${code.toFixed(0)} kB`);
    if (shaken !== null && shaken > alone) faults.push(`${imported} of ${name} alone takes ${shaken} bytes`);
    if (importMs !== null && !edge && importMs > budget.importMs)
      faults.push(`${name} takes ${importMs.toFixed(1)} ms to import`);
    for (const each of packages) {
      if (!existsSync(join(project, 'node_modules/@splitmirror', each, 'LICENSE')))
        faults.push(`${each} has no licence`);
    }
    rows.push({ name, code, kilobytes, builtins, importMs, shaken, imported });
    console.log(
      `${name}: alone, ES module, CommonJS, types, Node.js ${nodeLines.map((line) => line.split('.')[0]).join(', ')}; ${code.toFixed(0)} kB of code, ${kilobytes.toFixed(0)} kB installed, loads ${builtins} modules of Node.js${shaken === null ? '' : `, ${imported} alone ${shaken} bytes`}`,
    );
  }

  // The command line, as it is installed.
  const operator = join(base, 'operator');
  mkdirSync(operator);
  writeFileSync(join(operator, 'package.json'), '{"private":true}');
  const all = readdirSync(packed).map((file) => join(packed, file));
  run('npm', ['install', '--silent', '--no-audit', '--no-fund', ...all], operator);
  for (const { version, node } of nodes) {
    const page = run(node, ['node_modules/splitmirror/dist/bin.js', 'man'], operator);
    if (!page.startsWith('.TH SPLITMIRROR')) faults.push(`splitmirror prints no manual page under Node.js ${version}`);
  }
  console.log('splitmirror: installed with all packages, prints its manual page');
} finally {
  rmSync(base, { recursive: true, force: true });
}

const table = rows.map(
  ({ name, code, kilobytes, builtins, importMs, shaken, imported }) =>
    `| \`@splitmirror/${name}\` | ${code.toFixed(0)} | ${kilobytes.toFixed(0)} | ${builtins} | ${importMs?.toFixed(0)} | ${shaken === null ? '' : `\`${imported}\`: ${(shaken / 1000).toFixed(1)} kB`} |`,
);
const text = `# What the packages weigh

Written by \`npm run check:consumers -- --write\`, which packs every package, installs it alone into a project of its own and uses it as an ES module, as CommonJS and through
strict types, under Node.js ${nodeLines.map((line) => line.split('.')[0]).join(', ')}. The code of a part that a
consumer picks may weigh ${budget.kilobytes} kB, and it may take ${budget.importMs} ms to import. Installed come types and README (hacmp's has the table of all situations), and the
sources, which lie beside for reading and for the source maps, and are not counted. \`ssh\` and \`backup\` own an edge: what takes their time is ssh2 and zod.

The time is the fastest of nine fresh processes, Node.js ${nodeLines[1]}, on the machine that wrote this, which fails beyond the budget. Most of an import's time goes into
Node.js's own modules, so the check without \`--write\` counts those, and the bytes; a slower machine cannot fail it.

| package | kB of code | kB installed | modules of Node.js loaded | import, ms | one function, bundled |
|---|---|---|---|---|---|
${table.join('\n')}
`;
if (writing) writeFileSync(page, text);
const countsOf = (markdown) =>
  [...markdown.matchAll(/^\| `@splitmirror\/(\w+)` \| (\d+) \| \d+ \| (\d+) \|/gm)].map(([, name, kB, modules]) => ({
    name,
    kB: Number(kB),
    modules: Number(modules),
  }));
const known = new Map(countsOf(readFileSync(page, 'utf8')).map((row) => [row.name, row]));
for (const { name, kB, modules } of countsOf(text)) {
  const before = known.get(name) ?? { kB: 0, modules: 0 };
  // A few may differ from machine to machine; what costs a millisecond, as child_process or net, brings more.
  if (Math.abs(before.kB - kB) > Math.max(3, before.kB * 0.1) || modules > before.modules + 5) {
    faults.push(
      `docs/packages.md says ${before.kB} kB and ${before.modules} modules of Node.js for ${name}; now ${kB} and ${modules}: npm run check:consumers -- --write`,
    );
  }
}
for (const fault of faults) console.error(`FAULT ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;
