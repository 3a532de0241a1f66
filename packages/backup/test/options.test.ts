import { describe, expect, it } from 'vitest';
import {
  type BackupContext,
  backupGroups,
  createRecorder,
  deadMansPing,
  drillBackup,
  drillsDue,
  keepSchedule,
  openStore,
  planRetention,
  previewRestore,
  resticVault,
  restoreIntoGroup,
  restoreToNode,
  type Store,
  type StoredBackup,
  webhook,
} from '../src/index.ts';

/** Whatever is asked of it fails the test with another error. */
const untouched = <T extends object>(): T =>
  new Proxy({} as T, {
    get: (_, name) => {
      throw new Error(`${String(name)} was looked at`);
    },
  });
const context = untouched<BackupContext>();
const backup = untouched<StoredBackup>();
const store = untouched<Store>();
const now = () => new Date();
const secret = { environment: 'HOME' };
const probe = (timeoutSeconds: number) =>
  ({ level: 'application', probe: { argv: ['true'], timeoutSeconds } }) as const;

/** Beyond what any of them takes: no number, below, a part where only a whole counts, and beyond the timers of Node.js. */
const wrong = [Number.NaN, -1, 0.5, 3e9];

describe.each<[option: string, given: (value: number) => unknown, values?: readonly number[]]>([
  ['atOnce', (atOnce) => backupGroups(context, [], { atOnce }), [Number.NaN, -1, 0, 1.5]],
  ['perNode', (perNode) => backupGroups(context, [], { perNode }), [Number.NaN, -1, 0, 1.5]],
  ['outputBytes', (outputBytes) => createRecorder({ outputBytes }), [Number.NaN, -1, 0.5]],
  ['logBytes', (logBytes) => createRecorder({ logBytes }), [Number.NaN, -1, 0.5]],
  ['patienceMs', (patienceMs) => openStore('/nowhere', undefined, { patienceMs })],
  ['timeoutSeconds', (timeoutSeconds) => resticVault({ repository: secret, password: secret, timeoutSeconds })],
  ['daily', (daily) => planRetention([], { daily }, now()), [Number.NaN, -1, 0.5]],
  ['failedDays', (failedDays) => planRetention([], { last: 1, failedDays }, now()), [Number.NaN, -1]],
  ['contentsDays', (contentsDays) => drillsDue([], { contentsDays }, now()), [Number.NaN, -1]],
  ['probe.timeoutSeconds', (seconds) => drillBackup(store, backup, probe(seconds), now)],
  ['timeoutSeconds', (timeoutSeconds) => drillBackup(store, backup, { level: 'bytes', timeoutSeconds }, now)],
  ['timeoutSeconds', (timeoutSeconds) => restoreToNode(backup, untouched(), [], { timeoutSeconds })],
  ['proofMs', (proofMs) => restoreIntoGroup(context, backup, 'g', { timeoutSeconds: 60, feeds: new Map(), proofMs })],
  ['mostPaths', (mostPaths) => previewRestore(backup, { mostPaths }), [Number.NaN, -1, 0.5]],
  ['everyMs', (everyMs) => keepSchedule(context, [], { everyMs })],
  ['timeoutMs', (timeoutMs) => deadMansPing('http://localhost', { timeoutMs })],
  ['attempts', (attempts) => webhook('http://localhost', { attempts }), [Number.NaN, -1, 0.5]],
  ['pauseMs', (pauseMs) => webhook('http://localhost', { pauseMs })],
])('%s', (option, given, values = wrong) => {
  it.each(values)('is refused where it is %d, before anything is looked at', async (value) => {
    await expect((async () => given(value))()).rejects.toThrow(RangeError);
    await expect((async () => given(value))()).rejects.toThrow(`${option} must be a`);
  });
});
