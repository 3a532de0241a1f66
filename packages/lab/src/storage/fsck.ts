import { type Answer, fails, prints } from '../command.ts';
import { type Call, type Command, confirmed } from './commands.ts';
import { markState, readEntries, readNewestEntries, readSuperblock, replayLog } from './labfs.ts';
import { bytesOf } from './logical-volumes.ts';
import { formatLog } from './logs.ts';
import { isOpenOn, type Machine, volumeOf } from './machine.ts';
import { usage } from './messages.ts';

const phases = [
  '*** Phase 1 - Initial inode scan',
  '*** Phase 2 - Process remaining directories',
  '*** Phase 3 - Process remaining files',
  '*** Phase 4 - Check and repair inode allocation map',
  '*** Phase 5 - Check and repair block allocation map',
];
const clean = 'File system is clean.';
const dirty = 'File system is dirty.';
const valid = 'Primary superblock is valid.';
const cannotContinue = 'fsck: 0507-278 Cannot continue.\n';
const question = 'Superblock is marked dirty; FIX? ';

/** `fsck` of a JFS2 volume that nobody has mounted. Without `-p`, `-n` or `-y` it asks before it repairs. */
export const fsck: Command = {
  options: 'pynfV:o:i:d:t:',
  async run(call): Promise<Answer> {
    const { machine, node, options } = call;
    const [target] = call.operands;
    if (target === undefined) return fails(usage('fsck'));
    const device = target.startsWith('/dev/') ? target : (node.stanzas.find(target)?.attributes.get('dev') ?? target);
    const found = volumeOf(machine, node, device.replace(/^\/dev\/r?/, ''));
    if (found === undefined || found.varied === undefined || found.varied === 'passive') {
      return fails(`fsck: 0507-020 Cannot open ${device}.\n${cannotContinue}`, 8);
    }
    if (found.volume.readOnly && !options.has('n')) {
      return fails(`fsck: 0507-020 Cannot open ${device} for writing.\n${cannotContinue}`, 8);
    }
    const bytes = bytesOf(found.group, found.volume);
    const head = `\n\nThe current volume is: ${device}\n`;
    if (isOpenOn(node, found.volume)) {
      return refusedWith(head, `File system is currently mounted.\n${cannotContinue}`);
    }
    const superblock = readSuperblock(bytes);
    if (superblock === undefined) {
      return refusedWith(head, `Primary superblock is corrupt.\nSecondary superblock is corrupt.\n${cannotContinue}`);
    }
    if (options.has('n')) {
      const whole = superblock.state === 'clean' && readEntries(bytes) !== undefined;
      const text = [head + valid, ...phases, whole ? clean : `${question}n\n${dirty}`, ''].join('\n');
      return { kind: 'exit', code: whole ? 0 : 8, stdout: text };
    }
    const redone = superblock.state === 'in-use';
    const text = redone ? [head + valid, `J2_LOGREDO:log redo processing for ${device}`, valid] : [head + valid];
    if (readNewestEntries(bytes) === undefined) {
      markState(bytes, 'dirty');
      const broken = 'Errors detected in the file system inode allocation map.';
      return refusedWith([...text, broken, ''].join('\n'), `${cannotContinue}${dirty}\n`);
    }
    if (superblock.state === 'dirty' && !options.has('y') && options.has('p')) {
      return { kind: 'exit', code: 8, stdout: [...text, ...phases, dirty, ''].join('\n') };
    }
    if (superblock.state === 'clean') return prints([...text, ...phases, clean, ''].join('\n'));
    if (!options.has('p') && !options.has('y') && !(await confirmed(call))) {
      return { kind: 'exit', code: 8, stdout: [...text, ...phases, dirty, question].join('\n') };
    }
    repair(call, device);
    const asked = options.has('p') ? [] : [`${question}y`];
    return prints([...text, ...phases, ...asked, clean, ''].join('\n'));
  },
};

function repair({ machine, node }: Call, device: string): void {
  const found = volumeOf(machine, node, device.replace(/^\/dev\/r?/, ''));
  if (found === undefined) return;
  const bytes = bytesOf(found.group, found.volume);
  const log = node.stanzas.ofDevice(device)?.attributes.get('log');
  if (log !== undefined) spoilLog(machine, log);
  replayLog(bytes);
  markState(bytes, 'clean');
}

/** A log that is redone while file systems are mounted on it no longer tells the truth about them. */
function spoilLog(machine: Machine, log: string): void {
  for (const other of machine.nodes.values()) {
    for (const mount of other.mounts) {
      const uses = mount.options.split(',').includes(`log=${log}`);
      if (uses && !mount.readOnly && !mount.native) markState(mount.bytes, 'dirty');
    }
  }
}

function refusedWith(stdout: string, stderr: string): Answer {
  return { kind: 'exit', code: 8, stdout, stderr };
}

/** `logform`: empties a log; without it a new log volume cannot be used. An inline log is part of its file system. */
export const logform: Command = {
  options: 'V:',
  async run(call): Promise<Answer> {
    const [device = ''] = call.operands;
    const found = volumeOf(call.machine, call.node, device.replace(/^\/dev\/r?/, ''));
    if (found === undefined) return fails(`logform: 0507-501 Cannot open ${device}.\n`);
    const prompt = `logform: destroy ${device.replace('/dev/', '/dev/r')} (y)?`;
    if (isOpenOn(call.node, found.volume)) return fails(`logform: 0507-502 ${device} is in use.\n`);
    if (!(await confirmed(call))) return { kind: 'exit', code: 1, stdout: prompt };
    if (/^jfs2?log$/.test(found.volume.type)) formatLog(found.group, found.volume);
    return prints(`${prompt}\n`);
  },
};
