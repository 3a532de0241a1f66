import { execFileSync } from 'node:child_process';
import { members } from '@splitmirror/host';
import { expect, it } from 'vitest';
import { stanzaRemoval } from './steps.ts';

it('stanzaRemoval takes out one stanza and no other byte, comments included', () => {
  const before = '* site file\n\n/shop:\n\tdev\t\t= /dev/shoplv\n';
  const ours = '/splitmirror/k3f9q2/datalv:\n\tdev\t\t= /dev/fslv01\n';
  const after = '\n/splitmirror/k3f9q2/datalv2:\n\tdev\t\t= /dev/other\n';
  const drop = stanzaRemoval('/splitmirror/k3f9q2/datalv').flatMap(([step]) => members(step.run))[3];
  const [awk = '', ...words] = drop?.argv ?? [];
  const run = (text: string) => execFileSync(awk, words, { input: text, encoding: 'utf8' });
  expect(awk).toBe('awk');
  expect(run(`${before}${ours}${after}`)).toBe(`${before}${after.slice(1)}`);
  // Left alone, the attributes after the comment would become those of the stanza before.
  const remarked = `${before}${ours}* not mounted at boot\n\tmount\t\t= false\n${after}`;
  expect(run(remarked)).toBe(`${before}* not mounted at boot\n${after.slice(1)}`);
});
