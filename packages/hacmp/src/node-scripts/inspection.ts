import { ParseError, reads, type Script, type StepResult } from '@splitmirror/host';
import { type OdmObject, parseOdmObjects } from '../readers/odm.ts';
import type { Silence } from '../survey/silence.ts';
import { digestOf, type Installation, type Registration, type ScriptFile } from './installation.ts';

/** What a node has of an installation, or why it could not be asked. */
export type NodeInspection = Inspected | Silence;

/** A node that was read back. */
export interface Inspected {
  readonly kind: 'answered';
  /** Cluster node name. */
  readonly node: string;
  readonly files: readonly FileFinding[];
  readonly registrations: readonly RegistrationFinding[];
}

/** A file that was read back. */
export interface FileFinding {
  readonly path: string;
  /**
   * `outdated`: ours, with another text. `foreign`: not ours, and never written over. `wrong-mode`: the right text, with
   * other permissions or another owner. `unreadable`: there is no usable answer.
   */
  readonly state: 'installed' | 'missing' | 'outdated' | 'wrong-mode' | 'foreign' | 'unreadable';
  readonly seen: string;
}

/** What the ODM of a node says about an event. */
export interface RegistrationFinding {
  readonly event: string;
  /**
   * `no-such-event`: this level does not have it. `unknown`: there is no usable answer, or the object has no attribute
   * of the name that was expected.
   */
  readonly state: 'registered' | 'not-registered' | 'no-such-event' | 'unknown';
  readonly seen: string;
}

/** Asks a node for everything that an installation consists of, in one round trip. */
export function inspectionScript({ files, registrations }: Installation): Script {
  const question = (id: string, program: string, ...args: string[]) => {
    return { id, run: reads(program, ...args), timeoutSeconds: 30, onFailure: 'continue' as const };
  };
  return {
    steps: [
      ...files.flatMap(({ path }, index) => [
        question(`list:${index}`, 'ls', '-ld', path),
        question(`text:${index}`, 'cat', path),
      ]),
      ...(registrations.length > 0 ? [question('events', 'odmget', 'HACMPevent')] : []),
    ],
  };
}

/** Judges what {@link inspectionScript} brought back. */
export function judgeInspection(
  { files, registrations }: Installation,
  node: string,
  steps: readonly StepResult[],
): Inspected {
  const results = new Map(steps.map((step) => [step.id, step]));
  const events = eventsOf(results.get('events'));
  return {
    kind: 'answered',
    node,
    files: files.map((file, index) => judgeFile(file, results.get(`list:${index}`), results.get(`text:${index}`))),
    registrations: registrations.map((registration) => judgeRegistration(registration, events)),
  };
}

function judgeFile(file: ScriptFile, list: StepResult | undefined, text: StepResult | undefined): FileFinding {
  const { path } = file;
  const found = (state: FileFinding['state'], seen: string): FileFinding => ({ path, state, seen });
  if (list?.kind !== 'ended' || text?.kind !== 'ended') return found('unreadable', 'no answer within the deadline');
  if (list.exitCode !== 0) {
    const said = list.stderr.trim();
    return /not exist|No such file/i.test(said) ? found('missing', said) : found('unreadable', said);
  }
  const listed = list.stdout.trim();
  if (!listed.startsWith('-')) return found('foreign', listed);
  if (text.exitCode !== 0) return found('unreadable', text.stderr.trim());
  if (!isOurs(text.stdout)) return found('foreign', text.stdout.slice(0, 80));
  const digest = digestOf(text.stdout);
  if (digest !== file.sha256) return found('outdated', `SHA-256 ${digest}`);
  const [permissions = '', , owner = ''] = listed.split(/\s+/);
  // A plus or a point after the permissions tells of an access control list, which is another matter.
  const right = /^-rwxr-xr-x[-+.@]?$/.test(permissions) && owner === 'root';
  return found(right ? 'installed' : 'wrong-mode', `${permissions} ${owner}`);
}

/** Whether a script was made by this package. */
function isOurs(text: string): boolean {
  return /^#!\/bin\/sh\n# splitmirror \w+, made by @splitmirror\/hacmp: /.test(text);
}

function eventsOf(result: StepResult | undefined): readonly OdmObject[] | string {
  if (result?.kind !== 'ended') return 'no answer within the deadline';
  if (result.exitCode !== 0) return result.stderr.trim() || `exit code ${result.exitCode}`;
  try {
    return parseOdmObjects(result.stdout);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return error.message;
  }
}

function judgeRegistration(
  { event, place, name, path }: Registration,
  events: readonly OdmObject[] | string,
): RegistrationFinding {
  const found = (state: RegistrationFinding['state'], seen: string): RegistrationFinding => ({ event, state, seen });
  if (typeof events === 'string') return found('unknown', events);
  const objects = events.filter(({ className, attributes }) => className === 'HACMPevent' && attributes.name === event);
  const [object, second] = objects;
  if (!object) return found('no-such-event', `${events.length} objects, none named ${event}`);
  const commands = object.attributes[place];
  if (second || typeof commands !== 'string') {
    return found('unknown', `${objects.length} objects of that name; attributes ${Object.keys(object.attributes)}`);
  }
  const listed = commands.split(/[\s,]+/);
  return found(listed.includes(name) || listed.includes(path) ? 'registered' : 'not-registered', commands);
}
