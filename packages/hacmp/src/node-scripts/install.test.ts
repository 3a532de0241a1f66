import { type Host, renderCommand, type StepResult, TransportError } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { type Installation, install, planEvents, planGuard, uninstall, verifyInstallation } from '../index.ts';

const guard = '/usr/local/bin/splitmirror-guard';
const events = (nodes = ['db2', 'db1']) =>
  planEvents({
    nodes,
    guard,
    events: ['node_down_remote'],
    groups: [
      {
        group: 'payrg',
        lines: [`0 2 * * * ${guard} payrg backup-pay`],
        volumeGroups: ['payvg', 'loyvg'],
        debt: {
          notes: '/pay/.splitmirror',
          resume: [['payctl', 'resume']],
          timeoutSeconds: 240,
          settleSeconds: 120,
        },
      },
    ],
  });

interface FakeNode {
  files: Map<string, string>;
  /** Line of `ls -ld` in place of the usual one. */
  listed?: string;
  odm: string | null;
  did: string[];
  fails?: string;
}

const object = (event: string, post: string, name = 'post') =>
  `\nHACMPevent:\n\tname = "${event}"\n\tpre = ""\n\t${name} = "${post}"\n\tcount = 0\n`;

function newNode(odm: string | null = object('node_down_remote', '')): FakeNode {
  return { files: new Map(), odm, did: [] };
}

/** A host on which `cat`, `ls`, `odmget`, `tee`, `mv` and `rm` do what they say. */
function hostOf(name: string, node: FakeNode): Host {
  const perform = (argv: readonly string[], stdin: string): { exitCode: number; stdout?: string; stderr?: string } => {
    const [program = '', ...args] = argv;
    const path = args.at(-1) ?? '';
    const text = node.files.get(path);
    const absent = { exitCode: 2, stderr: `${path}: A file or directory in the path name does not exist.\n` };
    if (node.fails === program) return { exitCode: 1, stderr: `${program}: no space\n` };
    if (program === 'ls') {
      if (text === undefined) return absent;
      return { exitCode: 0, stdout: `${node.listed ?? '-rwxr-xr-x    1 root     system  812 Nov 22 09:30'} ${path}\n` };
    }
    if (program === 'cat') return text === undefined ? absent : { exitCode: 0, stdout: text };
    if (program === 'odmget') {
      return node.odm === null
        ? { exitCode: 1, stderr: 'odmget: Could not find object class\n' }
        : { exitCode: 0, stdout: node.odm };
    }
    node.did.push(argv.join(' '));
    if (program === 'tee') node.files.set(path, stdin);
    if (program === 'mv') {
      node.files.set(path, node.files.get(args[1] ?? '') ?? '');
      node.files.delete(args[1] ?? '');
    }
    if (program === 'rm') node.files.delete(path);
    return { exitCode: 0 };
  };
  return {
    name,
    async run(script) {
      const steps: StepResult[] = [];
      for (const { id, run, stdin = '', onFailure } of script.steps) {
        const argv = 'argv' in run ? run.argv : [renderCommand(run)];
        const output = { stdout: '', stderr: '', ...perform(argv, stdin) };
        const clock = { start: 1, end: 1 };
        steps.push({ kind: 'ended', id, durationMs: 1, clock, memberCodes: [output.exitCode], ...output });
        if (output.exitCode !== 0 && onFailure !== 'continue') break;
      }
      return { kind: 'completed', steps };
    },
    stream() {
      throw new Error('nothing is streamed here');
    },
    async close() {},
  };
}

function nodes(plan: Installation, odm?: string | null) {
  const worlds = new Map(plan.nodes.map((name) => [name, newNode(odm)]));
  return { worlds, hosts: new Map(Array.from(worlds, ([name, node]) => [name, hostOf(name, node)])) };
}

const codes = (report: { problems: readonly { code: string; node: string | null }[] }) =>
  report.problems.map(({ code, node }) => `${node} ${code}`);

