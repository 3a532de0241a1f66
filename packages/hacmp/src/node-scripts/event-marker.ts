import { AIX_PATH, quote } from '@splitmirror/host';
import { checkPath } from './shell-deadline.ts';

/** What is fixed in an event script when it is made. */
export interface EventScriptOptions {
  /** Absolute path under which it is installed, the same on every node. */
  readonly path: string;
  /** Directory of this node for the markers; made by the script, for root only. */
  readonly spool: string;
  /** Value of PATH; default the places of AIX and HACMP. */
  readonly commands?: string | undefined;
}

/**
 * Makes the post-event script. A cluster manager waits for it, and so do all events behind it: it leaves a marker, by a
 * rename, and nothing else. It always ends with 0. What follows from the event is found out later, by cron and outside
 * of event processing ({@link crontabScript}).
 *
 * @throws RangeError for a path that is not absolute or not plain.
 */
export function eventScript({ path, spool, commands = AIX_PATH }: EventScriptOptions): string {
  checkPath(path);
  checkPath(spool);
  return `#!/bin/sh
# splitmirror event, made by @splitmirror/hacmp: leaves a marker that a cluster event has come by, and nothing else.
# To be registered as a post-event command. It always ends with 0 and waits for nothing.
#
#   ${path} [WORD...]     what the cluster manager says about the event is kept in the marker

spool=${quote(spool)}
PATH=${quote(commands)} LC_ALL=C
export PATH LC_ALL
umask 077
trap 'exit 0' 1 2 15

{ mkdir -p "$spool" && cd "$spool"; } 2>/dev/null && {
  date -u +%Y-%m-%dT%H:%M:%SZ
  tr -cd ' A-Za-z0-9_.:/=-' <<END
$*
END
  echo
} 2>/dev/null >"new.$$" && mv -f "new.$$" "event.$$.$(date -u +%Y%m%d%H%M%S)" 2>/dev/null || {
  rm -f "$spool/new.$$"
  echo "${path}: no marker could be left in $spool" >&2
}
exit 0
`;
}
