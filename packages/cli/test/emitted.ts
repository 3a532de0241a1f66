import { type Command, createHost, type Host, members, type Pipeline } from '@splitmirror/host';
import type { Lab } from '@splitmirror/lab';

/** Hosts of a lab without ssh, and every command that was sent to one of them. */
export function listeningHosts(lab: Lab): { readonly hosts: Map<string, Host>; readonly emitted: Command[] } {
  const emitted: Command[] = [];
  const keep = (run: Command | Pipeline) => void emitted.push(...members(run));
  const hosts = lab.nodes.map(({ name, path }): [string, Host] => {
    const host = createHost(name, lab.transport(name), { path, shell: lab.shell });
    const listening: Host = {
      name,
      run(script, options) {
        for (const { run } of script.steps) keep(run);
        return host.run(script, options);
      },
      stream(source, settings) {
        keep(source);
        return host.stream(source, settings);
      },
      close: () => host.close(),
    };
    return [name, listening];
  });
  return { hosts: new Map(hosts), emitted };
}
