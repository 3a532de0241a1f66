import { type Command, reads } from '@splitmirror/host';

/** Level of a node's operating system. */
export interface AixLevel {
  /** Version and release as one number to compare: 7.2 is 702. */
  readonly release: number;
  readonly technologyLevel: number;
}

/** `oslevel -r`. */
export function askLevel(): Command {
  return reads('oslevel', '-r');
}

/** Reads what `oslevel -r` prints, for instance `7200-04`; `null` for anything else: no level is guessed. */
export function readLevel(text: string): AixLevel | null {
  const [, version, release, technologyLevel] = /^([4-9])(\d)\d\d-(\d\d)$/.exec(text.trim()) ?? [];
  if (version === undefined) return null;
  return { release: Number(version) * 100 + Number(release), technologyLevel: Number(technologyLevel) };
}

/** Whether `syncvg` knows `-T`. */
export function knowsRate(level: AixLevel | null): boolean {
  return level !== null && level.release >= 702;
}
