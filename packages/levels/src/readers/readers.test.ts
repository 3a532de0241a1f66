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

it.each([
  '# oslevel -s',
  'root@east:/ # /usr/bin/oslevel -s',
  'LC_ALL=C LANG=C oslevel -s',
  'sudo -n oslevel -s',
  'timeout 60 oslevel -s 2>/dev/null',
  'oslevel -s > /tmp/east.txt',
  'oslevel -s -f (on east)',
  'oslevel -s; date',
])('%s is oslevel -s', (command) => {
  expect(readerOf(command)?.('7200-05-03-2148\n')).toMatchObject({ build: '2148' });
});

it.each([
  ['odmget -q "object = VERBOSE_LOGGING" HACMPnode', 'HACMPnode:\n\tversion = 16\n', [16]],
  [
    'lslpp -ha "cluster.*"',
    'Path: /usr/lib/objrepos\n  cluster.es.server.rte\n  7.2.5.0  COMMIT  COMPLETE  02/11/21  10:31:07\n',
    [{ action: 'COMMIT' }],
  ],
  ['lsmcode -r -d ent0', 'C0512\n', [{ device: 'ent0', levels: [{ type: null, level: 'C0512' }] }]],
  ['/usr/ios/cli/ioscli ioslevel', '3.1.3.21\n', '3.1.3.21'],
])('%s is read by the form that it has', (command, text, expected) => {
  const value = readerOf(command)?.(text);
  if (typeof expected === 'string') expect(value).toBe(expected);
  else expect(value).toMatchObject(expected);
});

it('has none for what nobody has documented', () => {
  expect(readerOf('emgr -lv3')).toBeUndefined();
  expect(readerOf('lslpp -hc')).toBeUndefined();
  expect(readerOf('clRGinfo -s')).toBeUndefined();
});
