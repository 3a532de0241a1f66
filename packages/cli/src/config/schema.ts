import { z } from 'zod';

const text = z.string().min(1);
const argv = z.tuple([text], z.string());

const secret = z
  .union([z.strictObject({ environment: text }), z.strictObject({ file: text }), z.strictObject({ command: argv })])
  .describe('where a secret is, instead of the secret: `environment: NAME`, `file: PATH` or `command: [words]`');

const quiesce = z
  .strictObject({
    suspend: z.array(argv).min(1).describe('commands in order, each a list of words'),
    resume: z.array(argv).min(1).describe('commands that take all of it back; safe to repeat'),
    timeoutSeconds: z.int().min(1).max(3600).default(60).describe('for each command'),
  })
  .describe('how the application is brought to rest for the split');

const application = z
  .union([
    z.strictObject({
      db2: z
        .strictObject({
          instance: text.describe('owner of the instance'),
          database: text.describe('name of the database'),
        })
        .describe('Db2 holds its writers: `set write suspend`'),
    }),
    z.strictObject({
      oracle: z
        .strictObject({
          user: text.describe('owner of the software, who may connect `as sysdba`'),
          sid: text.describe('`ORACLE_SID`'),
          home: z.string().startsWith('/').optional().describe('`ORACLE_HOME`; default that of the profile of `user`'),
        })
        .describe('Oracle goes into backup mode: `alter database begin backup`'),
    }),
    z.strictObject({
      postgresql: z
        .strictObject({
          user: text.describe('owner of the server'),
          database: text.optional().describe('to connect to; default `postgres`'),
        })
        .describe('PostgreSQL makes a checkpoint; its copy is what it finds after a power cut'),
    }),
    z.strictObject({
      stopStart: z
        .strictObject({
          stop: argv.describe('command that stops it, a list of words'),
          start: argv.describe('command that starts it'),
          running: argv.describe('command that ends with 0 where it runs: then it is not started once more'),
        })
        .describe('an application that can be stopped for the split'),
    }),
  ])
  .describe(
    'ready commands in place of `quiesce`: one of `db2: { instance, database }`, `oracle: { user, sid, home }`, `postgresql: { user, database }`, `stopStart: { stop, start, running }`',
  );

const schedule = z
  .strictObject({
    cron: text.describe('when windows begin, as in crontab: `30 1 * * *`'),
    timeZone: text.default('UTC').describe('IANA name of the zone of `cron`'),
    windowMinutes: z.int().min(1).max(10_080).default(240).describe('how long after its start a backup may begin'),
    since: z.iso.datetime().describe('from when on windows count (UTC)'),
  })
  .describe('windows in which a backup is to begin; `splitmirror schedule --run` sees to them');

const keep = z
  .strictObject({
    last: z.int().min(0).optional().describe('the newest, so many'),
    daily: z.int().min(0).optional().describe('the newest of each of so many days that have one'),
    weekly: z.int().min(0).optional().describe('the same of weeks'),
    monthly: z.int().min(0).optional().describe('the same of months'),
    yearly: z.int().min(0).optional().describe('the same of years'),
    failedDays: z
      .int()
      .min(1)
      .optional()
      .describe('days for which what a run that did not finish has left in the store stays; default 30'),
  })
  .refine(({ failedDays: _, ...counts }) => Object.values(counts).some((count) => count !== undefined && count > 0), {
    error: 'it keeps no backup: give last, daily, weekly, monthly or yearly a number above 0, for instance daily: 7',
  })
  .describe(
    'how many backups `splitmirror retain` leaves: the newest, and the newest of so many days, weeks, months, years',
  );

const drills = z
  .strictObject({
    bytesDays: z.number().positive().optional().describe('days since one that read every byte again'),
    contentsDays: z.number().positive().optional().describe('days since one that restored and compared every file'),
    applicationDays: z.number().positive().optional().describe('days since one whose `probe` opened what was restored'),
    probe: argv.optional().describe('command that opens what was restored; gets the directory as its last word'),
    probeMinutes: z.number().positive().max(1440).default(60).describe('that `probe` may take'),
  })
  .describe('how old the last passed drill of each level may be; `splitmirror drill GROUP --due` says what is overdue');

