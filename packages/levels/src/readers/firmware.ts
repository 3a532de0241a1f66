import { ParseError } from '@splitmirror/host';
import { saidLines, wholeLines } from './lines.ts';

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
 * @param device The one device that `lsmcode -r -d DEVICE` was asked for: it is not named in the answer then.
 * @throws ParseError at a line of another shape, or when the output was cut.
 */
export function parseMicrocode(text: string, device?: string): Microcode[] {
  const devices: { device: string; levels: Microcode['levels'][number][] }[] = [];
  const named = device === undefined ? text : `${device}!${text.trimStart()}`;
  for (const at of saidLines('lsmcode -A', named)) {
    const [, name, own] = /^([^!\s]+)!(\S.*)$/.exec(at.text) ?? [];
    const [, type, sub, more] = /^([^!:\s]+):([^!:]+):(\S[^!]*)$/.exec(at.text) ?? [];
    const last = devices.at(-1);
    if (name !== undefined && own !== undefined) {
      const levels = own.split('|').map((cell) => {
        const colon = cell.indexOf(':');
        return colon === -1
          ? { type: null, level: cell }
          : { type: cell.slice(0, colon), level: cell.slice(colon + 1) };
      });
      devices.push({ device: name, levels });
    } else if (last !== undefined && type !== undefined && sub !== undefined && more !== undefined) {
      last.levels.push({ type, sub, level: more });
    } else {
      throw new ParseError('lsmcode -A', 'neither a device nor a continuation', at);
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
  const start = lines.findIndex((line) => line !== '');
  const end = lines.indexOf('', start);
  const values = new Map<string, string>();
  for (const [index, line] of lines.slice(start, end === -1 ? undefined : end).entries()) {
    const [, key, value = ''] = /^([A-Z][\w -]*):(?:\s+(.*))?$/.exec(line) ?? [];
    const at = { line: start + index + 1, text: line };
    if (key === undefined) throw new ParseError('prtconf', 'not a key and a value', at);
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
  const [first] = saidLines('ioslevel', text);
  if (first === undefined) return null;
  if (!/^\s*\d+\.\d+\.\d+\.\d+$/.test(first.text)) {
    throw new ParseError('ioslevel', 'not four numbers', first);
  }
  return first.text.trim();
}

function match(lines: readonly string[], pattern: RegExp): string | null {
  for (const line of lines) {
    const found = pattern.exec(line)?.[1];
    if (found !== undefined) return found;
  }
  return null;
}
