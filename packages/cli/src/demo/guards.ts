import { guardExitCodes, guardScript } from '@splitmirror/hacmp';
import { changes, type Host } from '@splitmirror/host';
import { check } from './check.ts';

/** The nodes' own guard, as a cron job would call it: it runs the job on the node that has the group, and nowhere else. */
export async function askGuards(
  hosts: ReadonlyMap<string, Host>,
  pathOn: (node: string) => string | undefined,
  group: string,
  { without, holder }: { readonly without: string; readonly holder: string },
  say: (line: string) => void,
): Promise<void> {
  const path = '/usr/local/bin/splitmirror-guard';
  for (const [name, host] of hosts) {
    const text = guardScript({ path, commands: pathOn(name), pauseSeconds: 1 });
    const installed = await host.run({
      steps: [
        { id: 'directory', run: changes('mkdir', '-p', '/usr/local/bin'), timeoutSeconds: 30 },
        { id: 'guard', run: changes('tee', path), stdin: text, timeoutSeconds: 30 },
        { id: 'mode', run: changes('chmod', '755', path), timeoutSeconds: 30 },
      ],
    });
    check(
      installed.steps.every((step) => step.kind === 'ended' && step.exitCode === 0),
      `no guard on ${name}`,
    );
  }
  const answers = { [without]: guardExitCodes.notMine, [holder]: guardExitCodes.succeeded };
  for (const [name, expected] of Object.entries(answers)) {
    const run = changes('sh', path, group, 'hostname');
    const asked = await hosts.get(name)?.run({ steps: [{ id: 'guard', run, timeoutSeconds: 60 }] });
    const [step] = asked?.steps ?? [];
    const code = step?.kind === 'ended' ? step.exitCode : undefined;
    check(code === expected, `the guard on ${name} ended with ${code}, not ${expected}`);
    const said = step?.kind === 'ended' ? step.stdout.trim() : '';
    say(`  guard on ${name}: ${expected === 0 ? `mine, and the job ran: ${said}` : 'not mine (20), nothing done'}`);
  }
}
