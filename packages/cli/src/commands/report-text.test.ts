import { expect, it } from 'vitest';
import { directionsWith } from '../command-line.ts';
import { reportText } from './report-text.ts';

const problem = { code: 'STEP_FAILED', node: 'db1', message: '"false" ended with 1', seen: '', remedy: 'Mend it.' };

it.each([
  [
    'failed',
    '  the mirror is whole again and nothing of this run is left on any node: mend the cause, and back up again',
  ],
  ['interrupted', '  the mirror is whole again and nothing of this run is left on any node'],
] as const)('says of a run that %s and left nothing what to do', (kind, line) => {
  const recovery = { kind: 'whole', performed: [], unseen: [] } as const;
  const verdict = { kind, problems: [problem], committed: false, recovery } as const;
  const text = reportText({ verdict, directory: null, archives: [] }, directionsWith(undefined));
  expect(text).toEqual([kind, '  STEP_FAILED (db1): "false" ended with 1', '    Mend it.', line]);
});
