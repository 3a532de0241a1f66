/** A level of a fileset: version, release, modification, fix. */
export interface Vrmf {
  /** As printed; `06.01.0004.0011` and `6.1.4.11` are the same level. */
  readonly text: string;
  /** Four numbers from 0 to 9999; a part that was not printed is 0. */
  readonly parts: readonly [version: number, release: number, modification: number, fix: number];
}

const vrmfPattern = /^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?$/;

/**
 * Reads a level of two to four numeric parts.
 *
 * @returns `null` for every other text: RPM levels (`1.9-9`) and packing times of interim fixes have no order as V.R.M.F.
 */
export function parseVrmf(text: string): Vrmf | null {
  const match = vrmfPattern.exec(text);
  if (match === null) return null;
  const [, version, release, modification = 0, fix = 0] = match;
  return { text, parts: [Number(version), Number(release), Number(modification), Number(fix)] };
}

/** Orders levels part by part as numbers: 3.2.0.10 comes after 3.2.0.9. Negative when `a` is the lower one. */
export function compareVrmf(a: Vrmf, b: Vrmf): number {
  return a.parts[0] - b.parts[0] || a.parts[1] - b.parts[1] || a.parts[2] - b.parts[2] || a.parts[3] - b.parts[3];
}
