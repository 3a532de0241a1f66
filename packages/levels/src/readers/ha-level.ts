import { ParseError } from '@splitmirror/host';
import { onlyLine } from './lines.ts';
import { compareVrmf, parseVrmf } from './vrmf.ts';

/** The PowerHA product level as `halevel -s` prints it: `7.2.2 SP1`, `7.1.3 GA`. */
export interface HaLevel {
  readonly text: string;
  /** Version, release, modification: `7.2.2`. */
  readonly version: string;
  /** 0 for `GA`, which means no service pack; `null` when none was printed (`halevel` without `-s`). */
  readonly servicePack: number | null;
}

const haLevelPattern = /^(\d{1,4}(?:\.\d{1,4}){1,3})(?:\s+(?:GA|SP(\d{1,4})))?$/;

/**
 * Reads what `halevel` or `halevel -s` prints.
 *
 * @throws ParseError when the answer is anything else.
 */
export function parseHaLevel(text: string): HaLevel {
  const at = onlyLine('halevel -s', text);
  const [, version, pack] = haLevelPattern.exec(at.text) ?? [];
  if (version === undefined) throw new ParseError('halevel -s', 'not a level', at);
  const none = at.text === version ? null : 0;
  return { text: at.text, version, servicePack: pack === undefined ? none : Number(pack) };
}

/** Orders by version, then service pack; what was not printed comes first. */
export function compareHaLevels(a: HaLevel, b: HaLevel): number {
  const [left, right] = [parseVrmf(a.version), parseVrmf(b.version)];
  return (
    (left === null || right === null ? 0 : compareVrmf(left, right)) || (a.servicePack ?? -1) - (b.servicePack ?? -1)
  );
}
