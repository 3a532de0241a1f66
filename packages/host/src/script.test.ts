import { describe, expect, it } from 'vitest';
import { reads } from './command.ts';
import { checkScript, renderSteps, type Step } from './script.ts';
import { renderScript } from './shell.ts';

const good: Step = { id: 'read:/data', run: reads('lsvg'), timeoutSeconds: 10 };

describe('checkScript', () => {
  it.each<[string, readonly Step[], string]>([
    ['an id with a blank', [{ ...good, id: 'a b' }], 'step id "a b" is not allowed'],
    ['an empty id', [{ ...good, id: '' }], 'step id "" is not allowed'],
    ['the same id twice', [good, good], 'step id read:/data is used twice'],
    ['no deadline', [{ ...good, timeoutSeconds: 0 }], 'step read:/data: timeoutSeconds'],
    [
      'a deadline that no node counts to',
      [{ ...good, timeoutSeconds: 2 ** 31 }],
      'from 1 to 2147483647: it is 2147483648',
    ],
    ['half a second', [{ ...good, timeoutSeconds: 1.5 }], 'step read:/data: timeoutSeconds'],
    ['a standard input without a final line feed', [{ ...good, stdin: 'y' }], 'step read:/data: stdin'],
    ['a standard input that no bytes can say', [{ ...good, stdin: '\ud800\n' }], 'step read:/data: stdin'],
    ['no program', [{ ...good, run: reads('') }], 'step read:/data: "" is no program'],
    ['an option for a program', [{ ...good, run: reads('-c', 'id') }], 'step read:/data: "-c" is no program'],
    [
      'the same in a pipeline',
      [{ ...good, run: { pipe: [reads('ls'), reads('-a')] } }],
      'step read:/data: "-a" is no program',
    ],
    ['a payment for what does not come before', [{ ...good, pays: ['later'] }], 'step read:/data names later'],
    ['a need for itself', [{ ...good, needs: ['read:/data'] }], 'step read:/data names read:/data'],
  ])('refuses %s', (_, steps, message) => {
    expect(() => checkScript({ steps })).toThrow(RangeError);
    expect(() => checkScript({ steps })).toThrow(message);
  });

  it('takes what is undefined for what is left out', () => {
    const open = { stdin: undefined, onFailure: undefined, onRefusal: undefined, pays: undefined, needs: undefined };
    const settings = { path: '/usr/bin', sudo: undefined };
    const steps: readonly Step[] = [{ ...good, ...open }];
    expect(renderScript({ steps }, 'nonce', settings)).toBe(renderScript({ steps: [good] }, 'nonce', settings));
  });

  it('takes a script without steps', () => {
    expect(() => checkScript({ steps: [] })).not.toThrow();
  });
});

describe('renderSteps', () => {
  it('gives one line a step', () => {
    expect(
      renderSteps({ steps: [good, { ...good, id: 'b', run: { pipe: [reads('ls'), reads('wc', '-l')] } }] }),
    ).toEqual(['lsvg', 'ls | wc -l']);
  });
});
