import type { ClusterPort, MirrorPort, PhaseOutcome, PlannedVolume } from '../../src/ports.ts';
import { contentsOf, familyRecovery, phase, pictureOf, problem, proofOn } from './actors.ts';
import { runScript } from './scripts.ts';
import { fullCopies, groupOf, tick, type World } from './world.ts';

/** The modelled cluster as a family, so that the model keeps the same contract as the families that it stands for. */
export function modelCluster(world: World): ClusterPort {
  return {
    nodes: world.nodes,
    async locate(name) {
      const group = world.groups.find((each) => each.name === name);
      const refused = (kind: 'unknown-group' | 'moving') => ({ kind, reasons: [problem('REFUSED')], evidence: [] });
      if (group === undefined) return refused('unknown-group');
      if (group.home === null || !world.up.includes(group.home)) return refused('moving');
      const evidence = [{ node: group.home, source: 'model', says: 'it is here' }];
      return { kind: 'held', node: group.home, contents: contentsOf(name), proof: proofOn(name, group.home), evidence };
    },
    async confirm(proof) {
      if (!world.up.includes(proof.node)) return { kind: 'unknown', reason: 'no answer' };
      const now = groupOf(world, proof.group).home;
      if (now === proof.node && proof.facts.node === now) return { kind: 'holds', proof };
      return { kind: 'lost', changed: [{ fact: 'node', before: proof.node, after: String(now) }] };
    },
  };
}

export function modelMirror(world: World): MirrorPort {
  return {
    async look(node, { volumeGroups: [vg = ''] }) {
      const group = groupOf(world, vg.replace(/vg$/, ''));
      const picture = pictureOf(group, node);
      // Time goes by between two looks.
      group.stale = Math.max(0, group.stale - 1);
      return picture;
    },
    plan({ node, fileSystems }, request) {
      const unknown = [...request.fileSystems.filter((each) => !fileSystems.includes(each)), ...request.rawVolumes];
      if (unknown.length > 0) return { problems: unknown.map(() => problem('UNKNOWN', node)) };
      const { run } = request;
      const volumes: PlannedVolume[] = request.fileSystems.map((mountPoint) => ({
        volume: 'datalv',
        strategy: 'model',
        copy: `sm${run}201`,
        source: { kind: 'directory', mountPoint, path: `/splitmirror/${run}/datalv` },
        bytes: 1,
        copies: fullCopies,
        copiesLeft: fullCopies - 1,
        partitionsToResync: 2,
      }));
      const named = (name: string) => ({ ...phase(name, node), title: run });
      const [split, expose, withdraw, merge] = [named('split'), named('expose'), named('withdraw'), named('merge')];
      return { plan: { run, node, volumes, split, expose, withdraw, merge, frozenSecondsAtMost: 60 } };
    },
    async perform(asked): Promise<PhaseOutcome> {
      const end = runScript(world, 'g', asked.title, { kind: 'perform', phase: asked });
      const transcript = { kind: 'completed', steps: [] } as const;
      if (end === 'ok') return { kind: 'done', facts: {}, transcript };
      return { kind: 'failed', problems: [problem('FAILED', asked.node)], transcript };
    },
    async redundancy() {
      const group = groupOf(world, 'g');
      if (group.copies < fullCopies) return { kind: 'reduced', problems: [problem('REDUCED')] };
      const stalePartitions = group.stale;
      group.stale = Math.max(0, group.stale - 1);
      tick(world);
      return stalePartitions > 0 ? { kind: 'resyncing', stalePartitions, totalPartitions: 2 } : { kind: 'whole' };
    },
    recovery: familyRecovery,
  };
}
