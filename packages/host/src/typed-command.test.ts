import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf } from './lines.ts';
import { readTypedCommand, withoutPrompts } from './typed-command.ts';

const read = (line: string) => readTypedCommand(line, (program) => program === 'lsvg');

describe('readTypedCommand', () => {
  it.each([
    'lsvg -l datavg',
    '  /usr/sbin/lsvg  -l   datavg ',
    'LANG=C LC_ALL=C lsvg -l datavg',
    'sudo -n -u root /usr/sbin/lsvg -l "datavg"',
    'ssh -q node1 timeout 30 lsvg -l datavg',
    'root@db1:/home # lsvg -l datavg',
    '[db1] root $ lsvg -l datavg',
    '# lsvg -l datavg',
  ])('finds the command in: %s', (line) => {
    expect(read(line)).toEqual({
      program: 'lsvg',
      words: ['-l', 'datavg'],
      options: 'l',
      operands: ['datavg'],
      rest: '',
    });
  });

  it.each([
    ['lsvg -o | more', '| more'],
    ['lsvg -o 2>/dev/null', ' 2>/dev/null'],
    ['lsvg -o; lspv', '; lspv'],
    ['lsvg -o # what is on', ' # what is on'],
    ['lsvg -o (on the standby)', '(on the standby)'],
  ])('takes what follows apart from it: %s', (line, rest) => {
    expect(read(line)).toMatchObject({ program: 'lsvg', options: 'o', operands: [], rest });
  });

  it('ends no command within quotes', () => {
    expect(read(`lsvg "a | b" 'c # d'`)).toMatchObject({ words: ['a | b', 'c # d'], rest: '' });
  });

  it('leaves nothing where nothing is', () => {
    expect(read('')).toEqual({ program: '', words: [], options: '', operands: [], rest: '' });
  });

  it('takes any text, and not longer for a hostile one', () => {
    fc.assert(
      fc.property(fc.string(), (line) => {
        expect(read(line).program).not.toContain('/');
      }),
    );
    for (const part of ['sudo -u ', '# ', '"', "' ", 'a=b ', 'nice 1 ', ' ( ']) read(part.repeat(20_000));
  });
});

describe('withoutPrompts', () => {
  const typed = read('lsvg -o');

  it('blanks out the repeated command and the next prompt, and keeps the numbers of the lines', () => {
    expect(withoutPrompts('\ndb1 # lsvg -o\ndatavg\nrootvg\ndb1 #\n', typed)).toBe('\n\ndatavg\nrootvg\n\n');
    expect(linesOf(withoutPrompts('# lsvg -o\r\ndatavg\r\n', typed))).toEqual([{ line: 2, text: 'datavg' }]);
  });

  it.each(['datavg\nrootvg\n', '# NAME:STATE\nnode:UP\n', 'db1 # lspv\nhdisk0\n'])(
    'leaves other text as it is: %j',
    (text) => {
      expect(withoutPrompts(text, typed)).toBe(text);
    },
  );
});
