/**
 * Loaded before the command line (`node --import`): ends its process with SIGKILL at one entry of the journal, before the
 * entry is written or when it is on the disk. `SPLITMIRROR_KILL_AT` says where: `before outcome split`, `after intent lock`.
 */
import { open } from 'node:fs/promises';

const [when, kind, effect] = (process.env.SPLITMIRROR_KILL_AT ?? '').split(' ');
const die = () => process.kill(process.pid, 'SIGKILL');

const probe = await open('/dev/null');
const files = Object.getPrototypeOf(probe);
await probe.close();
const { appendFile, datasync } = files;

let underWay = '';
let due = false;

files.appendFile = function (data, ...options) {
  const entry = entryOf(data);
  if (entry?.kind === 'intent')
    underWay = entry.effect.kind === 'perform' ? entry.effect.phase.name : entry.effect.kind;
  if (entry?.kind === kind && underWay === effect) {
    if (when === 'before') die();
    due = true;
  }
  return appendFile.call(this, data, ...options);
};

files.datasync = async function () {
  await datasync.call(this);
  if (due) die();
};

function entryOf(data) {
  return typeof data === 'string' && data.startsWith('{"at":') ? JSON.parse(data) : undefined;
}
