import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { judge } from '../src/node-scripts/guard-judge.ts';
import { round } from './guard-round.ts';
import { situations } from './situations.ts';
import { answer, failed, healthyWorld, type NodeWorld, type Output, ok, group as payGroup } from './world.ts';

const awks = ['awk', 'gawk', 'mawk', 'busybox'].filter((name) => spawnSync(name, ['--help']).error === undefined);

function judged(awk: string, input: string, settings: readonly string[]): string {
  const args = [...settings.flatMap((setting) => ['-v', setting]), judge];
  return execFileSync(awk, awk === 'busybox' ? ['awk', ...args] : args, { input, encoding: 'utf8' });
}

describe.each(awks)('judgement of the guard in %s', (awk) => {
  it.each(situations.filter(({ controllerOnly }) => !controllerOnly))(
    '$verdict: $title',
    ({ world, later = world, policy = {}, group = payGroup, verdict, because, guard }) => {
      const input = `@round 1\n${round(world, group)}@round 2\n${round(later, group)}`;
      const settings = [
        `group=${group}`,
        `tie_break=${policy.tieBreak ?? 'none'}`,
        `minority=${policy.minority ?? 'none'}`,
      ];
      const said = judged(awk, input, settings);
      const [first = '', ...reasons] = said.trimEnd().split('\n');
      // Why a node gave no report is hidden behind clcmd.
      const codes = because.map((code) => code.replace(/^(HOST_[A-Z_]+|NO_HOST)$/, 'HOST_UNREACHABLE'));
      const wanted = guard ?? (verdict === 'held' ? [`held ${because[0]}`] : [verdict, ...codes]);
      expect([first, ...reasons.map((line) => line.split(' ')[0] ?? '').sort()]).toEqual([
        wanted[0],
        ...wanted.slice(1).sort(),
      ]);
    },
  );
});

describe('judgement of the guard, when one answer of one node is damaged', () => {
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

  it.each(commands)('names nobody but the holder, whatever %s says', (command) => {
    const nodes = ['db1', 'db2', 'db3'];
    const whole = answer(healthyWorld(nodes).db1 as NodeWorld, command);
    const text = whole === 'hang' ? '' : (whole.stdout ?? '');
    const cuts = Array.from({ length: Math.ceil(text.length / 13) }, (_, index) => ok(text.slice(0, index * 13)));
    for (const output of [
      ...cuts,
      'hang',
      failed('no', 1),
      ok('db1 is fine\n'),
      ok(`${text}${text}`),
    ] satisfies Output[]) {
      const world = healthyWorld(nodes);
      Object.assign(world.db1?.overrides ?? {}, { [command]: output });
      const rounds = `@round 1\n${round(world, payGroup)}@round 2\n${round(world, payGroup)}`;
      const said = judged('awk', rounds, [`group=${payGroup}`]);
      expect(said).toMatch(/^(held db1\n$|(undecidable|moving|offline|contested|unknown-group)\n.)/);
      const supports = ['lsrpnode', 'cllsnode', 'ifconfig -a'].includes(command);
      if ((output === 'hang' || output.exitCode !== 0) && !supports) expect(said).not.toMatch(/^held/);
    }
  });
});

it('the judgement holds no single quote, between two of which the guard carries it', () => {
  expect(judge).not.toContain("'");
});