describe('planEvents', () => {
  it('says which file is where, with which mode and digest, and what a person has to enter', () => {
    const plan = events();
    expect(plan.nodes).toEqual(['db1', 'db2']);
    expect(plan.files.map(({ path, mode, sha256 }) => `${path} ${mode} ${sha256.length}`)).toEqual([
      '/usr/local/bin/splitmirror-event 755 64',
      '/usr/local/bin/splitmirror-crontab 755 64',
      '/usr/local/bin/splitmirror-release 755 64',
      '/usr/local/bin/splitmirror-debt-payrg 755 64',
    ]);
    expect(plan.files.at(-1)?.text).toMatch(/^pay 240 payctl resume$/m);
    expect(plan.registrations).toMatchObject([
      {
        event: 'node_down_remote',
        place: 'post',
        name: 'splitmirror_event',
        path: '/usr/local/bin/splitmirror-event',
        command: { kind: 'unknown', evidence: expect.stringContaining('claddcustom') },
      },
    ]);
    expect(plan.instructions).toContainEqual(expect.stringContaining('/usr/local/bin/splitmirror-release payvg loyvg'));
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it('refuses what a shell or the ODM would take apart', () => {
    expect(() => planEvents({ nodes: [], guard, groups: [] })).toThrow(RangeError);
    expect(() => planEvents({ nodes: ['db1'], guard, groups: [], events: ['node down'] })).toThrow(RangeError);
    expect(() => planEvents({ nodes: ['db1'], guard, groups: [], directory: 'bin' })).toThrow(RangeError);
    const group = { group: 'payrg', lines: [], volumeGroups: ['pay vg'] };
    expect(() => planEvents({ nodes: ['db1'], guard, groups: [group] })).toThrow(RangeError);
  });
});

describe('install', () => {
  it('writes each file under another name first, starts, and reads everything back', async () => {
    const plan = events();
    const { worlds, hosts } = nodes(plan, object('node_down_remote', 'site_hook splitmirror_event'));
    expect(await install(plan, hosts)).toMatchObject({ kind: 'done', problems: [] });
    const did = worlds.get('db1')?.did ?? [];
    expect(did.slice(0, 4)).toEqual([
      'mkdir -p /usr/local/bin',
      'tee /usr/local/bin/splitmirror-event.new',
      'chmod 755 /usr/local/bin/splitmirror-event.new',
      'mv -f /usr/local/bin/splitmirror-event.new /usr/local/bin/splitmirror-event',
    ]);
    expect(did.slice(-2)).toEqual([
      'sh /usr/local/bin/splitmirror-crontab refresh',
      'sh /usr/local/bin/splitmirror-event installed',
    ]);
    // Again: nothing is written, and what has to run is started.
    const before = did.length;
    await install(plan, hosts);
    expect(worlds.get('db1')?.did.slice(before)).toEqual(did.slice(-2));
  });

  it('writes over nothing that is not ours', async () => {
    const plan = planGuard({ nodes: ['db1'], path: guard });
    const { worlds, hosts } = nodes(plan);
    worlds.get('db1')?.files.set(guard, '#!/bin/sh\n# our own guard\n');
    expect(codes(await install(plan, hosts))).toEqual(['db1 FILE_FOREIGN']);
    expect(worlds.get('db1')?.did).toEqual([]);
  });

  it('tells what failed where', async () => {
    const plan = planGuard({ nodes: ['db1', 'db2'], path: guard });
    const { worlds, hosts } = nodes(plan);
    const second = worlds.get('db2');
    if (second) second.fails = 'tee';
    const report = await install(plan, hosts);
    expect(codes(report)).toEqual(['db2 INSTALL_FAILED', 'db2 FILE_MISSING']);
    expect(report.problems[0]?.seen).toBe('write:0: ended with 1 tee: no space');
  });
});

describe('verifyInstallation', () => {
  it('tells apart what is missing, outdated, foreign, and what has other permissions', async () => {
    const plan = planGuard({ nodes: ['a', 'b', 'c', 'd', 'e'], path: guard });
    const { worlds, hosts } = nodes(plan);
    const [file] = plan.files;
    const put = (name: string, text: string, listed?: string) => {
      worlds.get(name)?.files.set(guard, text);
      Object.assign(worlds.get(name) ?? {}, listed && { listed });
    };
    const older = planGuard({ nodes: ['a'], path: guard, pauseSeconds: 3 }).files[0]?.text ?? '';
    put('b', older);
    put('c', 'echo mine\n');
    put('d', file?.text ?? '', '-rw-rw-rw-    1 root     system  812 Nov 22 09:30');
    put('e', file?.text ?? '', '-rwxr-xr-x    1 pay      staff   812 Nov 22 09:30');
    expect(codes(await verifyInstallation(plan, hosts))).toEqual([
      'a FILE_MISSING',
      'b FILE_OUTDATED',
      'c FILE_FOREIGN',
      'd FILE_MODE',
      'e FILE_MODE',
    ]);
  });

  it.each([
    ['EVENT_NOT_REGISTERED', object('node_down_remote', 'site_hook')],
    ['EVENT_NOT_REGISTERED', object('node_down_remote', 'splitmirror_event2')],
    ['EVENT_UNKNOWN', object('node_down', 'splitmirror_event')],
    ['EVENT_UNVERIFIED', object('node_down_remote', 'splitmirror_event', 'after')],
    ['EVENT_UNVERIFIED', object('node_down_remote', '') + object('node_down_remote', 'splitmirror_event')],
    ['EVENT_UNVERIFIED', 'no such thing\n'],
    ['EVENT_UNVERIFIED', null],
  ])('says %s by what the ODM says', async (code, odm) => {
    const plan = events(['db1']);
    const { hosts } = nodes(plan, odm);
    const { problems } = await install(plan, hosts);
    expect(problems).toMatchObject([{ code, node: 'db1' }]);
  });

  it('takes a registration by path for one', async () => {
    const plan = events(['db1']);
    const { hosts } = nodes(plan, object('node_down_remote', '/site/hook,/usr/local/bin/splitmirror-event'));
    expect(await install(plan, hosts)).toMatchObject({ kind: 'done' });
  });

  it('tells of a node that could not be asked why, once, and nothing of its files', async () => {
    const plan = events(['db1', 'db2', 'db3', 'db4']);
    const { worlds, hosts } = nodes(plan, object('node_down_remote', 'splitmirror_event'));
    hosts.delete('db1');
    const silent = (name: string, run: Host['run']) => hosts.set(name, { ...hostOf(name, newNode()), run });
    silent('db2', () =>
      Promise.reject(
        new TransportError('HOST_AUTHENTICATION', 'db2', 'root was not let in', { remedy: 'Add the key.' }),
      ),
    );
    silent('db3', () => Promise.resolve({ kind: 'unknown', reason: 'connection lost', steps: [] }));
    silent('db4', () => Promise.reject(new Error('no route')));
    const why = [
      ['NO_HOST', 'no host was given for this node', 'Give a host for db1.'],
      ['HOST_AUTHENTICATION', 'db2: root was not let in', 'Add the key.'],
      ['HOST_LOST', 'connection lost', 'Make db3 answer.'],
      ['HOST_FAILED', 'no route', 'Make db4 answer.'],
    ];
    for (const act of [verifyInstallation, install, uninstall]) {
      const report = await act(plan, hosts);
      expect(report.problems.map(({ code, message, remedy }) => [code, message, remedy])).toEqual(why);
      expect(report).toMatchObject({ kind: 'incomplete', nodes: plan.nodes.map(() => ({ kind: 'unreachable' })) });
    }
    expect([...worlds.values()].flatMap(({ did }) => did)).toEqual([]);
  });

  it('tells of a change that was not started why', async () => {
    const plan = planGuard({ nodes: ['db1'], path: guard });
    const host = hostOf('db1', newNode());
    const run: Host['run'] = (script, options) =>
      script.steps.some(({ id }) => id.startsWith('write'))
        ? Promise.reject(new TransportError('HOST_START', 'db1', 'no shell', { remedy: 'Free a process.' }))
        : host.run(script, options);
    const { problems } = await install(plan, new Map([['db1', { ...host, run }]]));
    expect(problems).toMatchObject([
      { code: 'HOST_START', node: 'db1', message: 'db1: no shell', remedy: 'Free a process.' },
      { code: 'FILE_MISSING' },
    ]);
  });

  it('rejects when aborted', async () => {
    const plan = planGuard({ nodes: ['db1'], path: guard });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(verifyInstallation(plan, nodes(plan).hosts, { signal })).rejects.toThrow('enough');
  });
});

describe('uninstall', () => {
  it('stops, then removes what is ours, and leaves the rest', async () => {
    const plan = events(['db1']);
    const { worlds, hosts } = nodes(plan);
    await install(plan, hosts);
    const node = worlds.get('db1');
    node?.files.set('/usr/local/bin/splitmirror-release', 'echo mine\n');
    const before = node?.did.length ?? 0;
    expect(codes(await uninstall(plan, hosts))).toEqual(['db1 FILE_LEFT']);
    expect(node?.did.slice(before)).toEqual([
      'sh /usr/local/bin/splitmirror-crontab remove',
      'rm -f /usr/local/bin/splitmirror-event',
      'rm -f /usr/local/bin/splitmirror-crontab',
      'rm -f /usr/local/bin/splitmirror-debt-payrg',
    ]);
  });

  it('removes nothing while an event may still run it', async () => {
    for (const odm of [object('node_down_remote', 'splitmirror_event'), null]) {
      const plan = events(['db1']);
      const { worlds, hosts } = nodes(plan, odm);
      await install(plan, hosts);
      const before = worlds.get('db1')?.did.length ?? 0;
      const found = codes(await uninstall(plan, hosts));
      expect(found).toContain('db1 EVENT_STILL_REGISTERED');
      expect(worlds.get('db1')?.did.slice(before)).toEqual([]);
    }
  });

  it('tells what failed where, and what to do then', async () => {
    const plan = events(['db1']);
    const { worlds, hosts } = nodes(plan);
    await install(plan, hosts);
    const node = worlds.get('db1');
    node?.files.set('/usr/local/bin/splitmirror-release', 'echo mine\n');
    if (node) node.fails = 'sh';
    const { problems } = await uninstall(plan, hosts);
    const left = plan.files.map(({ path }) => [
      'FILE_LEFT',
      path.endsWith('-release')
        ? `It is none of ours: leave it, or look at ${path} on db1 and remove it by hand.`
        : `See to what kept ${path} on db1, then remove again.`,
    ]);
    expect(problems.map(({ code, remedy }) => [code, remedy])).toEqual([
      ['REMOVE_FAILED', 'See to what is said, then remove again: what is gone already is left alone.'],
      ...left,
    ]);
    expect(problems[0]?.seen).toBe('stop:0: ended with 1 sh: no space');
  });

  it('has nothing to do where nothing is', async () => {
    const plan = planGuard({ nodes: ['db1'], path: guard });
    const { worlds, hosts } = nodes(plan);
    expect(await uninstall(plan, hosts)).toMatchObject({ kind: 'done', problems: [] });
    expect(worlds.get('db1')?.did).toEqual([]);
  });
});
