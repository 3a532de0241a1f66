/** Whether a line is a message of AIX, such as `0513-056 Timeout waiting for command response.`, alone or behind a name. */
export function isMessage(line: string): boolean {
  return /^(?:\S+\s+)?\d{4}-\d{3}/.test(line);
}
