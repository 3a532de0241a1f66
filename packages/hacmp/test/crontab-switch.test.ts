import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quote } from '@splitmirror/host';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crontabExitCodes, crontabScript } from '../src/index.ts';
import { runScript, shells, toolbox } from './shells.ts';

const tools = 'awk sed cat rm rmdir mkdir sleep cp mv ln head tail cmp grep wc kill ls sh'.split(' ');
const begin = '# splitmirror section backup begins: everything up to its end is replaced';
const end = '# splitmirror section backup ends';
const entries = {
  payrg: '0 2 * * * /usr/local/bin/splitmirror-guard payrg /usr/local/bin/backup-pay',
  webrg: '30 3 * * 1-5 /usr/local/bin/splitmirror-guard webrg sh -c \'echo 100\\% "$HOME"\'',
};

let folder: string;
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hacmp-crontab-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What `crontab` does with a file in place of the spool; a test replaces parts of it. */
function fakeCrontab(table: string, { list = '', install = '' } = {}): string {
  return `case $1 in
-l) ${list || `[ -f ${quote(table)} ] || { echo "crontab: 0481-103 Cannot open a file: A file or directory in the path name does not exist." >&2; exit 1; }; cat ${quote(table)}`} ;;
-r) rm -f ${quote(table)} ;;
*) ${install || `cp "$1" ${quote(table)}.new && mv ${quote(table)}.new ${quote(table)}`} ;;
esac`;
}

async function build(options: { list?: string; install?: string; guard?: string } = {}) {
  const root = join(folder, String(++count));
  const table = join(root, 'table');
  const bin = await toolbox(
    join(root, 'bin'),
    { crontab: fakeCrontab(table, options), guard: options.guard ?? 'exit 20' },
    tools,
  );
  const state = join(root, 'state');
  const script = join(root, 'switch');
  const text = crontabScript({
    path: script,
    guard: join(bin, 'guard'),
    state,
    spool: join(state, 'events'),
    commands: bin,
    groups: Object.entries(entries).map(([group, line]) => ({ group, lines: [line] })),
  });
  writeFileSync(script, text);
  return {
    root,
    table,
    state,
    script,
    write: (content: string | Buffer) => writeFileSync(table, content),
    read: () => readFileSync(table),
    run: (shell: string, ...args: string[]) => runScript(shell, script, args),
  };
}

function section(script: string, ...groups: (keyof typeof entries)[]): string {
  const lines = groups.map((group) => `# resource group ${group}\n${entries[group]}\n`).join('');
  return `${begin}\n0,5,10,15,20,25,30,35,40,45,50,55 * * * * ${script} pick-up\n${lines}${end}\n`;
}

const nothingSaid = { code: crontabExitCodes.done, stdout: '', stderr: '' };

