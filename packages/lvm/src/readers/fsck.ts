/** What a check of a file system came to, in its own words. */
export interface CheckReport {
  /** Device, or `null` when it is not named. */
  readonly device: string | null;
  /** It says so; no word is not clean. */
  readonly clean: boolean;
  readonly dirty: boolean;
  /** Number of the message that ended it, for instance `0507-278`. */
  readonly fatal: string | null;
  /** `null` when the log was not replayed. */
  readonly logRedo: { readonly error: string | null } | null;
  /** Questions that it asked. */
  readonly prompts: readonly string[];
}

/** Reads what `fsck` of JFS2 prints. It is prose, so only the sentences that decide are looked for. */
export function readCheck(text: string): CheckReport {
  const find = (pattern: RegExp): string | null => pattern.exec(text)?.[1]?.trimEnd() ?? null;
  return {
    device: find(/^The current volume is: (\S+)/m),
    clean: /^\s*File system is clean\.?\s*$/m.test(text),
    dirty: /^\s*File system is dirty\.?\s*$/m.test(text),
    fatal: find(/^fsck: (\d{4}-\d{3}) /m),
    logRedo: /J2_LOGREDO:/.test(text) ? { error: find(/ERROR in j2_logredo[^,\n]*, ([^\n]*)/) } : null,
    prompts: Array.from(text.matchAll(/^([^\n]*; FIX\?)/gm), ([, prompt]) => prompt ?? ''),
  };
}
