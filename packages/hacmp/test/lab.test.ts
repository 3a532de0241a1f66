import { createHost } from '@splitmirror/host';
import { type Lab, startLab } from '@splitmirror/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HaCluster, haCluster, type Policy } from '../src/index.ts';

const group = 'ledger_rg';
let lab: Lab;
beforeAll(async () => {
  lab = await startLab({ contentBytes: 100_000, phaseMs: 5 });
});
afterAll(() => lab.close());

function cluster(policy: Policy = {}): HaCluster {
  const hosts = new Map(lab.nodes.map(({ name, path }) => [name, createHost(name, lab.transport(name), { path })]));
  return haCluster({ hosts, now: () => new Date(), policy });
}

/** The verdict with its codes, and the holder's name. */
async function located(policy?: Policy): Promise<string[]> {
  const standing = await cluster(policy).locate(group);
  if (standing.kind === 'held') return ['held', standing.node];
  return [standing.kind, ...new Set(standing.reasons.map((reason) => reason.code))];
}

describe('haCluster in the lab', () => {
  it('follows the group to the other node and back', async () => {
    expect(await located()).toEqual(['held', 'db_node1']);
    const first = await cluster().locate(group);
    const proof = first.kind === 'held' ? first.proof : undefined;
    expect(proof && (await cluster().confirm(proof))).toMatchObject({ kind: 'holds' });
    await lab.move(group, 'db_node2');
    expect(await located()).toEqual(['held', 'db_node2']);
    expect(proof && (await cluster().confirm(proof))).toMatchObject({ kind: 'lost' });
    await lab.move(group, 'db_node1');
  });

  it('says that the group is moving while it moves', async () => {
    const moved = lab.move(group, 'db_node2');
    const told = await located();
    expect(told[0]).not.toBe('held');
    await moved;
    await lab.move(group, 'db_node1');
  });

  it('wants an operator to vouch for a survivor', async () => {
    await lab.crash('db_node1');
    expect(await located()).toEqual(['undecidable', 'NO_MAJORITY']);
    expect(await located({ minority: 'trust-the-survivors' })).toEqual(['held', 'db_node2']);
    await lab.recover('db_node1');
    expect(await located()).toEqual(['held', 'db_node2']);
    await lab.move(group, 'db_node1');
  });

  it('refuses while each side of a partition has taken the group', async () => {
    await lab.partition();
    const [kind, ...codes] = await located({ minority: 'trust-the-survivors' });
    expect(kind).not.toBe('held');
    expect(codes).not.toEqual([]);
    lab.heal();
  });
});
