import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quote } from '@splitmirror/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guardExitCodes, guardScript, type Policy } from '../src/index.ts';
import { situations } from './situations.ts';
import { answer, group, healthyWorld, type NodeWorld, peersOf, type World } from './world.ts';

const shells = ['dash', 'ksh93', 'mksh'].filter((shell) => pathOf(shell) !== '');
/** Commands of the guard, which a node of AIX has and a fake directory gets from this machine. */
const tools = ['awk', 'sed', 'cat', 'rm', 'mkdir', 'sleep', 'touch'];

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hacmp-guard-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Cluster {
  readonly world: World;
  readonly later?: World | undefined;
  readonly policy?: Policy | undefined;
  readonly shell: string;
  /** How the nodes ask each other. */
  readonly remote?: 'clcmd' | 'clrsh' | 'none';
  readonly timeoutSeconds?: number;
}

/** Writes a directory of commands for each node, and the guard; returns how to run the guard on a node. */
async function build({ world, later = world, policy, shell, remote = 'clcmd', timeoutSeconds = 20 }: Cluster) {
  const root = join(folder, String(++count));
  const path = join(root, 'guard');
  await mkdir(root);
  const turned = join(root, 'second-round');
  for (const name of Object.keys(world)) {
    const bin = join(root, name);
    await mkdir(bin);
    const rounds = [later[name], world[name]].map((node) => (node ? commandsOf(node) : new Map<string, string>()));
    for (const program of new Set(rounds.flatMap((programs) => [...programs.keys()]))) {
      const [second = 'exit 127', first = 'exit 127'] = rounds.map((programs) => programs.get(program));
      const text = later === world ? first : `if [ -f ${quote(turned)} ]; then\n${second}\nelse\n${first}\nfi`;
      await writeProgram(join(bin, program), text);
    }
    for (const tool of tools) {
      await writeProgram(join(bin, tool), `exec ${pathOf(tool)} "$@"`);
    }
  }
  const guardOn = (name: string) => `${pathOf(shell)} ${quote(join(root, `guard-${name}`))}`;
  for (const [name, node] of Object.entries(world)) {
    const text = guardScript({ path, commands: join(root, name), policy, timeoutSeconds, pauseSeconds: 0 });
    await writeFile(join(root, `guard-${name}`), text);
    if (node.reach !== 'ok') continue;
    const others = Object.entries(world).filter(([, other]) => other.reach === 'ok');
    if (remote === 'clcmd') {
      const ruler = '-'.repeat(31);
      const asked = others.map(
        ([other]) => `echo "${ruler}\nNODE ${other}\n${ruler}"; shift; ${guardOn(other)} "$@"; set -- x "$@"`,
      );
      await writeProgram(join(root, name, 'clcmd'), `${asked.join('\n')}\ntouch ${quote(turned)}`);
    }
    if (remote === 'clrsh') {
      const cases = others.map(([other]) => `${other}) shift 2; ${guardOn(other)} "$@";;`);
      await writeProgram(
        join(root, name, 'clrsh'),
        `case $1 in\n${cases.join('\n')}\n*) echo "Communication error, see logfile"; exit 1;;\nesac`,
      );
    }
  }
  return (name: string, ...args: string[]) => run(`${guardOn(name)} ${args.map(quote).join(' ')}`);
}

