import type { Problem } from '@splitmirror/backup';
import type { Reporter } from '../reporter.ts';

/** Warns that what a drill or a verification has found is not beside its backup: `list` will not know of it. */
export function warnUnrecorded(reporter: Reporter, run: string, unrecorded: Problem | null): void {
  if (unrecorded !== null) reporter.warn(`${run}: the store did not record what was found: ${unrecorded.message}`);
}
