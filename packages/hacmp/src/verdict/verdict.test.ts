import { describe, expect, it } from 'vitest';
import { situations } from '../../test/situations.ts';
import {
  answer,
  failed,
  healthyWorld,
  hostsOf,
  type NodeWorld,
  type Output,
  ok,
  group as payGroup,
} from '../../test/world.ts';
import { contentsOf, decide, survey, type Verdict } from '../index.ts';

describe('decide', () => {
  it.each(situations)(
    '$verdict: $title',
    async ({ world, later = world, policy, group = payGroup, verdict, because, warnings = [] }) => {
      const first = await survey(hostsOf(world));
      const volumeGroups = contentsOf(group, first)?.volumeGroups;
      const rounds = volumeGroups ? [first, await survey(hostsOf(later), { volumeGroups })] : [first];
      const decided = decide(group, rounds, policy);
      const told = decided.kind === 'held' ? [decided.node] : decided.reasons.map((reason) => reason.code);
      expect([decided.kind, ...told]).toEqual([verdict, ...because]);
      const warned = decided.kind === 'held' ? decided.warnings.map((warning) => warning.code) : [];
      expect(warned).toEqual(warnings);
    },
  );
});

it('names the command for a mount that is a copy of ours, which nobody has to settle', async () => {
  const made = healthyWorld(['db1', 'db2']);
  for (const node of Object.values(made)) {
    node.volumes.payvg?.push(['smk3f9q2201', 'jfs2', '/splitmirror/k3f9q2/paylv']);
  }
  made.db2?.mounts.push(
    ['/dev/smk3f9q2201', '/splitmirror/k3f9q2/paylv', 'Nov 20 07:00'],
    ['/dev/smk3f9q2201', '/mnt', 'Nov 20 07:00'],
  );
  const decided = decide(payGroup, [await survey(hostsOf(made), { volumeGroups: ['payvg'] })]);
  const remedies = decided.kind === 'held' ? [] : decided.reasons.map(({ remedy }) => remedy);
  expect(remedies).toEqual([
    'It is a copy that splitmirror mounted: "umount /splitmirror/k3f9q2/paylv" on db2 frees it and loses nothing. Once a node holds payrg provably again, "splitmirror recover payrg" clears away the rest.',
    'Settle by hand who owns the data: the disks on db2 contradict the cluster.',
  ]);
});

it('asks nobody to report a node state that tells of a failed event', async () => {
  const made = healthyWorld(['db1', 'db2']);
  const { db1 } = made;
  if (db1)
    db1.nodeStates = db1.nodeStates?.map((row) => (row[0] === 'db2' ? ['db2', 'NORMAL', 'ST_RP_FAILED'] : row)) ?? null;
  const decided = decide(payGroup, [await survey(hostsOf(made), { volumeGroups: ['payvg'] })]);
  const [first] = decided.kind === 'held' ? [] : decided.reasons;
  expect(first).toMatchObject({ code: 'NODE_STATE_UNKNOWN', remedy: expect.stringContaining('"clruncmd db2"') });
});

/** They may refuse or warn; a usable answer of them is no condition. */
const supporting = ['lsrpnode', 'cllsnode', 'ifconfig -a'];

describe('decide, when one answer of one node is damaged', () => {
  const commands = [
    'get_local_nodename',
    'lssrc -ls clstrmgrES',
    'clRGinfo -s',
    'clmgr -cv -a name,state,raw_state query node',
    'lscluster -m',
    'lsrpnode',
    'cllsnode',
    'ifconfig -a',
    'clshowres',
    'mount',
    'lsvg payvg',
    'lsvg -l payvg',
  ];

  async function decided(node: string, command: string, output: Output): Promise<Verdict> {
    const world = healthyWorld(['db1', 'db2', 'db3']);
    const damaged = world[node];
    if (damaged) damaged.overrides[command] = output;
    const reports = await survey(hostsOf(world), { volumeGroups: ['payvg'] });
    return decide(payGroup, [reports]);
  }

  it.each(commands)('names nobody but the holder, whatever %s says', async (command) => {
    const whole = answer(healthyWorld(['db1', 'db2', 'db3']).db1 as NodeWorld, command);
    const text = whole === 'hang' ? '' : (whole.stdout ?? '');
    // Where a volume group is passive, nobody needs to know its volumes.
    for (const node of command === 'lsvg -l payvg' ? ['db1'] : ['db1', 'db2']) {
      for (let end = 0; end < text.length; end++) {
        const verdict = await decided(node, command, ok(text.slice(0, end)));
        if (verdict.kind === 'held') expect(verdict.node).toBe('db1');
      }
      for (const output of [
        'hang',
        failed('no', 1),
        ok(''),
        ok('db1 is fine\n'),
        ok(`${text}${text}`),
      ] satisfies Output[]) {
        const verdict = await decided(node, command, output);
        if (verdict.kind === 'held') expect([supporting.includes(command), verdict.node]).toEqual([true, 'db1']);
      }
    }
  });
});
