import { AIX_PATH, quote } from '@splitmirror/host';
import { checkPath, checkSeconds, deadline } from './shell-deadline.ts';

/** What is fixed in a release script when it is made. */
export interface ReleaseScriptOptions {
  /** Absolute path under which it is installed, the same on every node. */
  readonly path: string;
  /** Value of PATH; default the places of AIX and HACMP. */
  readonly commands?: string | undefined;
  /** Whole seconds for each command; default 20. */
  readonly timeoutSeconds?: number | undefined;
}

/**
 * Makes the script that lets go of split copies before a volume group is released: a mounted copy keeps it open, and the
 * move of the group fails. It ends what reads a copy and unmounts it. It touches a volume only when its name carries our
 * mark, and a mount only when volume and mount point carry the same run.
 *
 * It always ends with 0: what it could not let go, the release will meet anyway.
 *
 * @throws RangeError for a path that is not absolute or not plain, and for seconds that are not whole.
 */
export function releaseScript({ path, commands = AIX_PATH, timeoutSeconds = 20 }: ReleaseScriptOptions): string {
  checkPath(path);
  checkSeconds(timeoutSeconds, 1);
  return String.raw`#!/bin/sh
# splitmirror release, made by @splitmirror/hacmp: unmounts the split copies of volume groups that are about to be
# released. For the end of an application's stop script, or a pre-event command. It always ends with 0.
#
#   ${path} [VOLUMEGROUP...]    without volume groups: all copies on this node
#
# A backup that was reading a copy fails; the next run, or "recover", brings the mirror back where the group is then.

self=${quote(path)}
limit=${timeoutSeconds}
PATH=${quote(commands)} LC_ALL=C
export PATH LC_ALL

${deadline}
# Names of split copies, and nothing else: sm, the run, the number of copies, two digits, perhaps a letter for the strategy.
ours='^sm[a-z][a-z0-9][a-z0-9][a-z0-9][a-z0-9][a-z0-9][123][0-9][0-9][acdef]?$'

# Copies of a volume group: its list does not wait for a lock. Fails when there is no list.
copies_of() {
  run "$limit" lsvg -L -l "$1"
  [ "$status" = 0 ] || return 1
  awk -v ours="$ours" '$1 ~ ours { print $1 }' "$work/out" >>"$work/copies"
}

# Copies that are mounted where copies of their run are mounted: volume and mount point.
mounted() {
  run "$limit" mount
  awk -v ours="$ours" '
    $1 ~ /^\/dev\// {
      volume = substr($1, 6)
      if (volume ~ ours && index($2, "/splitmirror/" substr(volume, 3, 6) "/") == 1) print volume, $2
    }' "$work/out"
}

say() {
  echo "$self: $1" >&2
}

[ -n "$TMPDIR" ] || TMPDIR=/tmp
work=$TMPDIR/splitmirror-release.$$
( umask 077 && mkdir "$work" ) || exit 0
trap 'rm -rf "$work"' 0
trap 'exit 0' 1 2 15

: >"$work/copies"
everything=no
[ $# -gt 0 ] || everything=yes
for vg in "$@"; do
  copies_of "$vg" || {
    say "$vg cannot be listed: every copy on this node is let go"
    everything=yes
  }
done
mounted >"$work/mounted"
[ "$everything" = no ] || awk '{ print $1 }' "$work/mounted" >>"$work/copies"

for volume in $(sort -u "$work/copies"); do
  place=$(awk -v volume="$volume" '$1 == volume { print $2 }' "$work/mounted")
  # By device, never by directory: "fuser -c" of a directory that was unmounted meanwhile means the file system above it.
  if [ -n "$place" ]; then
    n=0
    until run "$limit" umount "$place"; [ "$status" = 0 ] || [ "$n" -ge 3 ]; do
      run "$limit" fuser -k "/dev/$volume"
      sleep 1
      n=$((n + 1))
    done
    say "$volume: umount $place ended with $status"
  fi
  run "$limit" fuser -k "/dev/r$volume"
done
mounted >"$work/left"
while read volume place; do
  if grep -x "$volume" "$work/copies" >/dev/null; then say "$volume is still mounted on $place"; fi
done <"$work/left"
exit 0
`;
}
