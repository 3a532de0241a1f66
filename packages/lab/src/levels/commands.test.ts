import { describe, expect, it } from 'vitest';
import { dialects } from '../cluster/generation.ts';
import { levelCommands } from './commands.ts';
import { type SoftwareOverrides, softwareOf } from './filesets.ts';

async function run(overrides: SoftwareOverrides, program: string, ...args: string[]) {
  const commands = levelCommands(
    () => softwareOf(dialects['7.2'], overrides),
    () => 'dbhost1',
  );
  const answer = await commands[program]?.({ node: 'n1', program, args, stdin: async () => Buffer.of() });
  if (answer?.kind !== 'exit') throw new Error(`${program} did not answer`);
  return { code: answer.code, stdout: answer.stdout ?? '', stderr: answer.stderr ?? '' };
}

describe('levelCommands', () => {
  it('lists a few hundred filesets, RPMs and interim fixes in 18 columns', async () => {
    const { stdout } = await run({}, 'lslpp', '-Lc');
    const [header = '', ...rows] = stdout.trimEnd().split('\n');
    expect(header.split(':')).toHaveLength(18);
    expect(rows.length).toBeGreaterThan(250);
    const lengths = new Set(rows.map((row) => row.split(':').length));
    expect([...lengths].sort()).toEqual([18, 20]);
    expect(rows).toContain(
      'cluster.es.server:cluster.es.server.rte:7.2.2.1: : :C:F:PowerHA SystemMirror Server (rte): : : : : : :0:0:/:1810',
    );
  });

  it('has one more field than the header names in the long form, and lags in the root part', async () => {
    const { stdout } = await run({}, 'lslpp', '-lc');
    const [header = '', ...rows] = stdout.trimEnd().split('\n');
    expect(header.split(':')).toHaveLength(7);
    expect(new Set(rows.map((row) => row.split(':').length))).toEqual(new Set([8]));
    expect(rows).toContain(
      '/usr/lib/objrepos:bos.net.tcp.client_core:7.2.3.17::COMMITTED:I:TCP/IP and NFS (tcp.client_core):',
    );
    expect(rows).toContain(
      '/etc/objrepos:bos.net.tcp.client_core:7.2.3.15::COMMITTED:I:TCP/IP and NFS (tcp.client_core):',
    );
  });

  it('knows wildcards, and says what is not installed', async () => {
    expect((await run({}, 'lslpp', '-qLc', 'cluster.es.server.*')).stdout.trim().split('\n')).toHaveLength(6);
    const none = await run({}, 'lslpp', '-lc', 'no.such.fileset');
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(/no\.such\.fileset not installed\.\n$/);
  });

  it('differs where it is told to', async () => {
    const overrides = {
      level: '7200-03-04-1938',
      filesets: { 'bos.rte.libc': '7.2.3.16', 'bos.mp64': null, 'extra.one': '1.0.0.0' },
      fixes: [],
    };
    const { stdout } = await run(overrides, 'lslpp', '-qLc');
    expect(stdout).toMatch(/^bos\.rte:bos\.rte\.libc:7\.2\.3\.16:/m);
    expect(stdout).not.toMatch(/:bos\.mp64:/);
    expect(stdout).toMatch(/^extra\.one:extra\.one:1\.0\.0\.0:/m);
    expect((await run(overrides, 'oslevel', '-s')).stdout).toBe('7200-03-04-1938\n');
    expect(await run(overrides, 'emgr', '-l')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'There is no efix data on this system.\n',
    });
  });

  it('fills up to the size of a large host', async () => {
    const { stdout } = await run({ rows: 1500 }, 'lslpp', '-qLc');
    expect(stdout.trim().split('\n')).toHaveLength(1502);
  });

  it('has filesets that are not committed', async () => {
    const { stdout } = await run({ states: { 'bos.rte.libc': 'B', 'bos.mp64': 'A' } }, 'lslpp', '-qLc', 'bos.*');
    expect(stdout).toMatch(/^bos\.rte:bos\.rte\.libc:[^:]*: : :B:/m);
    expect(stdout).toMatch(/^bos\.mp64:bos\.mp64:[^:]*: : :A:/m);
  });

  it('keeps from a user what only root sees, without a word', async () => {
    const { code, stdout, stderr } = await run({ login: 'user' }, 'lslpp', '-Lc');
    expect({ code, stderr, fixes: stdout.match(/^[^:]*:[^:]*:[^:]*: : :C:E:/gm) }).toEqual({
      code: 0,
      stderr: '',
      fixes: null,
    });
    expect((await run({}, 'lslpp', '-Lc')).stdout).toMatch(/: : :C:E:/);
    expect(await run({ login: 'user' }, 'emgr', '-l')).toEqual({
      code: 127,
      stdout: '',
      stderr: 'ksh: emgr:  not found.\n',
    });
  });

  it('speaks French in the long form, with the same cells', async () => {
    const { stdout } = await run({ language: 'fr_FR', states: { 'bos.mp64': 'A' } }, 'lslpp', '-lc');
    const [header = '', ...rows] = stdout.trimEnd().split('\n');
    expect(header).toBe("#Ens. fich.:Niveau:ID cor:Etat:Type:Description:CORRECTIF D'URGENCE verrouillé");
    expect(new Set(rows.map((row) => row.split(':')[4]))).toEqual(new Set(['VALIDE', 'APPLIQUE']));
  });

  it('tells levels and names', async () => {
    expect((await run({}, 'oslevel')).stdout).toBe('7.2.0.0\n');
    expect((await run({}, 'oslevel', '-r')).stdout).toBe('7200-03\n');
    expect((await run({}, 'halevel', '-s')).stdout).toBe('7.2.2 SP1\n');
    expect((await run({}, 'uname', '-rvp')).stdout).toBe('2 7 powerpc\n');
    expect((await run({}, 'getconf', 'KERNEL_BITMODE')).stdout).toBe('64\n');
    expect((await run({ firmware: 'VH950_099' }, 'lsmcode', '-c')).stdout).toBe('System Firmware level is VH950_099\n');
    expect((await run({}, 'uname', '-n')).stdout).toBe('dbhost1\n');
    expect((await run({}, 'emgr', '-l')).stdout).toMatch(/^1 {4}S {4}IJ20785s2a 10\/06\/26 11:03:46 /m);
  });
});
