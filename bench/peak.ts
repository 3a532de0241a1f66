import { readFileSync } from 'node:fs';

/** Peak of this program's memory. What `resourceUsage` tells includes that of the process which started it, on Linux. */
export function peakMiB(): number {
  const kib =
    process.platform === 'linux' ? /^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] : undefined;
  return Number(kib ?? process.resourceUsage().maxRSS) / 1024;
}