const group = z.strictObject({
  quiesce: quiesce.optional(),
  application: application.optional(),
  strategy: text.optional().describe('way to split, instead of the one that fits best'),
  freezeSeconds: z.int().min(5).max(3600).default(60).describe('after which the kernel ends the freeze by itself'),
  allowLastCopy: z.boolean().default(false).describe('accept that a two-copy mirror has one copy while a backup runs'),
  exposureMinutesPerMonth: z
    .number()
    .positive()
    .optional()
    .describe('refuse a run that would leave volumes without redundancy for longer'),
  rawVolumes: z
    .record(z.string(), z.enum(['keep', 'skip']))
    .default({})
    .describe('raw volumes to save: `keep` or `skip` their first 512 bytes'),
  leaveOut: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'logical volumes that are left out on purpose; any other that may hold data and is not saved stops a backup',
    ),
  parallel: z.int().min(1).max(16).default(2).describe('volumes streamed side by side'),
  archiveHours: z.number().positive().max(240).default(24).describe('that the archive of one volume may take'),
  idleMinutes: z
    .number()
    .positive()
    .max(1440)
    .default(30)
    .describe('without a byte, after which an archive counts as stalled'),
  levels: z.enum(['stop', 'warn']).default('stop').describe('what an error of the level audit means'),
  approval: z
    .enum(['none', 'required'])
    .default('none')
    .describe(
      '`required`: `backup` runs nothing but a saved plan that somebody has approved; not together with `schedule`, whose windows would all be refused',
    ),
  jobs: z
    .array(text)
    .default([])
    .describe('crontab lines that a node has while it holds the group; `splitmirror events install` puts them there'),
  schedule: schedule.optional(),
  keep: keep.optional(),
  drills: drills.optional(),
  ping: secret
    .optional()
    .describe(
      'where the address is, as `environment: NAME`, `file: PATH` or `command: [words]`, of a monitor (healthchecks.io and its like) that raises the alarm when it hears nothing',
    ),
});

const algorithms = z
  .strictObject({
    kex: z.string().optional().describe('`KexAlgorithms`'),
    hostKeys: z.string().optional().describe('`HostKeyAlgorithms`'),
    ciphers: z.string().optional().describe('`Ciphers`'),
    macs: z.string().optional().describe('`MACs`'),
  })
  .describe('what an old node may agree on, as in ssh_config: `hostKeys: +ssh-rsa`');

const node = z.strictObject({
  address: text.describe('where its sshd answers, or a name of `~/.ssh/config`'),
  port: z.int().min(1).max(65535).optional().describe('of its sshd; default that of `~/.ssh/config`, else 22'),
  path: text.optional().describe('value of PATH on the node; default the places of AIX and HACMP'),
  shell: z.string().startsWith('/').optional().describe('shell that reads the scripts; default `/bin/sh`'),
  algorithms: algorithms.optional(),
});

const ssh = z.strictObject({
  user: text.optional().describe('login name; default that of `~/.ssh/config`, else root'),
  identities: z.array(text).default([]).describe('private keys, tried in this order; an agent is used too'),
  passphrase: secret
    .optional()
    .describe('where the passphrase of the keys is, as `environment: NAME`, `file: PATH` or `command: [words]`'),
  knownHosts: z.array(text).optional().describe('files with the trusted host keys; default those of OpenSSH'),
  config: z.enum(['use', 'ignore']).default('use').describe('whether `~/.ssh/config` counts'),
  adapter: z
    .enum(['auto', 'ssh2', 'openssh'])
    .default('auto')
    .describe('the embedded client, the system’s `ssh`, or the one that the settings ask for'),
  windowMiB: z
    .int()
    .min(2)
    .max(256)
    .optional()
    .describe('what may be on the way of a stream: bandwidth times round trip; default 6; the embedded client only'),
  sudo: z.enum(['changes', 'all']).optional().describe('run changing commands, or all, through `sudo -n`'),
});

