import {
  db2,
  type GroupPolicy,
  oracle,
  postgresql,
  type QuiesceHooks,
  type Schedule,
  stopStart,
} from '@splitmirror/backup';
import { Cron } from 'croner';
import { ConfigError, settingError } from './read.ts';
import type { Config, GroupSettings } from './schema.ts';

/** Settings of a group that has to be there. */
export function settingsOf(config: Config, group: string): GroupSettings {
  const settings = config.groups[group];
  if (settings !== undefined) return settings;
  throw new ConfigError(`the configuration has no group ${group}`, {
    remedy: `Add it under groups, or name one of: ${Object.keys(config.groups).sort().join(', ') || 'none is configured'}.`,
  });
}

/** What the operator decided about a group. */
export function policyOf(config: Config, group: string): GroupPolicy {
  const settings = settingsOf(config, group);
  const { compression, recipients } = config.archives;
  const minutesPerMonth = settings.exposureMinutesPerMonth;
  return {
    quiesce: hooksOf(config, group),
    freezeSeconds: settings.freezeSeconds,
    allowLastCopy: settings.allowLastCopy,
    ...(minutesPerMonth === undefined ? {} : { exposure: { minutesPerMonth } }),
    ...(settings.strategy === undefined ? {} : { strategy: settings.strategy }),
    rawVolumes: Object.entries(settings.rawVolumes).map(([volume, lvcb]) => ({ volume, lvcb })),
    ...(settings.leaveOut.length === 0 ? {} : { leaveOut: settings.leaveOut }),
    ...(compression === 'none' && recipients.length === 0 ? {} : { stored: { compression, recipients } }),
    parallel: settings.parallel,
    archiveSeconds: Math.ceil(settings.archiveHours * 3600),
    idleSeconds: Math.ceil(settings.idleMinutes * 60),
    proofMs: 60_000,
    pollMs: Math.ceil(config.pollSeconds * 1000),
    levels: settings.levels,
    ...(settings.approval === 'required' ? { approval: settings.approval } : {}),
  };
}

function hooksOf(config: Config, group: string): QuiesceHooks | null {
  const { quiesce, application } = settingsOf(config, group);
  const path = ['groups', group, 'application'];
  if (quiesce !== undefined && application !== undefined) {
    throw settingError(config, path, 'it stands beside quiesce', {
      remedy: 'Keep one: application brings its own commands.',
    });
  }
  if (application === undefined) return quiesce ?? null;
  try {
    return readyHooks(application);
  } catch (cause) {
    throw settingError(config, path, (cause as Error).message, {
      remedy: 'Name users, instances and databases as the application itself does.',
      cause,
    });
  }
}

function readyHooks(application: NonNullable<GroupSettings['application']>): QuiesceHooks {
  if ('db2' in application) return db2(application.db2);
  if ('oracle' in application) return oracle(application.oracle);
  if ('postgresql' in application) return postgresql(application.postgresql);
  return stopStart(application.stopStart);
}

/**
 * When a group is to be backed up.
 *
 * @throws ConfigError when it has no schedule, or `cron` or the time zone are none.
 */
export function scheduleOf(config: Config, group: string): Schedule {
  const { schedule } = settingsOf(config, group);
  if (schedule === undefined) {
    throw new ConfigError(`group ${group} has no schedule`, { remedy: 'Add groups.NAME.schedule.' });
  }
  const { cron, timeZone, windowMinutes, since } = schedule;
  const read = <T>(name: 'cron' | 'timeZone', reading: () => T): T => {
    try {
      return reading();
    } catch (cause) {
      throw settingError(config, ['groups', group, 'schedule', name], (cause as Error).message, {
        remedy: 'Write cron as in crontab (minute hour day month weekday), and timeZone as in "Europe/Berlin".',
        cause,
      });
    }
  };
  read('cron', () => new Cron(cron));
  const pattern = read('timeZone', () => {
    const zoned = new Cron(cron, { timezone: timeZone });
    zoned.nextRun();
    return zoned;
  });
  return {
    since,
    windowMinutes,
    *starts(from, to) {
      // The one that begins exactly at `from` belongs to it.
      for (let start = pattern.nextRun(new Date(from.getTime() - 1)); start !== null && start < to; ) {
        yield start;
        start = pattern.nextRun(start);
      }
    },
  };
}
