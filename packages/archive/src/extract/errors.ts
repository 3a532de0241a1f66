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
  | 'EXTRACT_UNSUPPORTED';

const remedies: Record<ExtractFault, string> = {
  EXTRACT_ESCAPES:
    'Do not trust this archive: no tool writes such a name for a backup of a directory. Leave it out with skip.',
  EXTRACT_LINK_MISSING: 'Extract the file that it names as well, or leave the link out with skip.',
  EXTRACT_EXISTS: 'Extract into an empty directory.',
  EXTRACT_DIFFERS:
    'The stored archive or its catalogue is damaged: use another backup, or take single files with extractEntry().',
  EXTRACT_UNSUPPORTED: 'Leave it out with skip, or restore on the node.',
};

/** An extraction that was stopped. */
export class ExtractError extends SplitmirrorError {
  readonly code: ExtractFault;
  /** Name in the archive. */
  readonly path: string;

  constructor(code: ExtractFault, path: string, message: string) {
    super(`${displayName(path)}: ${message}`, { remedy: remedies[code] });
    this.code = code;
    this.path = path;
  }
}