/** Absolute path of a program of this machine; empty when it is not here. */
function pathOf(program: string): string {
  return spawnSync('/bin/sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
}

async function writeProgram(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
}

/** A shell text for each program that a node answers. */
function commandsOf(node: NodeWorld): Map<string, string> {
  const lines = [
    'get_local_nodename',
    'lssrc -ls clstrmgrES',
    'clRGinfo -s',
    ...(node.nodeStates ? ['clmgr -cv -a name,state,raw_state query node'] : []),
    ...(node.membership ? ['lscluster -m'] : []),
    ...(peersOf(node) ? ['lsrpnode'] : []),
    'cllsnode',
    'ifconfig -a',
    'clshowres',
    'mount',
    ...node.config.volumeGroups.flatMap((name) => [`lsvg ${name}`, `lsvg -l ${name}`]),
  ];
  const programs = new Map<string, string>();
  for (const line of lines) {
    const output = answer(node, line);
    const [program = '', ...args] = line.split(' ');
    const text =
      output === 'hang'
        ? 'exec sleep 600'
        : `cat <<'END-OF-ANSWER'\n${output.stdout ?? ''}END-OF-ANSWER\ncat >&2 <<'END-OF-ANSWER'\n${output.stderr ?? ''}END-OF-ANSWER\nexit ${output.exitCode}`;
    programs.set(program, `${programs.get(program) ?? ''}if [ "$*" = '${args.join(' ')}' ]; then\n${text}\nfi\n`);
  }
  return programs;
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, LC_ALL: 'POSIX', MARK: 'own', TMPDIR: folder };
    execFile('/bin/sh', ['-c', command], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

describe.concurrent.each(shells)('guard under %s', (shell) => {
  it('runs the command where the group is, with the environment of its caller, and nothing elsewhere', async () => {
    const guard = await build({ world: healthyWorld(), shell });
    const said = await guard('db1', group, 'sh', '-c', 'echo "$LC_ALL $MARK $1"', 'sh', "it's mine");
    expect(said).toEqual({ code: guardExitCodes.succeeded, stdout: "POSIX own it's mine\n", stderr: '' });
    expect(await guard('db2', group, 'echo', 'mine')).toEqual({ code: guardExitCodes.notMine, stdout: '', stderr: '' });
  });

  it('is loud when nobody can say who has it', async () => {
    const world = healthyWorld();
    if (world.db2) world.db2.manager = 'ST_RP_RUNNING';
    const guard = await build({ world, shell });
    const { code, stdout, stderr } = await guard('db1', group, 'echo', 'mine');
    expect([code, stdout]).toEqual([guardExitCodes.undecidable, '']);
    expect(stderr).toMatch(/guard: payrg: moving: nothing was done\n {2}MANAGER_NOT_STABLE db2: ST_RP_RUNNING\n$/);
  });

  it('ends a question that is not answered', async () => {
    const world = healthyWorld();
    if (world.db2) world.db2.overrides['clRGinfo -s'] = 'hang';
    const guard = await build({ world, shell, timeoutSeconds: 1 });
    const { code, stderr } = await guard('db1', group, 'echo', 'mine');
    expect(code).toBe(guardExitCodes.undecidable);
    expect(stderr).toContain('TABLE_UNREADABLE db2: groups gave no usable answer (status timeout)');
  });
});

describe('guard', () => {
  const shell = shells[0] ?? '/bin/sh';

  it('tells when the command failed', async () => {
    const guard = await build({ world: healthyWorld(), shell });
    const { code, stderr } = await guard('db1', group, 'sh', '-c', 'exit 7');
    expect(code).toBe(guardExitCodes.failed);
    expect(stderr).toMatch(/guard: payrg is here, and the command ended with 7\n$/);
  });

  it('asks the others through clrsh where there is no clcmd', async () => {
    const guard = await build({ world: healthyWorld(), shell, remote: 'clrsh' });
    expect(await guard('db1', group, 'echo', 'mine')).toEqual({ code: 0, stdout: 'mine\n', stderr: '' });
    expect(await guard('db2', group, 'echo', 'mine')).toEqual({ code: guardExitCodes.notMine, stdout: '', stderr: '' });
  });

  it('does not claim that nothing was done when a signal ends it with its command', async () => {
    const guard = await build({ world: healthyWorld(), shell });
    const { code } = await guard('db1', group, 'sh', '-c', 'kill -15 $PPID; sleep 1');
    expect(code).not.toBe(guardExitCodes.undecidable);
  });

  it('decides nothing alone', async () => {
    const guard = await build({ world: healthyWorld(), shell, remote: 'none' });
    const { code, stderr } = await guard('db1', group, 'echo', 'mine');
    expect(code).toBe(guardExitCodes.undecidable);
    expect(stderr).toContain('HOST_UNREACHABLE db2: no report');
  });

  it('leaves nothing behind', async () => {
    expect((await readdir(folder)).filter((name) => name.startsWith('splitmirror-guard.'))).toEqual([]);
  });

  it('refuses to be called in a wrong way', async () => {
    const guard = await build({ world: healthyWorld(), shell });
    for (const args of [[], [group], ['-x', 'echo'], ['a b', 'echo'], ['', 'echo']]) {
      expect(await guard('db1', ...args)).toMatchObject({ code: guardExitCodes.usage, stdout: '' });
    }
  });
});

describe('guard, run as a whole over the situations', () => {
  // All of them take minutes: SPLITMIRROR_SITUATIONS=all. The judgement alone is tested on all of them elsewhere.
  const chosen = situations.filter(({ controllerOnly }, index) => {
    return !controllerOnly && (process.env.SPLITMIRROR_SITUATIONS === 'all' || index % 40 === 0);
  });
  it.each(chosen)(
    '$verdict: $title',
    async ({ world, later, policy, group: asked = group, verdict, because, guard: own }) => {
      const shell = shells[0] ?? '/bin/sh';
      const guard = await build({ world, later, policy, shell, timeoutSeconds: 3 });
      const holder = own ? own[0]?.split(' ')[1] : verdict === 'held' ? because[0] : undefined;
      for (const [name, node] of Object.entries(world)) {
        if (node.reach !== 'ok') continue;
        const { code } = await guard(name, asked, 'true');
        const wanted = holder === undefined ? guardExitCodes.undecidable : name === holder ? 0 : guardExitCodes.notMine;
        expect([name, code]).toEqual([name, wanted]);
        await rm(join(folder, String(count), 'second-round'), { force: true });
      }
    },
  );
});

describe('guardScript', () => {
  it('is plain text that every shell here accepts', () => {
    const script = guardScript({ path: '/usr/local/bin/splitmirror-guard' });
    for (const shell of shells) expect(spawnSync(shell, ['-n'], { input: script }).status).toBe(0);
    expect(Math.max(...script.split('\n').map((line) => line.length))).toBeLessThan(2048);
  });

  it('refuses a path that a remote shell would take apart, and seconds that are none', () => {
    expect(() => guardScript({ path: 'guard' })).toThrow(RangeError);
    expect(() => guardScript({ path: '/opt/my guard' })).toThrow(RangeError);
    expect(() => guardScript({ path: '/opt/guard', timeoutSeconds: 0.5 })).toThrow(RangeError);
    expect(() => guardScript({ path: '/opt/guard', timeoutSeconds: 0 })).toThrow(RangeError);
  });
});
