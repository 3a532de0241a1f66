/**
 * A function for generated scripts: `run SECONDS COMMAND...` leaves the files out and err in `$work`, and the command's
 * status, or "timeout", in `$status`. The command reads the file `$input`.
 */
export const deadline = `# Asks a question under a deadline: run SECONDS COMMAND... leaves files out and err, and its status or "timeout".
# The watch looks every second whether it is still needed. No signal is sent to it: one may come before a shell is ready
# for it, or between two of its commands, and be lost.
input=/dev/null
run() {
  seconds=$1
  shift
  ( exec "$@" ) <"$input" >"$work/out" 2>"$work/err" &
  job=$!
  (
    n=0
    while kill -0 "$job"; do
      [ "$n" -ne "$seconds" ] || { : >"$work/late.$job"; kill -15 "$job"; }
      [ "$n" -lt $((seconds + 2)) ] || kill -9 "$job"
      sleep 1
      n=$((n + 1))
    done
  ) >/dev/null 2>&1 &
  wait "$job"
  status=$?
  [ ! -f "$work/late.$job" ] || status=timeout
}
`;

/** @throws RangeError for a path that a shell, SMIT or the ODM would take apart. */
export function checkPath(path: string): void {
  if (!/^\/[\w.+/-]+$/.test(path)) throw new RangeError(`not an absolute path of plain characters: ${path}`);
}

/** @throws RangeError for seconds that are not whole, or fewer than the least. */
export function checkSeconds(seconds: number, least: number): void {
  if (!Number.isInteger(seconds) || seconds < least) {
    throw new RangeError(`not whole seconds, or fewer than ${least}: ${seconds}`);
  }
}
