import { existsSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Shells that stand in for AIX's ksh88, by name; a test shows those that are not installed as skipped. */
export const shells: Readonly<Record<string, string>> = {
  dash: '/bin/dash',
  bash: '/bin/bash',
  ksh93: '/bin/ksh93',
  mksh: '/bin/mksh',
  busybox: busyboxShell(),
};

/** busybox is a shell only when it is called by that name. */
function busyboxShell(): string {
  const busybox = ['/usr/bin/busybox', '/bin/busybox'].find(existsSync);
  if (busybox === undefined) return '/bin/busybox';
  const link = join(mkdtempSync(join(tmpdir(), 'splitmirror-busybox-')), 'sh');
  symlinkSync(busybox, link);
  return link;
}
