import { wordsOf } from './world/actors.ts';
import type { Journey } from './world/journeys.ts';

/** What is known of one step of the run under one kind of fault. */
interface Row {
  readonly effect: string;
  readonly fault: string;
  cells: number;
  readonly ends: Set<string>;
  readonly left: Set<string>;
  frozen: number;
  recoveries: number;
}

/** Counts that the page tells beside its table. */
export interface Counts {
  readonly singles: number;
  readonly pairs: number;
  readonly seeds: number;
  readonly explored: readonly {
    readonly faults: number;
    readonly patient: boolean;
    readonly states: number;
    readonly transitions: number;
  }[];
}

/** Gathers the journeys of single faults into rows. */
export function matrix(): { add(journey: Journey): void; render(counts: Counts): string } {
  const rows = new Map<string, Row>();
  return {
    add({ faults, run, left, recoveries, world }) {
      const [step] = faults;
      if (step === undefined || !step.forward) return;
      const fault = family(wordsOf(step.fault));
      const key = `${step.effect} ${fault}`;
      const row: Row = rows.get(key) ?? {
        effect: step.effect,
        fault,
        cells: 0,
        ends: new Set(),
        left: new Set(),
        frozen: 0,
        recoveries: 0,
      };
      row.cells += 1;
      row.ends.add(run);
      for (const what of left)
        row.left.add(what.replace(/^directories.*/, 'directories').replace(/^1 copies/, 'one copy less'));
      row.frozen = Math.max(row.frozen, ...world.groups.map(({ worstFrozen }) => worstFrozen));
      row.recoveries = Math.max(row.recoveries, recoveries.length);
      rows.set(key, row);
    },
    render: (counts) => page([...rows.values()], counts),
  };
}

/** Kind of a fault, without the place in the script and the delay. */
function family(words: string): string {
  return words
    .replace(/^killed at .*/, 'killed while the script runs')
    .replace(/^crash (before|after) at .*/, 'node crash in the script')
    .replace(/^group moves at .*/, 'group moves in the script')
    .replace(/^clock (forward|back) at .*/, 'node clock jumps')
    .replace(/^controller clock$/, 'controller clock jumps')
    .replace(/^fails$/, 'no answer, or a failure')
    .replace(/^second run$/, 'second initiator runs')
    .replace(/^second recovery$/, 'second initiator recovers')
    .replace(/ at .*/, '');
}

function page(rows: readonly Row[], { singles, pairs, seeds, explored }: Counts): string {
  const table = rows.map(({ effect, fault, cells, ends, left, frozen, recoveries }) => {
    const state = [...left].sort().join(', ') || 'nothing';
    const command = recoveries === 0 ? '-' : left.size === 0 ? 'recover, for what comes late' : 'recover';
    return `| ${effect} | ${fault} | ${cells} | ${[...ends].sort().join(', ')} | ${state} | ${frozen === 0 ? '-' : `${frozen} s`} | ${risk(ends, left)} | ${command} |`;
  });
  const explorations = explored.map(
    ({ faults, patient, states, transitions }) =>
      `- at most ${faults} fault${faults > 1 ? 's' : ''}${patient ? ', where scripts do not overlap' : ''}: ${number(states)} states, ${number(transitions)} transitions`,
  );
  return `# Crash matrix

What a fault at each step of a run leaves behind, and what brings it back. Made by the tests of \`packages/backup\`: do not edit;
\`SPLITMIRROR_WRITE=1 npx vitest run packages/backup/test/faults.test.ts\` writes it anew, and a test fails when it is out of date.

| proof | count |
|---|---|
| single faults: every effect of a run, of its way back and of the recoveries after it | ${number(singles)} cells, all proven |
| pairs of faults, the second anywhere after the first | ${number(pairs)} cells, all proven |
| random schedules of two initiators on 2 to 4 nodes and 1 to 3 groups, in each test run | ${number(seeds)} seeds |

After each cell the nodes come back, what is still under way ends, and \`recover\` is run until the group is as it was. Asked of every
cell: no file system frozen beyond its bound, never two splits of a group, nothing changed without a fresh proof of ownership and
the lock, no manifest without a whole archive of a sound copy, no quiesce note gone before a confirmed resume, nobody else's
freeze ended, all copies back, nothing of ours left, and the verdict true.

The protocol of lock, ownership, freeze and merge has also been explored as a model of its own (\`test/explorer\`): 2 nodes, 2
initiators that may do anything the rules allow, in any order. Every step of the random schedules is checked to be one of this model
(\`refinement.test.ts\`):

${explorations.join('\n')}

## Steps and faults

\`recover\` stands for \`splitmirror recover GROUP\`, \`-\` for nothing: the run has gone back by itself, or has gone on. "Cells" counts
the commands of the step's script, and for what comes late the moments at which it comes. Times are bounds of the model, in which
every command takes a second: a freeze that nobody ends is ended by the kernel.

| step | fault | cells | the run ends | on the nodes then | frozen at most | at risk | command |
|---|---|---|---|---|---|---|---|
${table.join('\n')}

## What is not proven

- A command that brings the application to rest is given up and killed at its deadline, and what it has asked of the application comes
  into effect later. The run resumes, leaves the note, and says that a person has to look: as long as the note stands, a takeover and
  \`recover\` resume. What takes effect after that \`recover\` is in no cell: nothing on the node can tell that it will
  ([guarantees](guarantees.md#a-suspension-that-comes-late)).
- A split script whose controller was killed goes on to its end. Where somebody recovers in the very seconds in which it suspends the
  application, and the node crashes before it has resumed, the application may be left suspended without a note. The explorer finds
  it (two faults and a recovery between them); it is excluded from its counts by the rule "nobody pays the debt of a script that may
  still run". The way back of the run itself keeps that rule: where it has not heard of the end of its split script, it resumes, and
  leaves the note to the script or, where that is gone too, to a person.
- What a script does after the last look of a recovery (seconds) is found by the next one: \`recover\` is safe to repeat.
- The cells are those of a model. The lab runs \`kill -9\` of a real controller at each step that changes something and compares what
  is left with this table (\`packages/cli/test/kills.test.ts\`). Real AIX hardware has shown none of them.
`;
}

function risk(ends: ReadonlySet<string>, left: ReadonlySet<string>): string {
  const risks = [
    ...(left.has('one copy less') ? ['one copy less until then'] : []),
    ...(left.has('a suspended application') ? ['application at rest until then'] : []),
    ...(ends.has('good') ? (ends.size > 1 ? ['no backup unless the run is good'] : []) : ['no backup']),
  ];
  return risks.join('; ') || 'none';
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
