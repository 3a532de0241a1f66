import { ParseError } from '@splitmirror/host';
import { wholeLines } from './lines.ts';

/** The microcode levels of one device as `lsmcode -A` prints them. */
export interface Microcode {
  readonly device: string;
  readonly levels: readonly {
    /** Kind of microcode, for instance `system`, `adapter-boot`; `null` when the device has only one. */
    readonly type: string | null;
    /** Part of the kind that a continuation line names: a disk behind a RAID adapter. */
    readonly sub?: string;
    readonly level: string;
  }[];
}

/** What `prtconf` (`lsconf`) says about the machine. `null`: not printed. */
export interface MachineLevels {
  /** Type and model: `9080-M9S`. */
  readonly machine: string | null;
  readonly platformFirmware: string | null;
  readonly firmwareVersion: string | null;
  /** Release of the firmware: `FW950.40`; `null` for machines before POWER6. */
  readonly firmwareFamily: string | null;
  /** `32-bit` or `64-bit`. */
  readonly kernelType: string | null;
  readonly cpuType: string | null;
}

/**
 * Reads the level of the system firmware from what `lsmcode -c` or `lsmcode -r` print. Of a permanent and a temporary
 * image the running one is taken.
 *
 * @throws ParseError when no known sentence is there, or when the output was cut.
 */
export function parseSystemFirmware(text: string): string {
  const lines = wholeLines('lsmcode -c', text).map((line) => line.trim());
  const side = match(lines, /booted from the (permanent|temporary) firmware image/);
  const level =
    match(lines, /^System Firmware level is (\S.*)$/) ??
    match(lines, /^system:([^|\s]+)/) ??
    match(lines, new RegExp(`^The current ${side ?? '(?:permanent|temporary)'} system firmware image is (\\S.*)$`)) ??
    match(lines, /^Platform Firmware level is (\S.*)$/);
  if (level === null) throw new ParseError('lsmcode -c', 'no level of the system firmware', { line: 1, text });
  return /\((\S+)\)$/.exec(level)?.[1] ?? level;
}

/**
 * Reads what `lsmcode -A` prints: `device!type:level|type:level`; a line without `!` continues the device above.
 *
 * @throws ParseError at a line of another shape, or when the output was cut.
 */
export function parseMicrocode(text: string): Microcode[] {
  const devices: { device: string; levels: Microcode['levels'][number][] }[] = [];
  for (const [index, line] of wholeLines('lsmcode -A', text).entries()) {
    const [, device, own] = /^([^!\s]+)!(\S.*)$/.exec(line) ?? [];
    const [, type, sub, more] = /^([^!:\s]+):([^!:]+):(\S[^!]*)$/.exec(line) ?? [];
    const last = devices.at(-1);
    if (device !== undefined && own !== undefined) {
      const levels = own.split('|').map((cell) => {
        const colon = cell.indexOf(':');
        return colon === -1
          ? { type: null, level: cell }
          : { type: cell.slice(0, colon), level: cell.slice(colon + 1) };
      });
      devices.push({ device, levels });
    } else if (last !== undefined && type !== undefined && sub !== undefined && more !== undefined) {
      last.levels.push({ type, sub, level: more });
    } else {
      throw new ParseError('lsmcode -A', 'neither a device nor a continuation', { line: index + 1, text: line });
    }
  }
  return devices;
}

/**
 * Reads the levels of the machine from the head of what `prtconf` prints: its lines of key and value up to the first
 * blank line.
 *
 * @throws ParseError when the head holds another line, or when it is cut.
 */
export function parseMachineLevels(text: string): MachineLevels {
  const lines = wholeLines('prtconf', text).map((line) => line.trim());
  const end = lines.indexOf('');
  const values = new Map<string, string>();
  for (const [index, line] of lines.slice(0, end === -1 ? undefined : end).entries()) {
    const [, key, value = ''] = /^([A-Z][\w -]*):(?: (.*))?$/.exec(line) ?? [];
    if (key === undefined) throw new ParseError('prtconf', 'not a key and a value', { line: index + 1, text: line });
    values.set(key, value.trim());
  }
  const model = values.get('System Model');
  if (model === undefined) throw new ParseError('prtconf', 'no System Model', { line: 1, text });
  const firmwareVersion = values.get('Firmware Version') ?? null;
  return {
    machine: model.replace(/^IBM,/, ''),
    platformFirmware: values.get('Platform Firmware level') ?? null,
    firmwareVersion,
    firmwareFamily: /^IBM,(FW[\d.]+)/.exec(firmwareVersion ?? '')?.[1] ?? null,
    kernelType: values.get('Kernel Type') ?? null,
    cpuType: values.get('CPU Type') ?? null,
  };
}

/**
 * Reads what `ioslevel` prints on a Virtual I/O Server.
 *
 * @returns Four numbers with dots, or `null` for no output, which plain AIX gives.
 * @throws ParseError when the first line is anything else.
 */
export function parseIosLevel(text: string): string | null {
  const [first = ''] = wholeLines('ioslevel', text);
  if (text.trim() === '') return null;
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(first.trim())) {
    throw new ParseError('ioslevel', 'not four numbers', { line: 1, text: first });
  }
  return first.trim();
}

function match(lines: readonly string[], pattern: RegExp): string | null {
  for (const line of lines) {
    const found = pattern.exec(line)?.[1];
    if (found !== undefined) return found;
  }
  return null;
}
