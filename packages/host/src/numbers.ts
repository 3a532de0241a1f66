/**
 * Refuses a number that is not what its option counts: NaN, a fraction, or one beyond its range.
 *
 * @param option How the caller knows it, for instance `maxOutputBytes`. Left out (`undefined`), it is not looked at.
 * @param to The largest; `Infinity` where that may stand for no bound, or for not known.
 * @throws RangeError naming the option and what it may be.
 */
export function requireWhole(
  option: string,
  value: number | undefined,
  from: number,
  to: number = Number.MAX_SAFE_INTEGER,
): void {
  if (value === undefined || value === to || (Number.isSafeInteger(value) && value >= from && value <= to)) return;
  const range = to >= Number.MAX_SAFE_INTEGER ? `from ${from}` : `from ${from} to ${to}`;
  throw new RangeError(`${option} must be a whole number ${range}: it is ${value}`);
}
