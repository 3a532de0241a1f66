import { parse } from '../commands/parse.ts';
import { replay } from '../commands/replay.ts';
import { type Branch, positiveNumber } from './branch.ts';

/** The commands that need no cluster. */
export function addTries({ bare, done }: Branch): void {
  bare(
    'replay <log>',
    'run a recorded run again without its cluster, also with one fact changed',
    'replay /backup/payroll_rg/20261122T010000Z-k3f9q2/incident.ndjson',
    "replay incident.ndjson --change 'ONLINE:db1' 'ERROR:db1'",
  )
    .option('--change <pattern-and-replacement...>', 'change one fact in what the nodes answered')
    .option('-c, --config <file>', 'configuration with which it was recorded; without it every setting has its default')
    .option('--json', 'print JSON lines and nothing else')
    .action(async (log, options) => done(await replay(log, options)));
  bare(
    'parse [file]',
    'read the saved output of a command and print it as JSON',
    "parse --command 'clRGinfo -s' saved.txt",
    "parse --command 'lsvg -M datavg' < datavg.txt",
  )
    .requiredOption('--command <command>', 'the command as it was typed, for instance "clRGinfo -s"')
    .action(async (file, options) => done(await parse(options.command, file)));
  bare(
    'lab',
    'start a simulated two-node cluster and write a configuration for it',
    'lab --directory /tmp/lab --minutes 60',
  )
    .requiredOption('--directory <directory>', 'where the lab and its splitmirror.yaml live')
    .option('--minutes <minutes>', 'end by itself after so long', positiveNumber)
    .action(async (options) => {
      const { lab } = await import('../commands/lab.ts');
      done(await lab(options));
    });
  bare(
    'demo',
    'back up a simulated cluster twice, before your eyes, and restore the last backup',
    'demo',
    'demo --keep',
  )
    .option('--keep', 'leave the lab up and say how to reach its nodes')
    .option('--directory <directory>', 'where everything lies; default a new temporary directory')
    .option('--json', 'print JSON lines and nothing else')
    .action(async (options) => {
      const { demo } = await import('../demo/demo.ts');
      done(await demo(options));
    });
}
