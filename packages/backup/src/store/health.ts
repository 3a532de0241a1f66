import type { Manifest } from './manifest.ts';
import { type BackupRecord, type DrillRecord, drillLevels } from './records.ts';

/** How sure it is that a complete backup can be restored: whatever lists, shows, keeps or counts backups goes by this. */
export interface BackupHealth {
  /**
   * `good`: whole, checked when it was made, and not off its history, or accepted by a person. `suspicious`: whole, and off
   * its history. `damaged`: a drill or a verification failed, and none of that level has passed since. `rejected`: a person
   * gave it up.
   */
  readonly health: 'good' | 'suspicious' | 'damaged' | 'rejected';
  /** Why it is not good, each in one line. */
  readonly reasons: readonly string[];
  /** The last drill that was passed at the highest level since the last one that failed; `null` for what is damaged. */
  readonly proven: DrillRecord | null;
}

/** Judges a complete backup by its own verdict, by the drills since, and by what a person decided last. Pure. */
export function healthOf({
  manifest,
  records,
}: {
  readonly manifest: Pick<Manifest, 'suspicions'>;
  readonly records: readonly BackupRecord[];
}): BackupHealth {
  const judgement = records.findLast((record) => record.kind === 'judgement');
  const odd = manifest.suspicions.map(({ message }) => message);
  const judged = judgement === undefined ? [] : [`${judgement.verdict} by ${judgement.by}: ${judgement.reason}`];
  if (judgement?.verdict === 'rejected') {
    return { health: 'rejected', reasons: [...odd, ...judged], proven: provenBy(records) };
  }
  const failed = failureIn(records);
  if (failed !== null) return { health: 'damaged', reasons: [...failed.problems, ...odd, ...judged], proven: null };
  if (odd.length > 0 && judgement === undefined) {
    return { health: 'suspicious', reasons: odd, proven: provenBy(records) };
  }
  return { health: 'good', reasons: [], proven: provenBy(records) };
}

/** The failed drill that counts: none of its level has passed since, and no person has judged the backup since. */
function failureIn(records: readonly BackupRecord[]): DrillRecord | null {
  let failed: DrillRecord | null = null;
  const rank = ({ level }: DrillRecord) => drillLevels.indexOf(level);
  for (const record of records) {
    if (record.kind === 'judgement') failed = null;
    else if (record.outcome === 'failed') failed = failed !== null && rank(failed) > rank(record) ? failed : record;
    else if (failed !== null && rank(record) >= rank(failed)) failed = null;
  }
  return failed;
}

/** A failed drill takes back what was proved before it. */
function provenBy(records: readonly BackupRecord[]): DrillRecord | null {
  const drills = records.filter((record) => record.kind === 'drill');
  const since = drills.slice(drills.findLastIndex(({ outcome }) => outcome === 'failed') + 1);
  for (const level of [...drillLevels].reverse()) {
    const found = since.findLast((drill) => drill.level === level);
    if (found !== undefined) return found;
  }
  return null;
}
