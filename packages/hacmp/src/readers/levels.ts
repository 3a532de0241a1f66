import { ParseError } from '@splitmirror/host';

/** Level of PowerHA as `halevel -s` tells it. */
export interface HaLevel {
  readonly version: string;
  /** `GA`, or `SP` and a number. */
  readonly servicePack: string;
}

/**
 * Reads what `halevel -s` prints.
 *
 * @throws {@link ParseError} on anything but a version and `GA` or a service pack.
 */
export function parseHaLevel(text: string): HaLevel {
  const [, version, servicePack] = /^(\d+\.\d+\.\d+) (GA|SP\d+)$/.exec(text.trim()) ?? [];
  if (version && servicePack) return { version, servicePack };
  throw new ParseError('halevel -s', 'not a version and a service pack', { line: 1, text });
}

/** A fileset as `lslpp -c -l` lists it. */
export interface Fileset {
  /** Object repository: `/usr/lib/objrepos` or `/etc/objrepos`. */
  readonly path: string;
  readonly name: string;
  readonly level: string;
  /** `COMMITTED`, `APPLIED`, ... as printed. */
  readonly state: string;
}

/**
 * Reads `lslpp -c -l`. Its heading does not name the object repository, with which every line begins.
 *
 * @throws {@link ParseError} without the heading, and at a line of another shape.
 */
export function parseFilesets(text: string): Fileset[] {
  const source = 'lslpp -c -l';
  const [heading = '', ...rows] = text.trimEnd().split('\n');
  if (!heading.startsWith('#Fileset:Level:')) throw new ParseError(source, 'no heading', { line: 1, text: heading });
  const width = heading.split(':').length + 1;
  return rows.map((line, index) => {
    const fields = line.split(':');
    const [path = '', name = '', level = '', , state = ''] = fields;
    if (fields.length >= width && path.startsWith('/') && name !== '' && /^\d+(\.\d+){3}$/.test(level)) {
      return { path, name, level, state };
    }
    throw new ParseError(source, 'not a fileset', { line: index + 2, text: line });
  });
}

/** Whether HACMP is installed. RSCT has filesets with `hacmp` in their names on every AIX; these are not it. */
export function hasHacmp(filesets: readonly Fileset[]): boolean {
  return filesets.some(({ name }) => name === 'cluster.es.server.rte' || name.startsWith('cluster.base.'));
}