describe.concurrent.each(shells)('crontab switch under %s', (shell) => {
  it('switches from own data to both, and back, and takes itself out without a trace', async () => {
    const node = await build();
    const others = '# mine\n0 1 * * * /usr/bin/true\n';
    node.write(others);
    expect(await node.run(shell, 'set', 'payrg')).toEqual(nothingSaid);
    expect(node.read().toString()).toBe(`${section(node.script, 'payrg')}${others}`);
    expect(await node.run(shell, 'set', 'payrg', 'webrg')).toEqual(nothingSaid);
    expect(node.read().toString()).toBe(`${section(node.script, 'payrg', 'webrg')}${others}`);
    expect(await node.run(shell, 'set', 'payrg')).toEqual(nothingSaid);
    expect(node.read().toString()).toBe(`${section(node.script, 'payrg')}${others}`);
    expect(await node.run(shell, 'remove')).toEqual(nothingSaid);
    expect(node.read().toString()).toBe(others);
    expect(await node.run(shell, 'remove')).toEqual(nothingSaid);
    expect(existsSync(node.state)).toBe(false);
  });

  it.each([
    ['an empty crontab', ''],
    ['a missing final line feed', '0 1 * * * /usr/bin/true'],
    ['carriage returns', '# a\r\n0 1 * * * /usr/bin/true\r\n'],
    ['odd bytes', Buffer.from([0x23, 0xff, 0xfe, 0x80, 0x0a, 0x0a, 0x0a, 0x5c, 0x6e, 0x09, 0x20, 0x0a, 0xc3])],
    ['blanks and empty lines at the end', '\n\n  \n0 1 * * * x\n\n\n'],
    ['a section of another name', '# splitmirror section other begins: x\n# splitmirror section other ends\n'],
  ])('keeps %s byte for byte', async (_, content) => {
    const node = await build();
    node.write(content);
    const before = node.read();
    expect(await node.run(shell, 'set', 'webrg')).toEqual(nothingSaid);
    expect(node.read()).toEqual(Buffer.concat([Buffer.from(section(node.script, 'webrg')), before]));
    expect(await node.run(shell, 'remove')).toEqual(nothingSaid);
    expect(node.read()).toEqual(before);
  });

  it('finds its section in the middle, also where the last line lacks its end', async () => {
    const node = await build();
    for (const [before, after] of [
      ['# first\n', '# last'],
      ['# first\n', ''],
      ['', '\n'],
    ]) {
      node.write(`${before}${begin}\nedited by hand\n${end}\n${after}`);
      expect(await node.run(shell, 'set', 'payrg')).toEqual(nothingSaid);
      expect(node.read().toString()).toBe(`${before}${section(node.script, 'payrg')}${after}`);
    }
    node.write(`# first\n${begin}\n${end}`);
    expect(await node.run(shell, 'remove')).toEqual(nothingSaid);
    expect(node.read().toString()).toBe('# first\n');
  });

  it('makes a crontab where there is none, and does not write what is there already', async () => {
    const node = await build();
    expect(await node.run(shell, 'set', 'payrg')).toEqual(nothingSaid);
    expect(node.read().toString()).toBe(section(node.script, 'payrg'));
    const frozen = await build({ install: 'exit 1' });
    frozen.write(section(frozen.script, 'payrg'));
    expect(await frozen.run(shell, 'set', 'payrg')).toEqual(nothingSaid);
    expect(await frozen.run(shell, 'refresh')).toEqual(nothingSaid);
  });

  it.each([
    ['an end without a beginning', `${end}\n`],
    ['a beginning without an end', `${begin}\n0 1 * * * x\n`],
    ['two sections', `${begin}\n${end}\n${begin}\n${end}\n`],
    ['the end first', `${end}\n${begin}\n`],
    ['a marker with a carriage return', `${begin}\r\n${end}\r\n`],
    ['a marker with something before it', `# ${begin}\n${end}\n`],
    ['a marker that was cut', `${begin}\n${end.slice(0, -2)}\n`],
  ])('refuses %s', async (_, content) => {
    const node = await build();
    node.write(content);
    const { code, stderr } = await node.run(shell, 'set', 'payrg');
    expect(code).toBe(crontabExitCodes.unchanged);
    expect(stderr).toMatch(/the crontab is left alone: (line \d+ is a damaged marker|the markers are torn)/);
    expect(node.read().toString()).toBe(content);
  });

  it('follows the guard: what is here, what is not, and what nobody can tell', async () => {
    const guard = (pay: string, web: string) => `case $1 in payrg) ${pay} ;; *) ${web} ;; esac`;
    const unsure = 'echo "guard: $1: moving: nothing was done" >&2; exit 30';
    const offline = 'echo "guard: $1: offline: nothing was done" >&2; exit 30';
    const here = await build({ guard: guard('"$2"', 'exit 20') });
    expect(await here.run(shell, 'follow')).toEqual(nothingSaid);
    expect(here.read().toString()).toBe(section(here.script, 'payrg'));
    const both = await build({ guard: guard(unsure, 'exit 0') });
    both.write(section(both.script, 'payrg'));
    expect(await both.run(shell, 'follow')).toEqual({
      code: crontabExitCodes.undecidable,
      stdout: '',
      stderr: 'guard: payrg: moving: nothing was done\n',
    });
    expect(both.read().toString()).toBe(section(both.script, 'payrg', 'webrg'));
    const gone = await build({ guard: guard(offline, 'exit 20') });
    gone.write(section(gone.script, 'payrg', 'webrg'));
    expect(await gone.run(shell, 'follow')).toEqual(nothingSaid);
    expect(gone.read().toString()).toBe(section(gone.script));
  });

  it('picks up what events have left, and keeps it until everything is decided', async () => {
    const node = await build({ guard: 'exit 0' });
    expect(await node.run(shell, 'pick-up')).toEqual(nothingSaid);
    expect(existsSync(node.table)).toBe(false);
    const { stdout } = spawnSync('mkdir', ['-p', join(node.state, 'events')], { encoding: 'utf8' });
    expect(stdout).toBe('');
    writeFileSync(join(node.state, 'events/event.1.20261122'), 'x\n');
    expect(await node.run(shell, 'pick-up')).toEqual(nothingSaid);
    expect(node.read().toString()).toBe(section(node.script, 'payrg', 'webrg'));
    expect(readdirSync(join(node.state, 'events'))).toEqual([]);
    const unsure = await build({ guard: 'echo "guard: doubt" >&2; exit 30' });
    spawnSync('mkdir', ['-p', join(unsure.state, 'events')]);
    writeFileSync(join(unsure.state, 'events/event.1.20261122'), 'x\n');
    const said: string[] = [];
    for (let attempt = 0; attempt < 4; attempt++) said.push((await unsure.run(shell, 'pick-up')).stderr);
    expect(said).toEqual(['', '', 'guard: doubt\nguard: doubt\n', '']);
    expect(readdirSync(join(unsure.state, 'events'))).toEqual(['event.1.20261122']);
  });

  it('lets two switches at once do their work one after the other', async () => {
    const node = await build();
    const others = '0 1 * * * /usr/bin/true\n';
    node.write(others);
    const ran = await Promise.all((['payrg', 'webrg', 'payrg'] as const).map((group) => node.run(shell, 'set', group)));
    expect(ran).toEqual([nothingSaid, nothingSaid, nothingSaid]);
    const text = node.read().toString();
    expect([section(node.script, 'payrg'), section(node.script, 'webrg')].map((one) => one + others)).toContain(text);
    expect(readdirSync(node.state)).toEqual([]);
  });
});

