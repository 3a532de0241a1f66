import { dd } from '@splitmirror/archive';
import { members, quote } from '@splitmirror/host';
import type { ArchiveRecord, Manifest } from '../store/manifest.ts';
import { leftOutText } from './coverage.ts';

/** Name of the file that {@link sumsOf} makes, as `sha256sum -c` reads it. */
export const sumsName = 'SHA256SUMS';

/** Digests of everything that lies beside the manifest. */
export function sumsOf(
  manifest: Manifest,
  others: readonly { readonly file: string; readonly sha256: string }[],
): string {
  const archives = manifest.archives
    .filter(({ snapshot }) => snapshot === null)
    .map(({ file, stored }) => ({ file, sha256: stored.sha256 }));
  return [...archives, ...others].map(({ file, sha256 }) => `${sha256}  ${file}\n`).join('');
}

/** What a person needs who has this directory, a shell, and nothing of splitmirror. */
export function guideOf(manifest: Manifest): string {
  const { run, group, node, createdAt, consistency, archives, leftOut, suspicions } = manifest;
  const inRepository = archives.some(({ snapshot }) => snapshot !== null);
  const encrypted = archives.some(({ recipients }) => recipients !== null);
  return `${[
    `Backup of the resource group ${group}, made from node ${node} by splitmirror.`,
    `run ${run}, started ${createdAt}, committed ${manifest.committedAt}`,
    `consistency: ${consistency.level}`,
    ...(leftOut.length === 0 ? [] : [`left out on purpose: ${leftOut.map(leftOutText).join(', ')}`]),
    ...(suspicions.length === 0 ? [] : ['', 'SUSPICIOUS:', ...suspicions.map(({ message }) => `  ${message}`)]),
    '',
    'manifest.json    what this backup is: archives, digests, the proofs of ownership',
    '*.catalogue.ndjson  one line for each entry of an archive, with the digest of its content',
    'journal.ndjson   what the run did, in order; its first line is the plan',
    `${sumsName}       digests of the files here`,
    '',
    ...(inRepository
      ? [
          'The archives lie in a restic repository. Before the commands below, name it and its password, for instance:',
          '',
          '  export RESTIC_REPOSITORY=... RESTIC_PASSWORD_FILE=...',
          '',
        ]
      : []),
    ...(encrypted
      ? ['The archives are encrypted (https://age-encryption.org). key.txt below is the file with your identity.', '']
      : []),
    'To check the files, in this directory:',
    '',
    `  sha256sum -c ${sumsName}`,
    ...archives
      .filter(({ snapshot }) => snapshot !== null)
      .map((record) => `  ${readingText(record)} | sha256sum   # ${record.stored.sha256}`),
    '',
    'To extract them, where DIRECTORY is an empty one, and DEVICE a volume of at least the size that stands here:',
    '',
    ...archives.map(extractingText),
    '',
    'On AIX, tar reads a pipe with -B: tar -xpBf - -C DIRECTORY',
  ].join('\n')}\n`;
}

/** Whether an archive of a raw volume begins with the volume's control block, as the command that made it tells. */
export function lvcbOf({ command }: Pick<ArchiveRecord, 'command'>): 'keep' | 'skip' {
  return / skip=1$/.test(command) ? 'skip' : 'keep';
}

/** What a person types on a node to bring a raw volume that was restored to a file into its device, whose name needs no quotes. */
export function deviceCommand(record: Pick<ArchiveRecord, 'command'>, file: string, device: string): string {
  const words = members(dd.restore({ device, lvcb: lvcbOf(record) })).flatMap(({ argv }) => argv);
  return `${words.join(' ')} < ${quote(file)}`;
}

function extractingText(record: ArchiveRecord): string {
  const place = record.mountPoint === null ? `raw volume ${record.volume}, ${record.bytes} bytes` : record.mountPoint;
  const stages = [
    readingText(record),
    ...(record.recipients === null ? [] : ['age -d -i key.txt']),
    ...(record.compression === 'none' ? [] : [record.compression === 'gzip' ? 'gzip -dc' : 'zstd -dc']),
    record.tool === 'tar'
      ? 'tar -xpf - -C DIRECTORY'
      : `dd of=DEVICE ${lvcbOf(record) === 'keep' ? 'obs=1024k' : 'obs=512 seek=1'}`,
  ];
  return `  ${stages.join(' | ')}   # ${place}`;
}

function readingText({ snapshot, file }: ArchiveRecord): string {
  return snapshot === null ? `cat ${quote(file)}` : `restic dump ${snapshot} ${quote(file)}`;
}
