import { SplitmirrorError } from '@splitmirror/host';

/** A command was ended where it stood; the message says what it has left, the remedy what to do about it. */
export class EndedError extends SplitmirrorError {
  readonly code: 'INTERRUPTED' | 'RUN_NEEDS_RECOVERY' | 'RESTORE_UNSETTLED';

  constructor(code: EndedError['code'], message: string, options: { remedy: string; cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