describe('crontab switch', () => {
  const shell = shells[0] ?? 'sh';

  it('inherits the lock of a process that is gone, and waits for one that is not', async () => {
    const node = await build();
    const gone = spawnSync('/bin/true').pid;
    spawnSync('mkdir', ['-p', node.state]);
    writeFileSync(join(node.state, 'lock'), `${gone}\n`);
    const ran = await Promise.all([1, 2, 3].map(() => node.run(shell, 'set', 'payrg')));
    expect(ran).toEqual([nothingSaid, nothingSaid, nothingSaid]);
    writeFileSync(join(node.state, 'lock'), `${process.pid}\n`);
    const waiting = node.run(shell, 'set', 'webrg');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(node.read().toString()).toBe(section(node.script, 'payrg'));
    rmSync(join(node.state, 'lock'));
    expect(await waiting).toEqual(nothingSaid);
  });

  it('leaves the crontab alone when nobody knows whether there is one', async () => {
    const node = await build({ list: 'echo "crontab: out of memory" >&2; exit 1' });
    expect(await node.run(shell, 'set', 'payrg')).toMatchObject({
      code: crontabExitCodes.unchanged,
      stderr: expect.stringContaining('nobody knows whether there is a crontab: crontab: out of memory'),
    });
    expect(existsSync(node.table)).toBe(false);
  });

  it('reads back what it has installed, and puts the old one back when it is another', async () => {
    const node = await build();
    const others = '0 1 * * * /usr/bin/true\n';
    for (const [install, code] of [
      ['echo "no room" >&2; exit 1', crontabExitCodes.unchanged],
      [
        'case $(cat "$1") in *splitmirror*) head -n 1 "$1" >TABLE; exit 0 ;; *) cp "$1" TABLE ;; esac',
        crontabExitCodes.unchanged,
      ],
      ['case $(cat "$1") in *splitmirror*) echo torn >TABLE; exit 0 ;; *) exit 1 ;; esac', crontabExitCodes.damaged],
    ] as const) {
      const own = install.replaceAll('TABLE', quote(node.table));
      node.write(others);
      await toolbox(join(node.root, 'bin'), { crontab: fakeCrontab(node.table, { install: own }) }, []);
      const ran = await node.run(shell, 'set', 'payrg');
      expect([install, ran.code]).toEqual([install, code]);
      if (code === crontabExitCodes.unchanged) expect(node.read().toString()).toBe(others);
      const saved = / is in (\S+):/.exec(ran.stderr)?.[1];
      if (code === crontabExitCodes.damaged) expect(readFileSync(saved ?? '', 'utf8')).toBe(others);
    }
  });

  it('gives way to somebody else who changes the crontab meanwhile', async () => {
    const node = await build();
    node.write('# one\n');
    const list = `cat ${quote(node.table)}; echo "# two" >>${quote(node.table)}`;
    await toolbox(join(node.root, 'bin'), { crontab: fakeCrontab(node.table, { list }) }, []);
    expect(await node.run(shell, 'set', 'payrg')).toMatchObject({
      code: crontabExitCodes.unchanged,
      stderr: expect.stringContaining('somebody else has changed the crontab meanwhile'),
    });
    expect(node.read().toString()).toMatch(/^# one\n(# two\n)+$/);
  });

  it('refuses to be called in a wrong way', async () => {
    const node = await build();
    for (const args of [[], ['switch'], ['set', 'nosuchrg'], ['remove', 'payrg']]) {
      expect(await node.run(shell, ...args)).toMatchObject({ code: crontabExitCodes.usage, stdout: '' });
    }
  });

  it('keeps any crontab byte for byte, or leaves it as it is', async () => {
    const node = await build();
    const piece = fc.oneof(
      fc.constantFrom('\n', '\r', '\\', '%', begin, end, '# splitmirror section backup ', '0 1 * * * x\n', ' ', "'"),
      fc.string({ unit: 'binary', maxLength: 6 }).map((text) => text.replaceAll('\0', '')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const before = Buffer.from(pieces.join(''));
        node.write(before);
        const first = await node.run(shell, 'set', 'payrg');
        if (first.code === crontabExitCodes.unchanged) {
          expect(node.read()).toEqual(before);
          return;
        }
        expect(first).toEqual(nothingSaid);
        const at = node.read().indexOf(section(node.script, 'payrg'));
        expect(at).toBeGreaterThanOrEqual(0);
        expect(await node.run(shell, 'set', 'payrg')).toEqual(nothingSaid);
        expect(await node.run(shell, 'remove')).toEqual(nothingSaid);
        const had = before.indexOf(begin);
        if (had === -1) expect(node.read()).toEqual(before);
        else {
          const rest = before.subarray(before.indexOf(end) + end.length + 1);
          expect(node.read()).toEqual(Buffer.concat([before.subarray(0, had), rest]));
        }
      }),
      { numRuns: Number(process.env.SPLITMIRROR_CRONTABS ?? 15) },
    );
  });
});

describe('crontabScript', () => {
  const options = { path: '/opt/c', guard: '/opt/g', state: '/var/s', spool: '/var/s/events' };

  it('is plain text that every shell here accepts', () => {
    const script = crontabScript({ ...options, groups: [{ group: 'payrg', lines: [entries.webrg] }] });
    for (const shell of shells) expect(spawnSync(shell, ['-n'], { input: script }).status).toBe(0);
  });

  it('refuses what a crontab or a shell would take apart', () => {
    for (const lines of [['a\nb'], [''], ['splitmirror-end'], [`x ${begin}`], ['a\0b'], ['a\rb']]) {
      expect(() => crontabScript({ ...options, groups: [{ group: 'payrg', lines }] })).toThrow(RangeError);
    }
    expect(() => crontabScript({ ...options, groups: [{ group: 'pay rg', lines: [] }] })).toThrow(RangeError);
    expect(() => crontabScript({ ...options, groups: [], section: 'a b' })).toThrow(RangeError);
    expect(() => crontabScript({ ...options, groups: [], state: 'var' })).toThrow(RangeError);
    const twice = { group: 'payrg', lines: [] };
    expect(() => crontabScript({ ...options, groups: [twice, twice] })).toThrow(RangeError);
  });
});
