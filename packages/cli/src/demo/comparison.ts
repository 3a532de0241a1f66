import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunPlan, restoreBackup, type StoredBackup } from '@splitmirror/backup';
import { verifyLedger } from '@splitmirror/lab';
import { bytesText } from '../units.ts';
import { check } from './check.ts';

/** Every file of the restored trees against what the lab saw at the instant of the split, and the ledger's own books. */
export async function compare(
  backup: StoredBackup,
  plan: RunPlan,
  { lab, restored }: { readonly lab: string; readonly restored: string },
  say: (line: string) => void,
): Promise<void> {
  const { volumes } = await restoreBackup(backup, restored);
  let compared = 0;
  for (const { volume, path } of volumes) {
    const copy = plan.mirror.volumes.find((planned) => planned.volume === volume)?.copy ?? '';
    const truth = JSON.parse(await readFile(join(lab, 'truth', `${copy}.json`), 'utf8')) as Truth;
    if (truth.kind === 'raw') {
      check((await digestOf(path)) === truth.sha256, `${volume}: the bytes differ from those at the split`);
      compared += 1;
      continue;
    }
    const files = truth.files.filter(({ path: name, kind }) => kind === 'file' && !isNote(name));
    const expected = new Map(files.map((entry) => [entry.path, entry.sha256]));
    const found = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    for (const entry of found) {
      const full = join(entry.parentPath, entry.name);
      const name = full.slice(path.length + 1);
      check(
        expected.get(name) === (await digestOf(full)),
        `${volume}: ${name} differs from what stood there at the split`,
      );
      expected.delete(name);
      compared += 1;
    }
    check(expected.size === 0, `${volume}: ${[...expected.keys()][0]} is missing`);
  }
  const bytes = volumes.reduce((sum, volume) => sum + volume.bytes, 0);
  say(`  ${compared} files, ${bytesText(bytes)}: each is byte for byte what stood there at the split`);
  const parts = (volume: string) => join(restored, volume);
  const books = verifyLedger({ journal: parts('journallv'), accounts: parts('accountslv'), audit: parts('auditlv') });
  check(books.kind === 'consistent', `the ledger is torn: ${books.kind === 'torn' ? books.problems.join('; ') : ''}`);
  if (books.kind === 'consistent')
    say(`  the ledger agrees across both file systems and the raw volume: ${books.records} bookings`);
}

/** What the lab writes down when a copy is split. */
type Truth =
  | {
      readonly kind: 'files';
      readonly files: readonly { readonly path: string; readonly kind: string; readonly sha256: string }[];
    }
  | { readonly kind: 'raw'; readonly sha256: string };

function isNote(path: string): boolean {
  return /^(?:\.\/)?\.splitmirror(?:\/|$)/.test(path);
}

async function digestOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
