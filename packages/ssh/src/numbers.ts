import { longestTimerSeconds } from '@splitmirror/host';
import { SshSettingsError } from './algorithms.ts';
import type { SshOptions } from './options.ts';
import { stationsOf } from './stations.ts';

type Setting = 'port' | 'connectSeconds' | 'keepaliveSeconds' | 'keepaliveCount' | 'windowBytes' | 'connections';

const bounds: Readonly<Record<Setting, readonly [from: number, to: number]>> = {
  port: [1, 65_535],
  connectSeconds: [1, longestTimerSeconds],
  keepaliveSeconds: [0, longestTimerSeconds],
  keepaliveCount: [1, 2 ** 31 - 1],
  // Less than ssh2 has granted by then cannot be taken back.
  windowBytes: [2 << 20, 256 << 20],
  connections: [1, 1000],
};
const settings = Object.keys(bounds) as Setting[];

/**
 * Refuses numbers that are none, or beyond their bounds, in the settings of a node and of its jump hosts: all of them at once.
 *
 * @throws SshSettingsError
 */
export function refuseNumbers(host: string, options: SshOptions): void {
  const wrong = stationsOf(options).flatMap((station) => {
    const whose = station === options ? '' : ` of ${station.address}`;
    return settings
      .filter((setting) => !isWithin(bounds[setting], station[setting]))
      .map((setting) => ({ setting, said: `${setting}${whose} cannot be ${station[setting]}` }));
  });
  if (wrong.length === 0) return;
  const named = [...new Set(wrong.map(({ setting }) => setting))];
  const ranges = named.map((setting) => `${setting} from ${bounds[setting].join(' to ')}`);
  throw new SshSettingsError(`${host}: ${wrong.map(({ said }) => said).join(', ')}`, {
    remedy: `Name whole numbers: ${ranges.join(', ')}.`,
  });
}

function isWithin([from, to]: readonly [number, number], value: number | undefined): boolean {
  return value === undefined || (Number.isInteger(value) && value >= from && value <= to);
}
