/** Whether a line is a message of AIX, such as `0513-056 Timeout waiting for command response.`, alone or behind a name. */
export function isMessage(line: string): boolean {
  return /^(?:\S+\s+)?\d{4}-\d{3}/.test(line);
}

/** Whether a line says of itself that it warns, or comes from a command by its name. It may end in a colon, as a label does. */
export function isWarning(line: string): boolean {
  return /^\s*(?:warning|error|attention|caution|lsvg|lscluster)\b/i.test(line);
}
