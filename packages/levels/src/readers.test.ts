import { expect, it } from 'vitest';
import { readerOf } from './readers.ts';

it.each([
  ['oslevel -s', '7200-05-03-2148\n', { release: '7200' }],
  ['/usr/bin/oslevel -s', '7200-05-03-2148\n', { servicePack: 3 }],
  ['halevel -s', '7.2.5 SP2\n', { servicePack: 2 }],
])('%s has a reader', (command, text, expected) => {
  expect(readerOf(command)?.(text)).toMatchObject(expected);
});

it.each(['lslpp -L -q -c', 'lslpp -Lqc all', 'lslpp -qLc bos.rte', 'emgr -l', 'rpm -qa', 'instfix -icqk IV1'])(
  '%s has a reader, however its flags are spelled',
  (command) => expect(readerOf(command)).toBeTypeOf('function'),
);

it('has none for what nobody has documented', () => {
  expect(readerOf('emgr -lv3')).toBeUndefined();
  expect(readerOf('clRGinfo -s')).toBeUndefined();
});
