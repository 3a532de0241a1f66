import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leastPrivilege } from './least-privilege.ts';

const commands = [
  '/usr/sbin/chfs -a freeze=<number> <path>',
  '/usr/sbin/splitlvcopy -f -y <name> <name> <number> <name>...',
  '/usr/sbin/lsvg',
  '/usr/bin/tar -cf - -C <path> .',
];

describe('leastPrivilege', () => {
  it('allows exactly the commands that are listed', () => {
    const lines = leastPrivilege({ user: 'backup', commands, path: '/usr/bin:/usr/sbin' });
    expect(lines).toEqual([
      'Defaults:backup !requiretty, user_command_timeouts, secure_path="/usr/bin:/usr/sbin"',
      'backup ALL=(root) NOPASSWD: /usr/bin/tar ^-cf - -C (/[A-Za-z0-9_][A-Za-z0-9_.-]*|/\\.splitmirror)+ \\.$',
      'backup ALL=(root) NOPASSWD: /usr/sbin/chfs ^-a freeze=[0-9]+ (/[A-Za-z0-9_][A-Za-z0-9_.-]*|/\\.splitmirror)+$',
      'backup ALL=(root) NOPASSWD: /usr/sbin/lsvg ""',
      'backup ALL=(root) NOPASSWD: /usr/sbin/splitlvcopy ^-f -y [A-Za-z0-9_][A-Za-z0-9_.:-]* [A-Za-z0-9_][A-Za-z0-9_.:-]* [0-9]+ [A-Za-z0-9_][A-Za-z0-9_.:-]*( [A-Za-z0-9_][A-Za-z0-9_.:-]*)*$',
    ]);
  });

  it.skipIf(!existsSync('/usr/sbin/visudo'))('writes what visudo takes', () => {
    const directory = mkdtempSync(join(tmpdir(), 'splitmirror-sudoers-'));
    const file = join(directory, 'splitmirror');
    const odd = ['/usr/bin/printf %s#a,b:c=d', '/usr/bin/test (a|b) [c] {d} ^e$', '/usr/bin/awk !a > 2 && $1 == "b"'];
    writeFileSync(file, `${leastPrivilege({ user: 'backup', commands: [...commands, ...odd] }).join('\n')}\n`, {
      mode: 0o440,
    });
    expect(execFileSync('/usr/sbin/visudo', ['-c', '-f', file], { encoding: 'utf8' })).toContain('parsed OK');
    rmSync(directory, { recursive: true });
  });

  it.each([
    ['lsvg -o', 'absolute path'],
    ['/usr/sbin/lsvg <volume>', 'none of'],
    ["/usr/sbin/lsvg '$(id)'", 'cannot stand'],
    ['/usr/sbin/../bin/sh', 'absolute path'],
    ['/usr/sbin/lsvg\nroot', 'absolute path'],
  ])('refuses %j', (command, reason) => {
    expect(() => leastPrivilege({ user: 'backup', commands: [command] })).toThrow(reason);
  });

  it('refuses a login name that would be more', () => {
    expect(() => leastPrivilege({ user: 'ALL,%staff', commands })).toThrow('no login name');
  });
});
