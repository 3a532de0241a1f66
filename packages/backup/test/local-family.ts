import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Host, localHost } from '@splitmirror/host';
import type { BackupContext } from '../src/context.ts';
import type { BackupEvent } from '../src/events.ts';
import type { MirrorPort, Phase, PhaseOutcome, Standing } from '../src/ports.ts';
import { openStore } from '../src/store/store.ts';
import { systemSurroundings } from '../src/surroundings.ts';

/** What a test may change while a run is under way. */
export interface LocalFamily {
  readonly context: BackupContext;
  readonly events: BackupEvent[];
  readonly directory: string;
  /** Called before each phase; may throw, wait, or answer in its place. */
  onPhase: (group: string, phase: Phase) => Promise<PhaseOutcome | undefined>;
  /** Group by group: the node that holds it, or `null`. */
  readonly holders: Map<string, string | null>;
}

/** A cluster whose nodes are this very machine: locks and archives are real, the mirror is not. */
export async function localFamily(holders: Readonly<Record<string, string | null>>): Promise<LocalFamily> {
  const directory = await mkdtemp(join(tmpdir(), 'splitmirror-local-'));
  const nodes = [...new Set(Object.values(holders).filter((node) => node !== null)), 'spare'];
  const hosts = new Map<string, Host>(nodes.map((node) => [node, localHost(node, { path: '/usr/bin:/bin' })]));
  for (const group of Object.keys(holders)) {
    await mkdir(join(directory, group));
    await writeFile(join(directory, group, 'data'), 'x'.repeat(2000));
  }
  const phase = (group: string, node: string, name: string): Phase => ({
    name,
    node,
    title: `${name} of ${group}`,
    script: { steps: [] },
    explains: {},
    undo: [],
  });
  const groupOf = ({ title }: Phase) => title.split(' of ').at(-1) ?? '';
  const mirror: MirrorPort = {
    look: async (node, { volumeGroups }) => ({
      node,
      digest: `${volumeGroups.join()} on ${node}`,
      leftovers: [],
      stalePartitions: 0,
      fileSystems: volumeGroups.map((group) => join(directory, group)),
      dataVolumes: volumeGroups.map((group) => ({
        volume: `${group}lv`,
        holds: 'file-system',
        mountPoint: join(directory, group),
      })),
    }),
    plan: ({ node, fileSystems }, { run }) => {
      const [path = ''] = fileSystems;
      const group = path.split('/').at(-1) ?? '';
      return {
        plan: {
          run,
          node,
          volumes: [
            {
              volume: `${group}lv`,
              strategy: 'none',
              copy: `sm${run}201`,
              source: { kind: 'directory', mountPoint: path, path },
              bytes: 1 << 20,
              copies: 2,
              copiesLeft: 1,
              partitionsToResync: 1,
            },
          ],
          split: phase(group, node, 'split'),
          expose: phase(group, node, 'expose'),
          withdraw: phase(group, node, 'withdraw'),
          merge: phase(group, node, 'merge'),
          frozenSecondsAtMost: 30,
        },
      };
    },
    perform: async (planned) =>
      (await family.onPhase(groupOf(planned), planned)) ?? {
        kind: 'done',
        facts: planned.name === 'split' ? { frozenSeconds: '2' } : {},
        transcript: { kind: 'completed', steps: [] },
      },
    redundancy: async () => ({ kind: 'whole' }),
    recovery: () => ({ phases: [], problems: [] }),
  };
  const held = new Map(Object.entries(holders));
  const events: BackupEvent[] = [];
  const family: LocalFamily = {
    directory,
    events,
    holders: held,
    onPhase: async () => undefined,
    context: {
      hosts,
      mirror,
      store: openStore(join(directory, 'store')),
      surroundings: systemSurroundings(),
      onEvent: (event) => void events.push(event),
      audit: async () => ({ kind: 'pass', findings: [] }),
      cluster: {
        nodes,
        async locate(group): Promise<Standing> {
          const node = held.get(group);
          const reason = {
            code: 'X',
            node: null,
            message: 'nobody has it',
            seen: 'offline',
            remedy: 'Bring it online.',
          };
          if (node === undefined) return { kind: 'unknown-group', reasons: [reason], evidence: [] };
          if (node === null) return { kind: 'offline', reasons: [reason], evidence: [] };
          const proof = { group, node, takenAt: '2026-01-01T00:00:00.000Z', digest: node, facts: { node } };
          const contents = { volumeGroups: [group], fileSystems: 'ALL' } as const;
          return { kind: 'held', node, contents, proof, evidence: [] };
        },
        async confirm(proof) {
          const node = held.get(proof.group);
          return node === proof.node
            ? { kind: 'holds', proof }
            : { kind: 'lost', changed: [{ fact: 'node', before: proof.node, after: String(node) }] };
        },
      },
    },
  };
  return family;
}
