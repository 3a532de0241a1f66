import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Host, localHost, type Script, type ScriptOutcome, type StepResult } from '@splitmirror/host';
import { type Answer, type NodeTranscript, type ProbeName, readTranscripts, type Snapshot } from '../src/index.ts';

const header =
  '#Package Name:Fileset:Level:State:PTF Id:Fix State:Type:Description:Destination Dir.:Uninstaller:Message Catalog:Message Set:Message Number:Parent:Automatic:EFIX Locked:Install Path:Build Date';

/** A fixture as `lslpp -Lc` printed it. */
export function listingFixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}.lslpp-Lc.txt`, import.meta.url), 'utf8');
}

/** `lslpp -Lc` with these filesets: level, state letter (default `C`), and `locked` for an interim-fix lock. */
export function listing(levels: Readonly<Record<string, string>>): string {
  const rows = Object.entries(levels).map(([fileset, text]) => {
    const [level, state = 'C', locked] = text.split(' ');
    const name = fileset.split('.').slice(0, -1).join('.');
    return `${name}:${fileset}:${level}: : :${state}:F:${fileset} : : : : : : :0:${locked === 'locked' ? 1 : 0}:/:`;
  });
  return `${[header, ...rows].join('\n')}\n`;
}

/** An answer with status 0. */
export function printed(stdout: string): Answer {
  return { kind: 'ended', exitCode: 0, stdout, stderr: '' };
}

const stateWords: Readonly<Record<string, string>> = { A: 'APPLIED', B: 'BROKEN' };

/** `lslpp -lc` with the usr parts of these filesets. */
function parts(levels: Readonly<Record<string, string>>): string {
  const rows = Object.entries(levels).map(([fileset, text]) => {
    const [level, state = 'C'] = text.split(' ');
    return `/usr/lib/objrepos:${fileset}:${level}::${stateWords[state] ?? 'COMMITTED'}:F:${fileset} :`;
  });
  return `${['#Fileset:Level:PTF Id:State:Type:Description:EFIX Locked', ...rows].join('\n')}\n`;
}

/** A node that answered everything. */
export function node(
  name: string,
  levels: Readonly<Record<string, string>>,
  others: Readonly<Partial<Record<ProbeName, Answer>>> = {},
): NodeTranscript {
  const installed = { 'bos.rte': '7.2.5.101', ...levels };
  const answers = {
    listing: printed(listing(installed)),
    parts: printed(parts(installed)),
    osLevel: printed('7200-05-03-2148\n'),
    haLevel: printed('7.2.0 SP4\n'),
    clusterManager: printed(
      'Current state: ST_STABLE\nCLversion: 16\nlocal node vrmf is 7204\ncluster fix level is "4"\n',
    ),
    clusterVersion: printed('\nHACMPcluster:\n\tname = "harbour"\n\tcluster_version = 16\n'),
    nodeVersions: printed('\nHACMPnode:\n\tname = "east"\n\tversion = 16\n'),
    peerNodes: printed(`Name        OpState RSCTVersion \n${name}        Online  3.2.6.10    \n`),
    interimFixes: { ...printed(''), stderr: 'There is no efix data on this system.\n' },
    consistency: printed(''),
    kernel: printed('64\n'),
    firmware: printed('System Firmware level is VL950_099\n'),
    ...others,
  };
  return { node: name, askedAt: '2026-11-22T01:00:00.000Z', unreachable: null, answers };
}

/** A node that did not let itself be asked. */
export function silentNode(name: string, reason = 'no route to host'): NodeTranscript {
  return { node: name, askedAt: '2026-11-22T01:00:00.000Z', unreachable: reason, answers: {} };
}

/** Nodes by name with their filesets; everything else is equal. */
export function snapshotOf(nodes: Readonly<Record<string, Readonly<Record<string, string>>>>): Snapshot {
  return readTranscripts(Object.entries(nodes).map(([name, levels]) => node(name, levels)));
}

/** A node on this machine whose commands are these shell scripts, run by a real shell. */
export function shellNode(name: string, commands: Readonly<Record<string, string>>): Host {
  const directory = mkdtempSync(join(tmpdir(), `splitmirror-levels-${name}-`));
  for (const [command, body] of Object.entries(commands)) {
    writeFileSync(join(directory, command), `#!/bin/sh\n${body}\n`);
    chmodSync(join(directory, command), 0o755);
  }
  return localHost(name, { path: `${directory}:/usr/bin:/bin` });
}

/** A node that leaves these step results behind, without any shell. */
export function scriptedNode(name: string, outcome: (script: Script) => ScriptOutcome | Promise<ScriptOutcome>): Host {
  return {
    name,
    run: async (script) => outcome(script),
    stream: () => Promise.reject(new Error('levels streams nothing')),
    close: async () => {},
  };
}

/** A step that ended. */
export function ended(id: string, exitCode: number, stdout: string, stderr = ''): StepResult {
  return {
    kind: 'ended',
    id,
    exitCode,
    memberCodes: [exitCode],
    stdout,
    stderr,
    durationMs: 1,
    clock: { start: 0, end: 0 },
  };
}

/** A step that was ended by its deadline of 90 seconds. */
export function timedOut(id: string): StepResult {
  const clock = { start: 0, end: 90 };
  return {
    kind: 'timed-out',
    id,
    exitCode: 143,
    memberCodes: [143],
    stdout: '',
    stderr: '',
    durationMs: 90_012,
    clock,
  };
}
