/** The first time that a `Date` can hold, in milliseconds. */
const earliestMs = -8.64e15;

/**
 * A time of an archive as `utimes` of Node.js takes it. That function takes a negative number, a time before 1970, for
 * the present; only of a `Date` does it believe one.
 *
 * @param mtime Seconds since 1970.
 */
export function fileTime(mtime: number): number | Date {
  return mtime < 0 ? new Date(Math.max(mtime * 1000, earliestMs)) : mtime;
}
