import { createHost } from '@splitmirror/host';
import { startLab } from '@splitmirror/lab';
import { describe, it } from 'vitest';
import { aixFamily } from '../src/aix.ts';
import { quiesceSteps } from '../src/run/quiesce.ts';
import { type ClusterSubject, clusterContract, type MirrorSubject, mirrorContract } from '../src/testing.ts';
import { labPolicy } from './lab-policy.ts';
import { modelCluster, modelMirror } from './world/ports.ts';
import { freshWorld, handOver, landAll } from './world/world.ts';

async function openLab() {
  const lab = await startLab({ contentBytes: 100_000, phaseMs: 1, resyncPerSecond: 1000 });
  const hosts = new Map(lab.nodes.map(({ name, path }) => [name, createHost(name, lab.transport(name), { path })]));
  return { lab, family: aixFamily({ hosts, now: () => new Date(), stabilityMs: 20 }) };
}

async function aixCluster(): Promise<ClusterSubject> {
  const { lab, family } = await openLab();
  return {
    port: family.cluster,
    group: 'ledger_rg',
    holder: 'db_node1',
    move: () => lab.move('ledger_rg', 'db_node2'),
    silence: async (node) => lab.crash(node),
    dispose: () => lab.close(),
  };
}

async function aixMirror(): Promise<MirrorSubject> {
  const { lab, family } = await openLab();
  const standing = await family.cluster.locate('ledger_rg');
  if (standing.kind !== 'held') throw new Error(standing.kind);
  const picture = await family.mirror.look('db_node1', standing.contents);
  await lab.run('db_node1', ['mkdir', '-p', '/ledger/accounts/.splitmirror']);
  return {
    port: family.mirror,
    node: 'db_node1',
    other: 'db_node2',
    contents: standing.contents,
    request: {
      fileSystems: picture.fileSystems,
      rawVolumes: ['auditlv'],
      ...quiesceSteps(labPolicy.quiesce, '/ledger/accounts/.splitmirror', 'k3f9q2', 'db_node1'),
      freezeSeconds: 30,
      allowLastCopy: true,
    },
    dispose: () => lab.close(),
  };
}

async function modelledCluster(): Promise<ClusterSubject> {
  const world = freshWorld();
  return {
    port: modelCluster(world),
    group: 'g',
    holder: 'a',
    async move() {
      for (const group of world.groups) handOver(world, group);
      landAll(world);
    },
    async silence(node) {
      world.up = world.up.filter((other) => other !== node);
    },
  };
}

async function modelledMirror(): Promise<MirrorSubject> {
  const world = freshWorld();
  return {
    port: modelMirror(world),
    node: 'a',
    other: 'b',
    contents: { volumeGroups: ['gvg'], fileSystems: ['/g'] },
    request: { fileSystems: ['/g'], rawVolumes: [], suspend: [], resume: [], freezeSeconds: 60, allowLastCopy: true },
  };
}

describe('the cluster contract, kept by the AIX family in the lab', { timeout: 60_000 }, () => {
  for (const rule of clusterContract(aixCluster, { silences: true })) it(rule.name, () => rule.run());
});

describe('the mirror contract, kept by the AIX family in the lab', { timeout: 60_000 }, () => {
  for (const rule of mirrorContract(aixMirror)) it(rule.name, () => rule.run());
});

describe('the cluster contract, kept by the model that the faults are proven with', () => {
  for (const rule of clusterContract(modelledCluster, { silences: true })) it(rule.name, () => rule.run());
});

describe('the mirror contract, kept by the model that the faults are proven with', () => {
  for (const rule of mirrorContract(modelledMirror)) it(rule.name, () => rule.run());
});
