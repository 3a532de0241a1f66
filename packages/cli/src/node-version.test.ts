import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { refusalOfNode } from './node-version.ts';

it.each([
  ['20.20.2', false],
  ['22.11.9', false],
  ['22.12.0', true],
  ['24.21.0', true],
  ['26.0.0', true],
])('takes Node.js %s: %s', (version, isTaken) => expect(refusalOfNode(version) === null).toBe(isTaken));

it('asks for what the package asks for', () => {
  const [, oldest = ''] = />=([\d.]+)/.exec(manifest.engines.node) ?? [];
  expect(refusalOfNode(oldest)).toBeNull();
  expect(refusalOfNode('18.0.0')).toContain(`Node.js ${oldest} or newer`);
});
