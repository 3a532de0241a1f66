import { type OsLevel, osLevelOf } from './readers/os-level.ts';

/** The least level of AIX that a PowerHA level asks for, within one technology level. */
export interface MinimumLevel {
  /** PowerHA version, release and modification: `7.2.0`. */
  readonly haVersion: string;
  /** Least service pack within that technology level: `7100-03-05`. Later technology levels of the release are taken as enough. */
  readonly osLevel: string;
  /** Where it is written. */
  readonly source: string;
}

/**
 * The levels that were found in public texts. IBM's full matrix (techdoc TD101347) was not; bring your own table for
 * other levels.
 */
export const minimumLevels: readonly MinimumLevel[] = [
  { haVersion: '7.1.0', osLevel: '6100-06', source: 'kb.ictbanking.net, article 146' },
  { haVersion: '7.1.0', osLevel: '7100-00', source: 'kb.ictbanking.net, article 146' },
  { haVersion: '7.2.0', osLevel: '6100-09-05', source: 'IBM Redbook SG24-8278' },
  { haVersion: '7.2.0', osLevel: '7100-03-05', source: 'IBM Redbook SG24-8278' },
  { haVersion: '7.2.0', osLevel: '7100-04-01', source: 'IBM Redbook SG24-8278' },
  { haVersion: '7.2.0', osLevel: '7200-00-01', source: 'IBM Redbook SG24-8278' },
];

/** Whether a level of AIX is enough. */
type MinimumVerdict =
  | { readonly kind: 'enough'; readonly rule: MinimumLevel }
  | { readonly kind: 'below'; readonly rule: MinimumLevel }
  /** The table says nothing about this PowerHA level, or nothing about this release of AIX under it. */
  | { readonly kind: 'no-rule' };

/** Judges a level of AIX under a PowerHA version by a table. */
export function judgeMinimum(haVersion: string, actual: OsLevel, table: readonly MinimumLevel[]): MinimumVerdict {
  const known = table.flatMap((rule) => {
    const level = rule.haVersion === haVersion ? osLevelOf(rule.osLevel) : null;
    return level !== null && level.release === actual.release ? [{ rule, level }] : [];
  });
  const same = known.find(({ level }) => level.technologyLevel === actual.technologyLevel);
  if (same !== undefined) {
    return { kind: packOf(actual) >= packOf(same.level) ? 'enough' : 'below', rule: same.rule };
  }
  const [lowest] = known.toSorted((a, b) => a.level.technologyLevel - b.level.technologyLevel);
  if (lowest === undefined) return { kind: 'no-rule' };
  return { kind: actual.technologyLevel > lowest.level.technologyLevel ? 'enough' : 'below', rule: lowest.rule };
}

function packOf({ servicePack }: OsLevel): number {
  return servicePack === 'CSP' ? 100 : (servicePack ?? 0);
}
