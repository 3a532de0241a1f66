import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, ManagerState, Member } from './cluster.ts';
import { type Customisation, eventNames } from './customisation.ts';
import { acquire, type NodeSupport, release, standBy } from './resources.ts';
import { isConcurrent, type ResourceGroup } from './topology.ts';

/** How cluster services are stopped on a node. */
export type StopManner = 'offline' | 'move' | 'unmanage';

/** Moving a group failed, or was refused; the message is what the command prints. */
export class MoveRefused extends Error {}

/** What happens to a cluster. Events run one after another; each call settles when its own is complete. */
export interface Events {
  /** Starts cluster services on a node; groups that are offline everywhere come online where their policy says. */
  start(node: string): Promise<void>;
  stop(node: string, manner: StopManner): Promise<void>;
  /** @throws MoveRefused when the group cannot be moved there, or did not come online there. */
  move(group: ResourceGroup, target: string): Promise<void>;
  bringOffline(group: ResourceGroup, node: string): Promise<void>;
  /** A node has lost its power: the others notice and take over what it held. */
  crash(node: string): Promise<void>;
  /** Cuts every link between the nodes. Each side then believes the others dead and takes over what they held. */
  partition(): Promise<void>;
  /** Recovers from a failed event script on a node (`clruncmd`): the rest of the event is skipped. */
  recover(node: string): void;
  /** Settles when no event is under way or waiting. */
  settled(): Promise<void>;
}

