import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  type Answer,
  type AuditPolicy,
  auditLevels,
  type Finding,
  gate,
  type NodeTranscript,
  type ProbeName,
  readTranscripts,
} from '../src/index.ts';
import { commandOf, probeNames } from '../src/snapshot.ts';
import { node, silentNode } from './nodes.ts';

/**
 * One directory for each situation: `nodes.txt` says what the nodes answer (README.md there tells how), `findings.txt`
 * what must be found, reviewed by hand. `UPDATE_SITUATIONS=1` writes the latter anew; then read the difference.
 */
const folder = fileURLToPath(new URL('situations', import.meta.url));

interface Situation {
  readonly transcripts: readonly NodeTranscript[];
  readonly policy: AuditPolicy;
}

interface NodeText {
  readonly name: string;
  unreachable: string | null;
  askedAt: string | null;
  readonly levels: Record<string, string>;
  readonly answers: Partial<Record<ProbeName, Answer>>;
}

function readSituation(text: string): Situation {
  const nodes: NodeText[] = [];
  let policy: AuditPolicy = {};
  let probe: ProbeName | null = null;
  for (const line of text.split('\n')) {
    const current = nodes.at(-1);
    const words = line.trim().split(/\s+/);
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('policy ')) policy = JSON.parse(line.slice('policy '.length));
    else if (line.startsWith('node ')) {
      const [, name = '', how, ...rest] = words;
      const unreachable = how === 'unreachable' ? rest.join(' ') : null;
      nodes.push({ name, unreachable, askedAt: how === 'at' ? String(rest[0]) : null, levels: {}, answers: {} });
      probe = null;
    } else if (current === undefined) throw new Error(`not in a node: ${line}`);
    else if (line.startsWith('  $ ')) {
      probe = probeNames.find((name) => commandOf(name) === line.slice(4)) ?? null;
      if (probe === null) throw new Error(`not asked: ${line}`);
      current.answers[probe] = { kind: 'ended', exitCode: 0, stdout: '', stderr: '' };
    } else if (probe === null) current.levels[String(words[0])] = words.slice(1).join(' ');
    else current.answers[probe] = extend(current.answers[probe], line);
  }
  const transcripts = nodes.map(({ name, unreachable, askedAt, levels, answers }) => {
    if (unreachable !== null) return silentNode(name, unreachable);
    const asked = node(name, levels, answers);
    return askedAt === null ? asked : { ...asked, askedAt };
  });
  return { transcripts, policy };
}

function extend(answer: Answer | undefined, line: string): Answer {
  const [, mark, rest = ''] = /^ {4}(\||!|exit|unanswered) ?(.*)$/.exec(line) ?? [];
  if (answer?.kind !== 'ended' || mark === undefined) throw new Error(`not an answer: ${line}`);
  if (mark === '|') return { ...answer, stdout: `${answer.stdout}${rest}\n` };
  if (mark === '!') return { ...answer, stderr: `${answer.stderr}${rest}\n` };
  return mark === 'exit' ? { ...answer, exitCode: Number(rest) } : { kind: 'unanswered', reason: rest };
}

function printFindings(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ severity, rule, nodes, message, subjects, waiver }) => [
    `${severity} ${rule} [${nodes.join(' ')}]${waiver === null ? '' : ` waiver ${waiver.state}`}`,
    `  ${message}`,
    ...subjects.map(({ name, observations }) => {
      const seen = observations.map(({ node, value }) => `${node} ${value ?? '-'}`);
      return `  = ${name}: ${seen.join(' | ')}`;
    }),
  ]);
  return [...lines, `gate: ${gate(findings).kind}`, ''].join('\n');
}

describe('situations', () => {
  const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );

  it('are at least sixty', () => {
    expect(names.length).toBeGreaterThanOrEqual(60);
  });

  it.each(names)('%s', (name) => {
    const { transcripts, policy } = readSituation(readFileSync(`${folder}/${name}/nodes.txt`, 'utf8'));
    const findings = auditLevels(readTranscripts(transcripts), policy);
    const file = `${folder}/${name}/findings.txt`;
    if (process.env.UPDATE_SITUATIONS === '1') writeFileSync(file, printFindings(findings));
    expect(printFindings(findings)).toBe(readFileSync(file, 'utf8'));
    // The order in which nodes were asked must not matter.
    expect(auditLevels(readTranscripts(transcripts.toReversed()), policy)).toEqual(findings);
  });
});
