import { type Commands, fails, prints } from '../command.ts';
import type { Cluster } from './cluster.ts';
import { allEvents, type Customisation } from './customisation.ts';
import type { ClusterLevel } from './subsystems.ts';

type Stanza = Readonly<Record<string, string | number>>;

/** `odmget` of the cluster's classes; another class is asked of `next`. */
export function odmCommands(
  cluster: Cluster,
  customisation: Customisation,
  levelOf: (node: string) => ClusterLevel,
  next: Commands['odmget'] | undefined,
): Commands {
  return {
    odmget: (call) => {
      const { node, args } = call;
      const criteria = args.includes('-q')
        ? args[args.indexOf('-q') + 1]
        : args.find((word) => word.startsWith('-q') && word.length > 2)?.slice(2);
      const objectClass = args.filter((word, index) => !word.startsWith('-') && args[index - 1] !== '-q').at(-1) ?? '';
      const found = objectClass === 'HACMPevent' ? events(customisation) : classOf(cluster, levelOf, node, objectClass);
      if (found === undefined) {
        return next?.(call) ?? fails(`odmget: Could not find object class ${objectClass}\n`);
      }
      const wanted = (criteria ?? '')
        .split(/\s+and\s+/i)
        .map((term) => /^\s*(\w+)\s*=\s*["']?([^"']*)["']?\s*$/.exec(term));
      const chosen = found.filter((stanza) =>
        wanted.every((term) => term === null || String(stanza[term[1] ?? '']) === term[2]),
      );
      return prints(chosen.map((stanza) => printStanza(objectClass, stanza)).join(''));
    },
  };
}

function printStanza(objectClass: string, stanza: Stanza): string {
  const lines = Object.entries(stanza).map(
    ([name, value]) => `\t${name} = ${typeof value === 'number' ? value : `"${value}"`}\n`,
  );
  return `\n${objectClass}:\n${lines.join('')}`;
}

/** What is registered beside each event: attributes as remembered, the lab's own descriptions. */
function events(customisation: Customisation): readonly Stanza[] {
  const names = (event: string, place: 'pre' | 'post') =>
    customisation
      .of(event, place)
      .map(({ name }) => name)
      .join(' ');
  return allEvents.map((event, index) => ({
    name: event,
    desc: `Script run for the ${event} event.`,
    setno: 101,
    msgno: index + 1,
    catalog: 'events.cat',
    cmd: `/usr/es/sbin/cluster/events/${event}`,
    notify: '',
    pre: names(event, 'pre'),
    post: names(event, 'post'),
    recv: '',
    count: 0,
    event_duration: 0,
  }));
}

function classOf(
  { topology }: Cluster,
  levelOf: (node: string) => ClusterLevel,
  node: string,
  objectClass: string,
): readonly Stanza[] | undefined {
  switch (objectClass) {
    case 'HACMPcluster': {
      const self = topology.nodes.find(({ name }) => name === node);
      return [
        {
          id: topology.clusterId,
          name: topology.cluster,
          nodename: node,
          sec_level: 'Standard',
          last_node_ids: topology.nodes.map(({ id }) => id).join(', '),
          highest_node_id: topology.nodes.length,
          last_network_ids: '1',
          highest_network_id: 1,
          noautoverification: 0,
          multi_site_lb: 0,
          nodeid: self?.id ?? 0,
          cluster_version: levelOf(node).protocol,
        },
      ];
    }
    case 'HACMPnode':
      // One stanza for each attribute, so the node's name and version repeat (facts hacmp.md 9, levels.md 1.6).
      return topology.nodes.flatMap(({ name, id, host, address }) =>
        [
          ['COMMUNICATION_PATH', host],
          ['IPADDRESS', address],
        ].map(([object, value]) => ({
          name,
          object: object ?? '',
          value: value ?? '',
          node_id: id,
          node_handle: id,
          version: levelOf(name).protocol,
        })),
      );
    case 'HACMPgroup':
      return topology.groups.map(({ name, nodes, policies }, index) => ({
        group: name,
        type: 'ignore',
        nodes: nodes.join(' '),
        id: index + 1,
        persistent: '',
        startup_pref: policies.startup,
        fallover_pref: policies.fallover,
        fallback_pref: policies.fallback,
      }));
    case 'HACMPresource':
      return topology.groups.flatMap(({ name, volumeGroups, fileSystems, serviceLabel, application }, index) =>
        [
          ...(serviceLabel === undefined ? [] : [['SERVICE_LABEL', serviceLabel]]),
          ...(fileSystems === 'ALL' ? ['ALL'] : fileSystems).map((value) => ['FILESYSTEM', value]),
          ...volumeGroups.map((value) => ['VOLUME_GROUP', value]),
          ...(application === undefined ? [] : [['APPLICATIONS', application.name]]),
        ].map(([object = '', value = '']) => ({
          group: name,
          type: '',
          name: object,
          value,
          id: index + 1,
          monitor_method: '',
        })),
      );
    default:
      return undefined;
  }
}
