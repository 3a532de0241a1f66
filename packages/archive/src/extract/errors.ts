import { SplitmirrorError } from '@splitmirror/host';
import { displayName } from '../names.ts';

/** Why an extraction stopped. What was written, and compared if there is a catalogue, stays; the rest does not. */
export type ExtractFault =
  /** A name leads out of the directory, through `..`, as an absolute name or through a link. */
  | 'EXTRACT_ESCAPES'
  /** A hard link to something that was not extracted. */
  | 'EXTRACT_LINK_MISSING'
  /** Something of that name is there already. */
  | 'EXTRACT_EXISTS'
  /** The archive does not hold what its catalogue says. */
  | 'EXTRACT_DIFFERS'
  /** An archive without entries, a device, FIFO, socket, sparse file, or a form that is not known for sure. */
  | 'EXTRACT_UNSUPPORTED'
  /** The file system did not do it: no room, no right, a name too long for it, a file that cannot be read. */
  | 'EXTRACT_FILE_SYSTEM';

const remedies: Record<ExtractFault, string> = {
  EXTRACT_ESCAPES:
    'Do not trust this archive: no tool writes such a name for a backup of a directory. Leave it out with skip.',
  EXTRACT_LINK_MISSING: 'Extract the file that it names as well, or leave the link out with skip.',
  EXTRACT_EXISTS: 'Extract into an empty directory.',
  EXTRACT_DIFFERS:
    'The stored archive or its catalogue is damaged: use another backup, or take single files with extractEntry().',
  EXTRACT_UNSUPPORTED: 'Leave it out with skip, or restore on the node.',
  EXTRACT_FILE_SYSTEM:
    'Make room, give the rights, or extract to another file system; leave out with skip what none takes, such as a name too long.',
};

/** An extraction that was stopped. */
export class ExtractError extends SplitmirrorError {
  readonly code: ExtractFault;
  /** Name in the archive, or path of a file on the controller. */
  readonly path: string;

  constructor(code: ExtractFault, path: string, message: string, options: { readonly cause?: unknown } = {}) {
    super(`${displayName(path)}: ${message}`, { remedy: remedies[code], ...options });
    this.code = code;
    this.path = path;
  }
}

/**
 * Works on the file system for the sake of a name.
 *
 * @throws ExtractError where the file system refuses.
 */
export function onDisk<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asExtractError(path, error);
  }
}

/** What the file system says, as an error of an extraction; every other error as it is. */
export function asExtractError(path: string, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause;
  if (cause.code === 'EEXIST') return new ExtractError('EXTRACT_EXISTS', path, 'is there already', { cause });
  // Without the paths that Node.js adds: they hold names of the archive, whatever characters they have.
  const [said = cause.code] = cause.message.split(`, ${cause.syscall}`);
  return new ExtractError('EXTRACT_FILE_SYSTEM', path, said, { cause });
}

function isSystemError(error: unknown): error is Error & { readonly code: string; readonly syscall: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
