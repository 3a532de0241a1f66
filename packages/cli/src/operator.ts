import { hostname, userInfo } from 'node:os';

/** Who types, for records: the login that called sudo, where it was called, the user, and the machine. */
export function operatorName(): string {
  const user = userName();
  const { SUDO_USER: caller } = process.env;
  return `${caller === undefined || caller === user ? user : `${caller} as ${user}`}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A number that no list of users has, as in a container.
    return `uid ${process.getuid?.()}`;
  }
}