const archives = z.strictObject({
  compression: z
    .enum(['none', 'gzip', 'zstd'])
    .default('none')
    .describe('`none`, `gzip` or `zstd`, before they are encrypted and stored'),
  recipients: z.array(text).default([]).describe('age public keys; archives are encrypted to them'),
  identity: text.optional().describe('file with the age secret key, for `verify`, `restore` and `drill`'),
  restic: z
    .strictObject({
      repository: secret.describe(
        'where its address is, as restic has it: `environment: NAME`, `file: PATH` or `command: [words]`',
      ),
      password: secret.describe('where its password is: `environment: NAME`, `file: PATH` or `command: [words]`'),
      program: text.optional().describe('name or path of restic; default `restic`'),
      environment: z.array(text).optional().describe('further variables that restic gets'),
    })
    .optional()
    .describe('keep the archives in a restic repository; manifests stay in `store`'),
});

const mirror = z.strictObject({
  parallelPartitions: z
    .int()
    .min(1)
    .max(32)
    .optional()
    .describe('partitions that a resync copies side by side; fewer spare the disks'),
  rate: z
    .int()
    .min(1)
    .optional()
    .describe('upper bound of the pace of a resync, as `syncvg -T` takes it (AIX 7.2 and newer)'),
  megabytesPerSecond: z
    .number()
    .positive()
    .optional()
    .describe('pace of a resync on these disks, for the estimates of a plan'),
  spaceReclamation: z
    .literal('ruled-out')
    .optional()
    .describe(
      'a person has ruled out that the storage reclaims freed partitions; `map-split` needs it from 7.2 TL1 on',
    ),
  snapshotPercent: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('size of an external snapshot, in percent of its volume'),
});

const notify = z.strictObject({
  on: z
    .array(z.enum(['good', 'suspicious', 'failed']))
    .default(['suspicious', 'failed'])
    .describe('which outcomes are told'),
  command: argv.optional().describe('gets the outcome as JSON on its input'),
  webhook: secret
    .optional()
    .describe(
      'where the address is, as `environment: NAME`, `file: PATH` or `command: [words]`, that gets the outcome as JSON by POST',
    ),
});

/** A configuration file. The descriptions are the documentation: the README's table and the JSON Schema are made of them. */
export const configSchema = z.strictObject({
  nodes: z
    .record(z.string().regex(/^[A-Za-z0-9._-]+$/), node)
    .describe('cluster nodes by their *cluster node name*, which need not be the host name'),
  ssh: ssh.prefault({}).describe('how to log in'),
  store: text.describe('directory of the backups'),
  storeMountPoint: text
    .optional()
    .describe(
      'where the file system of `store` has to be mounted; while it is not, nothing is read as an empty store, and nothing is written to the disk below it',
    ),
  archives: archives.prefault({}).describe('how archives are kept'),
  stabilitySeconds: z
    .number()
    .min(0)
    .max(300)
    .default(20)
    .describe('pause between the two looks at the cluster that have to agree'),
  pollSeconds: z.number().positive().max(3600).default(15).describe('pause between two looks at a resynchronisation'),
  minority: z
    .enum(['refuse', 'trust-the-survivors'])
    .default('refuse')
    .describe(
      'whether nodes that are no majority are believed, as when one of two is gone; a partition looks the same',
    ),
  mirror: mirror.prefault({}).describe('how resyncs share the disks, and what is known of them'),
  groups: z.record(text, group.prefault({})).describe('resource groups that are backed up'),
  atOnce: z.int().min(1).max(64).default(2).describe('groups backed up side by side'),
  notify: notify.optional().describe('who is told of an outcome'),
  metrics: text.optional().describe('directory of the textfile collector of node_exporter'),
});

/** A configuration as it is read; paths are absolute. */
export type Config = z.infer<typeof configSchema>;
/** Settings of one group. */
export type GroupSettings = Config['groups'][string];

/** JSON Schema (draft 2020-12) of a configuration file, for editors. */
export function configSchemaJson(): object {
  return { title: 'splitmirror configuration', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}
