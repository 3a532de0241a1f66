/** The parts of a cluster's software that are judged differently. */
export type Family =
  /** What makes takeover work: cluster server, C-SPOC, GLVM. */
  | 'ha-server'
  /** The rest of `cluster.*`: client parts, development, Smart Assists. */
  | 'ha-client'
  /** Licence and edition markers. */
  | 'ha-edition'
  | 'rsct'
  | 'caa'
  | 'device'
  /** Messages, locales, manuals, help. */
  | 'language'
  | 'rpm'
  | 'other';

// The first pattern that fits counts. Only how grave a difference is hangs on it, never whether it is found.
const families: readonly (readonly [Family, RegExp])[] = [
  ['language', /(?:^|\.)(?:msg|loc|iconv|help|man|html|doc|nls)(?:\.|$)/],
  ['ha-edition', /^cluster\.(?:license|xd)(?:\.|$)/],
  ['ha-client', /^cluster\.(?:es\.(?:client|assist)|adt|doc)(?:\.|$)/],
  ['ha-server', /^(?:cluster|glvm)\./],
  ['rsct', /^rsct\.(?:core\.(?:rmc|utils)|basic\.(?:rte|hacmp))$/],
  ['caa', /^(?:bos\.cluster\.rte|bos\.ahafs|bos\.clvm\.enh|clic\.rte(?:\..+)?|devices\.common\.IBM\.storfwork\.rte)$/],
  ['device', /^devices\./],
];

/** The family of a fileset by its name. Names are case sensitive. */
export function familyOf(fileset: string): Family {
  return families.find(([, pattern]) => pattern.test(fileset))?.[0] ?? 'other';
}

/** Whether a fileset belongs to the cluster software at all. */
export function isOfCluster(fileset: string): boolean {
  return fileset.startsWith('cluster.') || fileset.startsWith('glvm.');
}
