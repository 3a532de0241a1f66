import { expect, it } from 'vitest';
import { parseIncidentLog } from './incident-log.ts';

const header = JSON.stringify({ kind: 'header', splitmirror: 1, at: 'x', group: 'g', policy: {}, nodes: ['a'] });
const end = JSON.stringify({ kind: 'end', at: 'x', verdict: 'good', codes: [] });

it('reads a log, also one whose last line is torn', () => {
  expect(parseIncidentLog(`${header}\n${end}\n`)).toHaveLength(2);
  expect(parseIncidentLog(`${header}\n${end.slice(0, 20)}`)).toHaveLength(1);
});

it.each(['null', '[]', '3', '{"kind":"call"}', '{"kind":"plan"}', '{"kind":"unheard of"}', '{'])(
  'refuses a log with the line %s in its middle',
  (line) => {
    expect(() => parseIncidentLog(`${header}\n${line}\n${end}\n`)).toThrow(
      expect.objectContaining({ code: 'LOG_UNREADABLE' }),
    );
  },
);
