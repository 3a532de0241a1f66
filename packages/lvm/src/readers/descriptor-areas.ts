import { linesOf, nowhere, ParseError } from '@splitmirror/host';

/** The descriptor area on a disk: what `lqueryvg -Atp PV` prints. */
export interface DescriptorArea {
  /** Rows with one number, by label; labels are cut by the command itself and stand here without a colon. */
  readonly counts: Readonly<Record<string, string>>;
  /** Bytes of a physical partition. */
  readonly partitionBytes: number | null;
  readonly volumes: readonly { readonly identifier: string; readonly name: string; readonly copies: number }[];
  readonly disks: readonly { readonly identifier: string; readonly descriptors: number; readonly state: number }[];
}

/**
 * Reads what `lqueryvg -Atp PV` prints.
 *
 * @throws ParseError at the first line of another shape, and when a list is not as long as the area counts. Without any
 *   list the counts stand for themselves.
 */
export function parseDescriptorArea(text: string): DescriptorArea {
  const counts = new Map<string, string>();
  const volumes: { identifier: string; name: string; copies: number }[] = [];
  const disks: { identifier: string; descriptors: number; state: number }[] = [];
  const lines = linesOf(text);
  let list = '';
  for (const at of lines) {
    const [, label = '', value = ''] = /^(\S[^:]*?):?(?:\s{2,}|\t\s*|:\s+)(\S.*)$/.exec(at.text) ?? [];
    if (label !== '') list = label;
    const words = (label === '' ? at.text : value).trim().split(/\s+/);
    const [first = '', second = '', third = ''] = words;
    if (list === 'Logical' && words.length === 3 && /^\d+$/.test(third)) {
      volumes.push({ identifier: first, name: second, copies: Number(third) });
    } else if (list === 'Physical' && words.length === 3 && /^\d+$/.test(second) && /^\d+$/.test(third)) {
      disks.push({ identifier: first, descriptors: Number(second), state: Number(third) });
    } else if (label !== '' && words.length === 1 && !counts.has(label)) {
      counts.set(label, value);
    } else {
      throw new ParseError('lqueryvg', 'not a row', at);
    }
  }
  const isListed = volumes.length + disks.length > 0;
  for (const [label, rows] of Object.entries({ 'LV count': volumes, 'PV count': disks })) {
    const count = counts.get(label);
    if (isListed && count !== undefined && Number(count) !== rows.length)
      throw new ParseError('lqueryvg', `${label}: not as many rows`, lines.at(-1) ?? nowhere);
  }
  const exponent = counts.get('PP Size');
  const partitionBytes = exponent === undefined ? null : 2 ** Number(exponent);
  return { counts: Object.fromEntries(counts), volumes, disks, partitionBytes };
}
