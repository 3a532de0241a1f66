// Installs the packed packages into projects outside the repository, as a consumer would, and uses them: `hacmp` alone and
// `backup`, each as an ES module, as CommonJS, and through the types. Needs `npm run build`.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'splitmirror-consumers-'));
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });

/** What a consumer writes; `answer` is what each form has to print. */
const consumers = [
  {
    name: 'hacmp alone',
    packages: ['host', 'hacmp'],
    forbidden: ['ssh2', 'zod', 'age-encryption', '@splitmirror/backup'],
    from: '@splitmirror/hacmp',
    use: `parseGroupRows('g:ONLINE:n1:non-concurrent:OHN:FNPN:NFB:ignore::: : :::\\n').length`,
    imported: 'parseGroupRows',
    answer: '1',
  },
  {
    name: 'backup',
    packages: ['host', 'hacmp', 'lvm', 'archive', 'levels', 'backup'],
    forbidden: ['ssh2', 'age-encryption'],
    from: '@splitmirror/backup',
    use: `typeof planBackup + typeof aixFamily`,
    imported: 'planBackup',
    also: { from: '@splitmirror/backup/aix', imported: 'aixFamily' },
    answer: 'functionfunction',
  },
];

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

  for (const { name, packages, forbidden, from, use, imported, also, answer } of consumers) {
    const project = join(base, name.replaceAll(' ', '-'));
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, version: '1.0.0' }));
    run('npm', ['install', '--silent', '--no-audit', '--no-fund', ...packages.map(tarball)], project);
    for (const unwanted of forbidden) {
      const found = existsSync(join(project, 'node_modules', unwanted));
      if (found) throw new Error(`${name} brings ${unwanted} along`);
    }
    const esm = [`import { ${imported} } from '${from}';`, also && `import { ${also.imported} } from '${also.from}';`];
    const cjs = [
      `const { ${imported} } = require('${from}');`,
      also && `const { ${also.imported} } = require('${also.from}');`,
    ];
    const body = (lines) => `${lines.filter(Boolean).join('\n')}\nconsole.log(${use});\n`;
    writeFileSync(join(project, 'esm.mjs'), body(esm));
    writeFileSync(join(project, 'cjs.cjs'), body(cjs));
    for (const file of ['typed.mts', 'typed.cts']) writeFileSync(join(project, file), body(esm));
    for (const file of ['esm.mjs', 'cjs.cjs']) {
      const said = run(process.execPath, [file], project).trim();
      if (said !== answer) throw new Error(`${name}: ${file} printed ${said}, not ${answer}`);
    }
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--types',
      'node',
      '--typeRoots',
      join(root, 'node_modules/@types'),
    ];
    run(process.execPath, [tsc, ...options, 'typed.mts', 'typed.cts'], project);
    console.log(`${name}: installs alone; ES module, CommonJS and types work`);
  }
} finally {
  rmSync(base, { recursive: true, force: true });
}