/** The cluster managers at work. */
export function createEvents(cluster: Cluster, support: NodeSupport, customisation: Customisation): Events {
  let queue: Promise<void> = Promise.resolve();

  function enqueue(work: () => Promise<void>): Promise<void> {
    const done = queue.then(work);
    queue = done.catch(() => {});
    return done;
  }

  async function enter(members: readonly Member[], state: ManagerState): Promise<void> {
    for (const member of members) {
      if (member.services !== 'down' && member.manager !== 'ST_RP_FAILED') member.manager = state;
    }
    if (support.phaseMs() > 0) await delay(support.phaseMs());
  }

  /** The states that the managers walk through while an event runs (facts hacmp.md 3). */
  async function run(
    name: keyof typeof eventNames,
    about: Member,
    at: Member,
    work: () => Promise<void>,
  ): Promise<void> {
    const taking = cluster.active(at);
    await enter(taking, 'ST_VOTING');
    await enter(taking, 'ST_RP_RUNNING');
    await custom(name, about, taking, '', 'pre');
    await work();
    const failed = taking.some(({ manager }) => manager === 'ST_RP_FAILED');
    for (const member of taking) if (member.powered) member.lastEvent = { name, node: about.id };
    if (failed) return;
    await custom(name, about, taking, '', 'post');
    for (const place of ['pre', 'post'] as const) await custom(name, about, taking, '_complete', place);
    await enter(taking, 'ST_CBARRIER');
    for (const member of taking) if (member.services !== 'down') member.manager = 'ST_STABLE';
  }

  /**
   * What operators have registered, on each node that takes part, with the names of event and node. The manager waits for
   * it; its status changes nothing (nobody has told what a failed one does).
   */
  async function custom(
    name: keyof typeof eventNames,
    about: Member,
    taking: readonly Member[],
    half: '' | '_complete',
    place: 'pre' | 'post',
  ): Promise<void> {
    for (const member of taking) {
      for (const event of eventNames[name][member === about ? 'local' : 'remote']) {
        for (const { path } of customisation.of(`${event}${half}`, place)) {
          if (member.powered) await support.run(member.name, [path, `${event}${half}`, about.name]);
        }
      }
    }
  }

  async function barrier(at: Member): Promise<void> {
    await enter(cluster.active(at), 'ST_BARRIER');
    await enter(cluster.active(at), 'ST_RP_RUNNING');
  }

  async function take(member: Member, group: ResourceGroup): Promise<void> {
    cluster.tell(member, group.name, member.name, 'ACQUIRING');
    const done = await acquire(support, member, group);
    cluster.tell(member, group.name, member.name, done ? 'ONLINE' : 'ERROR');
  }

  async function give(member: Member, group: ResourceGroup): Promise<boolean> {
    cluster.tell(member, group.name, member.name, 'RELEASING');
    const done = await release(support, member, group);
    cluster.tell(member, group.name, member.name, done ? 'OFFLINE' : 'ERROR');
    return done;
  }

  /** What a node that joins does with a group. */
  async function join(member: Member, group: ResourceGroup): Promise<void> {
    const [home] = group.nodes;
    const holders = cluster.holders(member, group.name);
    const [holder] = holders;
    if (isConcurrent(group)) {
      if (!holders.includes(member.name)) await take(member, group);
    } else if (holder === undefined) {
      const mine = group.policies.startup !== 'OHN' || home === member.name;
      await (mine ? take(member, group) : standBy(support, member, group));
    } else if (
      group.policies.fallback === 'FBHPN' &&
      group.nodes.indexOf(member.name) < group.nodes.indexOf(holder) &&
      (await give(cluster.member(holder), group))
    ) {
      await barrier(member);
      await take(member, group);
    } else if (holder !== member.name) {
      await standBy(support, member, group);
    }
  }

  /** Resources that are there stay, and the application is started again (facts hacmp.md 5.1). */
  async function manageAgain(member: Member): Promise<void> {
    for (const group of cluster.topology.groups) {
      if (cluster.stateOf(member, group.name, member.name) !== 'UNMANAGED') continue;
      await take(member, group);
      for (const node of group.nodes) {
        if (node !== member.name) cluster.tell(member, group.name, node, 'OFFLINE');
      }
    }
  }

  async function failNode(failed: Member, held: readonly ResourceGroup[], survivors: readonly Member[]): Promise<void> {
    const [survivor] = survivors;
    if (survivor === undefined) return;
    await run('TE_FAIL_NODE', failed, survivor, async () => {
      for (const group of cluster.topology.groups) cluster.tell(survivor, group.name, failed.name, 'OFFLINE');
      for (const group of held) {
        if (isConcurrent(group) || group.policies.fallover === 'BO') continue;
        const target = group.nodes.map((name) => cluster.member(name)).find((member) => survivors.includes(member));
        if (target !== undefined) await take(target, group);
      }
    });
  }

  function refusalToMove(group: ResourceGroup, target: string): string | undefined {
    const to = cluster.members.find(({ name }) => name === target);
    if (to === undefined || !group.nodes.includes(target)) {
      return `ERROR: Node ${target} is not a participating node of resource group ${group.name}.`;
    }
    if (!to.powered || to.services !== 'up') return `ERROR: Cluster services are not running on node ${target}.`;
    if (isConcurrent(group)) return `ERROR: Resource group ${group.name} is concurrent and cannot be moved.`;
    const states = group.nodes.map((node) => cluster.stateOf(to, group.name, node));
    if (states.includes('UNMANAGED')) return `ERROR: Resource group ${group.name} is in the UNMANAGED state.`;
    if (cluster.stateOf(to, group.name, target) === 'ONLINE') {
      return `ERROR: Resource group ${group.name} is already online on node ${target}.`;
    }
    return undefined;
  }

  const running = () => cluster.members.filter(({ powered, services }) => powered && services === 'up');
  const busy = ['ONLINE', 'ACQUIRING', 'RELEASING'];

  return {
    start: (name) =>
      enqueue(async () => {
        const member = cluster.member(name);
        if (!member.powered || member.services === 'up') return;
        const unmanaged = member.services === 'unmanaged';
        const [peer] = cluster.active(member).filter((other) => other !== member);
        if (peer !== undefined && !unmanaged) {
          for (const [group, states] of peer.table) member.table.set(group, new Map(states));
        }
        member.services = 'up';
        member.manager = 'ST_JOINING';
        await run('TE_JOIN_NODE', member, member, async () => {
          if (unmanaged) return manageAgain(member);
          for (const group of cluster.topology.groups) if (group.nodes.includes(name)) await join(member, group);
        });
      }),

    stop: (name, manner) =>
      enqueue(async () => {
        const member = cluster.member(name);
        if (!member.powered || member.services === 'down') return;
        const held = cluster.topology.groups.filter((group) => cluster.holders(member, group.name).includes(name));
        if (manner === 'unmanage') {
          // The state of the one who held it is printed for every node (facts hacmp.md 5.1).
          for (const group of held) for (const node of group.nodes) cluster.tell(member, group.name, node, 'UNMANAGED');
          member.services = 'unmanaged';
          return;
        }
        await run('TE_FAIL_NODE', member, member, async () => {
          for (const group of held) {
            if (!(await give(member, group))) return;
            await barrier(member);
            const next = group.nodes
              .map((node) => cluster.member(node))
              .find((other) => other !== member && cluster.reaches(member, other) && other.services === 'up');
            if (manner === 'move' && next !== undefined && !isConcurrent(group)) await take(next, group);
          }
        });
        if (member.manager === 'ST_RP_FAILED') return;
        member.services = 'down';
        member.manager = 'ST_INIT';
      }),

    async move(group, target) {
      let refusal: string | undefined;
      await enqueue(async () => {
        refusal = refusalToMove(group, target);
        if (refusal !== undefined) return;
        const to = cluster.member(target);
        await run('TE_RG_MOVE', to, to, async () => {
          const [from] = cluster.holders(to, group.name);
          if (from !== undefined && !(await give(cluster.member(from), group))) return;
          await barrier(to);
          await take(to, group);
        });
        if (cluster.stateOf(to, group.name, target) !== 'ONLINE') {
          refusal = `ERROR: Resource group ${group.name} did not come online on node ${target}.`;
        }
      });
      if (refusal !== undefined) throw new MoveRefused(refusal);
    },

    bringOffline: (group, node) =>
      enqueue(async () => {
        const member = cluster.member(node);
        if (!cluster.holders(member, group.name).includes(node)) return;
        await run('TE_RG_MOVE', member, member, async () => {
          await give(member, group);
        });
      }),

    crash(name) {
      const member = cluster.member(name);
      const held = cluster.topology.groups.filter((group) => busy.includes(cluster.stateOf(member, group.name, name)));
      member.powered = false;
      member.labels.clear();
      member.services = 'down';
      member.manager = 'ST_INIT';
      for (const states of member.table.values()) for (const node of states.keys()) states.set(node, 'OFFLINE');
      return enqueue(() => failNode(member, held, running()));
    },

    partition() {
      cluster.partitioned = true;
      return enqueue(async () => {
        for (const member of running()) {
          for (const other of cluster.members.filter((one) => one !== member)) {
            const held = cluster.topology.groups.filter(
              (group) => cluster.stateOf(member, group.name, other.name) === 'ONLINE',
            );
            await failNode(other, held, [member]);
          }
        }
      });
    },

    recover(name) {
      const member = cluster.member(name);
      if (member.manager !== 'ST_RP_FAILED') return;
      for (const other of cluster.active(member)) other.manager = 'ST_STABLE';
    },

    async settled() {
      let last: Promise<void> | undefined;
      while (last !== queue) {
        last = queue;
        await last;
      }
    },
  };
}
