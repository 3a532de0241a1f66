import { answer, type World } from './world.ts';

/** What the guard would have written down in one round. */
export function round(world: World, group: string): string {
  return Object.entries(world)
    .filter(([, { reach }]) => reach === 'ok')
    .map(([name, node]) => {
      const vgs = group === node.config.group ? node.config.volumeGroups : [];
      const questions: [string, string][] = [
        ['name', 'get_local_nodename'],
        ['manager', 'lssrc -ls clstrmgrES'],
        ['groups', 'clRGinfo -s'],
        ['states', 'clmgr -cv -a name,state,raw_state query node'],
        ['membership', 'lscluster -m'],
        ['peers', 'lsrpnode'],
        ['labels', 'cllsnode'],
        ['addresses', 'ifconfig -a'],
        ['resources', 'clshowres'],
        ...vgs.flatMap((vg): [string, string][] => [
          [`vg:${vg}`, `lsvg ${vg}`],
          [`lvs:${vg}`, `lsvg -l ${vg}`],
        ]),
        ['mounts', 'mount'],
      ];
      const asked = questions.map(([question, command]) => {
        const output = answer(node, command);
        const { stdout = '', stderr = '', exitCode } = output === 'hang' ? { exitCode: 'timeout' } : output;
        return `@ask ${question} ${exitCode}\n${marked('|', stdout)}${marked('!', stderr)}`;
      });
      return `NODE ${name}\n${asked.join('')}@end\n`;
    })
    .join('');
}

function marked(mark: string, text: string): string {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => (text === '' ? '' : `${mark}${line}\n`))
    .join('');
}
