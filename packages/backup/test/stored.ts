import type { ArchiveRecord, Manifest } from '../src/store/manifest.ts';

/** A manifest as a good run of group `g` writes it. */
export const manifestOf = (run: string, changed: Partial<Manifest> = {}): Manifest => ({
  splitmirror: 2,
  run,
  group: 'g',
  node: 'a',
  createdAt: '2026-11-22T10:00:00.000Z',
  committedAt: '2026-11-22T10:05:00.000Z',
  planDigest: '0'.repeat(64),
  consistency: { level: 'file-system', evidence: {}, groups: [] },
  redundancy: {
    splitAt: '2026-11-22T10:01:00.000Z',
    wholeAt: '2026-11-22T10:04:00.000Z',
    exposedSeconds: 180,
    copiesLeft: 1,
    volumes: [{ volume: 'datalv', copies: 2, copiesLeft: 1 }],
  },
  levels: { kind: 'pass' },
  proofs: [],
  facts: {},
  archives: [],
  leftOut: [],
  suspicions: [],
  judgedAgainst: 0,
  parent: null,
  ...changed,
});

/** An archive of a file system, as it came. */
export const archiveOf = (volume: string, changed: Partial<ArchiveRecord> = {}): ArchiveRecord => ({
  volume,
  mountPoint: `/${volume}`,
  tool: 'tar',
  command: `tar -cf - -C /splitmirror/${volume} .`,
  file: `${volume}.tar`,
  bytes: 1000,
  sha256: '0'.repeat(64),
  entries: 10,
  catalogue: `${volume}.tar.catalogue.ndjson`,
  warnings: [],
  compression: 'none',
  recipients: null,
  stored: { bytes: 1000, sha256: '0'.repeat(64) },
  snapshot: null,
  seconds: 10,
  ...changed,
});
