import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentsOf, type NodeReport, parseOdmObjects, survey, surveyScript } from '@splitmirror/hacmp';
import {
  type Host,
  makeDirectory,
  ParseError,
  renderCommand,
  type Script,
  type Step,
  type StepResult,
} from '@splitmirror/host';
import { levelsScript } from '@splitmirror/levels';
import { lookScript, parseVolumes } from '@splitmirror/lvm';
import type { Redaction, SiteNames } from './redaction.ts';

/** What one command printed on one node. */
interface Output {
  readonly node: string;
  /** `hacmp`, `lvm` or `levels`: the package that reads it. */
  readonly area: string;
  /** As typed. */
  readonly command: string;
  readonly result: StepResult;
}

/** Everything that was printed, and the names in it that are the site's own. */
export interface Capture {
  readonly outputs: readonly Output[];
  /** Nodes that could not be asked, with the reason. */
  readonly silent: readonly { readonly node: string; readonly reason: string }[];
  readonly names: SiteNames;
}

/**
 * Asks every node everything that splitmirror ever asks, and changes nothing: two round trips a node, since the volume
 * groups have to be known before they can be asked about.
 */
export async function takeCapture(hosts: ReadonlyMap<string, Host>, signal: AbortSignal): Promise<Capture> {
  const reports = await survey(hosts, { signal });
  const groups = groupsOf(reports);
  const contents = groups.flatMap((group) => contentsOf(group, reports) ?? []);
  const volumeGroups = [...new Set(contents.flatMap((each) => each.volumeGroups))].sort();
  const script: Script = {
    steps: [
      ...within('hacmp', surveyScript(volumeGroups)),
      ...within('lvm', lookScript({ volumeGroups, fileSystems: 'ALL' })),
      ...within('levels', levelsScript()),
    ],
  };
  const answers = await Promise.all(Array.from(hosts, ([node, host]) => ask(node, host, script, signal)));
  const outputs = answers.flatMap((answer) => answer.outputs);
  const volumes = outputs.flatMap(volumesIn);
  const fileSystems = contents.flatMap((each) => (each.fileSystems === 'ALL' ? [] : each.fileSystems));
  return {
    outputs,
    silent: answers.flatMap(({ node, reason }) => (reason === null ? [] : [{ node, reason }])),
    names: {
      node: [...hosts.keys(), ...reports.flatMap(localNameOf)],
      group: groups,
      vg: volumeGroups,
      lv: volumes.map(({ name }) => name),
      label: [...reports.flatMap(labelsOf), ...outputs.flatMap(objectNames)],
      fs: [...fileSystems, ...volumes.flatMap(({ mountPoint }) => mountPoint ?? [])],
    },
  };
}

/**
 * Writes a bundle: one file for each output in the layout that the readers' own tests take (`# source:`, `# command:`,
 * then the output), and `index.json` with exit codes and what went to stderr.
 *
 * @param takenAt UTC, ISO 8601.
 * @returns The number of files with outputs.
 */
export async function writeBundle(
  directory: string,
  { outputs, silent }: Capture,
  { redact }: Redaction,
  takenAt: string,
): Promise<number> {
  await mkdir(directory, { mode: 0o700 });
  const plain = (text: string) => redact(text, 'other');
  const counts = new Map<string, number>();
  const index: unknown[] = [];
  for (const { node, area, command, result } of outputs) {
    const count = (counts.get(`${area} ${node}`) ?? 0) + 1;
    counts.set(`${area} ${node}`, count);
    const name = `${plain(node)}-${String(count).padStart(2, '0')}-${slug(plain(command))}.txt`;
    const { stdout = '', stderr = '' } = result as Partial<Record<'stdout' | 'stderr', string>>;
    await makeDirectory(join(directory, area));
    const head = `# source: captured by splitmirror on ${takenAt.slice(0, 10)}, redacted\n# command: ${plain(command)}\n`;
    await writeFile(
      join(directory, area, name),
      head + redact(stdout, area === 'levels' && !command.startsWith('odmget ') ? 'levels' : 'other'),
      {
        mode: 0o600,
        flag: 'wx',
      },
    );
    const exitCode = 'exitCode' in result ? result.exitCode : null;
    index.push({ file: `${area}/${name}`, node: plain(node), ended: result.kind, exitCode, stderr: plain(stderr) });
  }
  const unasked = silent.map(({ node, reason }) => ({ node: plain(node), reason: plain(reason) }));
  const text = JSON.stringify({ splitmirrorCapture: 1, takenAt, outputs: index, silent: unasked }, null, 2);
  await writeFile(join(directory, 'index.json'), `${text}\n`, { mode: 0o600, flag: 'wx' });
  return index.length;
}

