// Runs an npm script after making sure that the dependencies are installed: `node scripts/with-dependencies.mjs NAME [ARGS]`.
// Plain JavaScript for whatever Node the machine has; the script itself then runs on the Node that the lock file brings.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, ...words] = process.argv.slice(2);

function npm(...args) {
  const { status, signal } = spawnSync('npm', args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  return signal === null ? (status ?? 1) : 1;
}

function installed() {
  const marker = `${root}node_modules/.package-lock.json`;
  return existsSync(marker) && statSync(marker).mtimeMs >= statSync(`${root}package-lock.json`).mtimeMs;
}

// npm hands Ctrl-C to the whole process group; the script decides what it means.
process.on('SIGINT', () => {});
if (!installed()) {
  process.stderr.write('splitmirror: installing dependencies (once)\n');
  const status = npm('ci', '--no-audit', '--no-fund', '--loglevel=error');
  if (status !== 0) process.exit(status);
}
process.exit(npm('run', '--silent', name, '--', ...words));