/** A script's steps under a name of their own, so that several scripts travel as one. */
function within(area: string, { steps }: Script): Step[] {
  const named = (id: string) => `${area}/${id}`;
  return steps.map(({ id, pays, needs, ...rest }) => ({
    ...rest,
    id: named(id),
    ...(pays === undefined ? {} : { pays: pays.map(named) }),
    ...(needs === undefined ? {} : { needs: needs.map(named) }),
  }));
}

async function ask(node: string, host: Host, script: Script, signal: AbortSignal) {
  try {
    const outcome = await host.run(script, { signal });
    const outputs = outcome.steps.flatMap((result, index): Output[] => {
      const step = script.steps[index];
      if (step === undefined || result.kind === 'skipped') return [];
      return [{ node, area: step.id.split('/')[0] ?? '', command: renderCommand(step.run), result }];
    });
    const reason = outcome.kind === 'completed' ? null : outcome.kind === 'unknown' ? outcome.reason : outcome.kind;
    return { node, outputs, reason };
  } catch (error) {
    signal.throwIfAborted();
    return { node, outputs: [], reason: error instanceof Error ? error.message : String(error) };
  }
}

function groupsOf(reports: readonly NodeReport[]): string[] {
  const rows = reports.flatMap((report) =>
    report.kind === 'answered' && report.groups.kind === 'read' ? report.groups.value : [],
  );
  return [...new Set(rows.map(({ group }) => group))].sort();
}

function localNameOf(report: NodeReport): string[] {
  return report.kind === 'answered' && report.localName.kind === 'read' ? [report.localName.value] : [];
}

/** Service labels and applications of all groups. */
function labelsOf(report: NodeReport): string[] {
  if (report.kind !== 'answered' || report.resources.kind !== 'read') return [];
  return report.resources.value.groups.flatMap(({ applications, serviceLabels }) => [
    ...applications,
    ...serviceLabels,
  ]);
}

const naming = /^(?:name|nodename|network|ip_label|identifier)$/;

/** What objects of the cluster's configuration are called: the cluster itself, networks, interfaces. */
function objectNames({ command, result }: Output): string[] {
  if (!command.startsWith('odmget ') || result.kind !== 'ended') return [];
  return unlessUnreadable(() => parseOdmObjects(result.stdout)).flatMap(({ attributes }) =>
    Object.entries(attributes).flatMap(([name, value]) =>
      typeof value === 'string' && (naming.test(name) || attributes.object === 'COMMUNICATION_PATH') ? [value] : [],
    ),
  );
}

/** Volumes and mount points in a list of volumes; what cannot be read names nothing that we know. */
function volumesIn({ command, result }: Output): { name: string; mountPoint: string | null }[] {
  if (!command.startsWith('lsvg -l ') || result.kind !== 'ended') return [];
  return unlessUnreadable(() => [...parseVolumes(result.stdout).volumes]);
}

function unlessUnreadable<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof ParseError) return [];
    throw error;
  }
}

function slug(command: string): string {
  return command
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40)
    .toLowerCase();
}
