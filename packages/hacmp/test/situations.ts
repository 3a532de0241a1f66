import type { Policy, Verdict } from '../src/index.ts';
import { answer, failed, group, healthyWorld, ok, payMounts, type World } from './world.ts';

/** One state of a cluster, what must follow from it, and why. The README's table is made of these. */
export interface Situation {
  readonly title: string;
  readonly world: World;
  /** What the nodes show in the second round when it is not the same. */
  readonly later?: World;
  readonly policy?: Policy;
  readonly group?: string;
  readonly verdict: Verdict['kind'];
  /** Codes of all reasons, or the node that holds the group. */
  readonly because: readonly string[];
  readonly why: string;
  /** Codes of what the verdict warns of; none when left out. The guard does not warn. */
  readonly warnings?: readonly string[];
  /** What the guard says, where it cannot see what a controller sees: verdict (with the holder) and codes. */
  readonly guard?: readonly string[];
  /** About the hosts of a controller, which a guard does not have. */
  readonly controllerOnly?: true;
}

function world(change: (world: World) => void = () => {}, nodes?: readonly string[]): World {
  const made = healthyWorld(nodes);
  change(made);
  return made;
}

/** Changes what every node tells. */
function everywhere(made: World, change: (node: World[string], name: string) => void): void {
  for (const [name, node] of Object.entries(made)) change(node, name);
}

function setState(made: World, node: string, state: string): void {
  everywhere(made, (each) => {
    each.table = each.table.map((row) => (row[2] === node ? [row[0], state, row[2], row[3], row[4]] : row));
  });
}

function setNodeState(made: World, node: string, state: string, rawState: string): void {
  everywhere(made, (each) => {
    each.nodeStates = each.nodeStates?.map((row) => (row[0] === node ? [node, state, rawState] : row)) ?? null;
  });
}

function setMembership(made: World, node: string, state: string, contacts: number): void {
  everywhere(made, (each, name) => {
    if (name === node) return;
    each.membership = each.membership?.map((row) => (row[0] === node ? [node, state, contacts] : row)) ?? null;
  });
}

/** The node is switched off, and the others have noticed. */
function kill(made: World, node: string): void {
  at(made, node).reach = 'HOST_UNREACHABLE';
  setState(made, node, 'OFFLINE');
  setNodeState(made, node, 'OFFLINE', '');
  setMembership(made, node, 'DOWN', 0);
}

function at(made: World, node: string): World[string] {
  const found = made[node];
  if (!found) throw new Error(`no node ${node}`);
  return found;
}

/** Edits what a node answers to a command. */
function edit(made: World, node: string, command: string, change: (text: string) => string): void {
  const whole = answer(at(made, node), command);
  if (whole !== 'hang') at(made, node).overrides[command] = { ...whole, stdout: change(whole.stdout ?? '') };
}

/** Lets a command also write to stderr. */
function complain(made: World, node: string, command: string, stderr: string): void {
  const whole = answer(at(made, node), command);
  if (whole !== 'hang') at(made, node).overrides[command] = { ...whole, stderr };
}

const lssrc = 'lssrc -ls clstrmgrES';
const lscluster = 'lscluster -m';
const throughDisk = 'UP  REACHABLE THROUGH REPOS DISK ONLY';
const warning = 'lscluster: WARNING: the repository disk hdisk1 is not accessible.\n';

function moveTo(made: World, node: string): void {
  everywhere(made, (each, name) => {
    each.table = each.table.map((row) => [row[0], row[2] === node ? 'ONLINE' : 'OFFLINE', row[2]]);
    each.volumeGroups = { payvg: name === node ? 'read/write' : 'passive-only' };
    each.mounts = name === node ? payMounts('Nov 22 09:30') : [];
    each.serves = name === node;
  });
}

function concurrent(made: World): void {
  everywhere(made, (each) => {
    each.table = each.table.map((row) => [row[0], 'ONLINE', row[2], 'concurrent', 'OAAN']);
    each.config = { ...each.config, startup: 'Online On All Available Nodes', fileSystems: '' };
    each.volumeGroups = { payvg: 'read/write' };
    each.mounts = [];
  });
}

const three = ['db1', 'db2', 'db3'];

export const situations: readonly Situation[] = [
  {
    title: 'all stable, the first node has the group',
    world: world(),
    verdict: 'held',
    because: ['db1'],
    why: 'every node says so and the disks agree',
  },
  {
    title: 'the group was moved to the second node',
    world: world((w) => moveTo(w, 'db2')),
    verdict: 'held',
    because: ['db2'],
    why: 'priority and home node do not matter, only where it is',
  },
  {
    title: 'names that begin alike: nodes db1 and db10, groups payrg and payrg2',
    world: world(
      (w) =>
        everywhere(w, (each) => {
          each.table.push(['payrg2', 'ONLINE', 'db1'], ['payrg2', 'OFFLINE', 'db10']);
        }),
      ['db10', 'db1'],
    ),
    verdict: 'held',
    because: ['db10'],
    why: 'names are compared whole',
  },
  {
    title: 'the home node of the group runs, and the group is on the last node of its list',
    world: world((w) => moveTo(w, 'db3'), three),
    verdict: 'held',
    because: ['db3'],
    why: 'no row of the table is special',
  },
  {
    title: 'file systems are configured as ALL',
    world: world((w) => everywhere(w, (each) => (each.config = { ...each.config, fileSystems: 'ALL' }))),
    verdict: 'held',
    because: ['db1'],
    why: 'ALL is expanded through the volume group, and all of them are mounted',
  },
  {
    title: 'ALL, while a split copy of splitmirror is there and not mounted',
    world: world((w) =>
      everywhere(w, (each) => {
        each.config = { ...each.config, fileSystems: 'ALL' };
        each.volumes.payvg?.push(['smk3f9q2201', 'jfs2', '/splitmirror/k3f9q2/paylv']);
      }),
    ),
    verdict: 'held',
    because: ['db1'],
    why: 'our own copies are no part of the group',
  },
  {
    title: 'ALL, while a split copy of splitmirror is mounted, whose LV STATE is question marks',
    world: world((w) =>
      everywhere(w, (each, name) => {
        each.config = { ...each.config, fileSystems: 'ALL' };
        each.volumes.payvg?.push(['paylvcopy00', 'jfs', '/splitmirror/k3f9q2/paylv', 'open???????']);
        if (name === 'db1') each.mounts.push(['/dev/paylvcopy00', '/splitmirror/k3f9q2/paylv', 'Nov 20 07:00']);
      }),
    ),
    verdict: 'held',
    because: ['db1'],
    why: 'what is not known of a copy says nothing about the group',
  },
  {
    title: 'a file system of the group is mounted from a split copy',
    world: world((w) => {
      everywhere(w, (each) => each.volumes.payvg?.push(['paylvcopy00', 'jfs', '/pay', 'open???????']));
      at(w, 'db1').mounts[0] = ['/dev/paylvcopy00', '/pay', 'Nov 20 07:00'];
    }),
    verdict: 'undecidable',
    because: ['FILE_SYSTEM_NOT_HERE'],
    why: 'a copy may be old, and is not the data',
  },
  {
    title: 'a split copy is mounted on the standby',
    world: world((w) => {
      everywhere(w, (each) => each.volumes.payvg?.push(['paylvcopy00', 'jfs', '/pay/copy', 'open???????']));
      at(w, 'db2').mounts = [['/dev/paylvcopy00', '/pay/copy', 'Nov 20 07:00']];
    }),
    verdict: 'contested',
    because: ['FILE_SYSTEM_ELSEWHERE'],
    why: 'it is a volume of the group all the same',
  },
  {
    title: 'a volume with partitions of its own, whose LV STATE is question marks',
    world: world((w) => {
      const rows = 'LV NAME             TYPE       LPs     PPs     PVs  LV STATE      MOUNT POINT\n';
      const row = 'paylv               jfs2       10      20      2    open???????   /pay\n';
      at(w, 'db1').overrides['lsvg -l payvg'] = ok(`payvg:\n${rows}${row}`);
    }),
    verdict: 'undecidable',
    because: ['VOLUME_GROUP_UNREADABLE', 'FILE_SYSTEM_NOT_HERE', 'FILE_SYSTEM_NOT_HERE'],
    why: 'only a copy has no state of its own',
  },
  {
    title: 'ALL, and one file system of the volume group is not mounted',
    world: world((w) => {
      everywhere(w, (each) => (each.config = { ...each.config, fileSystems: 'ALL' }));
      at(w, 'db1').mounts.pop();
    }),
    verdict: 'undecidable',
    because: ['FILE_SYSTEM_NOT_HERE'],
    why: 'ONLINE does not tell that everything came up',
  },
  {
    title: 'offline on all nodes',
    world: world((w) => {
      setState(w, 'db1', 'OFFLINE');
      at(w, 'db1').serves = false;
      at(w, 'db1').mounts = [];
      at(w, 'db1').volumeGroups = { payvg: 'off' };
    }),
    verdict: 'offline',
    because: ['GROUP_OFFLINE'],
    why: 'nobody has the data online',
  },
  {
    title: 'offline because of its parent',
    world: world((w) => {
      setState(w, 'db1', 'OFFLINE due to parent offline');
      at(w, 'db1').serves = false;
      at(w, 'db1').mounts = [];
      at(w, 'db1').volumeGroups = { payvg: 'passive-only' };
    }),
    verdict: 'offline',
    because: ['GROUP_OFFLINE'],
    why: 'the OFFLINE family is offline',
  },
  {
    title: 'offline by the table, but mounted on the first node',
    world: world((w) => setState(w, 'db1', 'OFFLINE')),
    verdict: 'undecidable',
    because: [
      'GROUP_OFFLINE',
      'VOLUME_GROUP_ELSEWHERE',
      'FILE_SYSTEM_ELSEWHERE',
      'FILE_SYSTEM_ELSEWHERE',
      'SERVICE_LABEL_ELSEWHERE',
    ],
    why: 'the disks contradict the cluster',
  },
  {
    title: 'only ONLINE SECONDARY',
    world: world((w) => {
      setState(w, 'db1', 'ONLINE SECONDARY');
      at(w, 'db1').serves = false;
      at(w, 'db1').mounts = [];
      at(w, 'db1').volumeGroups = { payvg: 'off' };
    }),
    verdict: 'offline',
    because: ['GROUP_OFFLINE'],
    why: 'a secondary instance never holds',
  },
  {
    title: 'ONLINE here, ONLINE SECONDARY at the other site',
    world: world((w) => setState(w, 'db2', 'ONLINE SECONDARY')),
    verdict: 'held',
    because: ['db1'],
    why: 'both at once are normal with sites; only ONLINE counts',
  },
  ...['ACQUIRING', 'RELEASING', 'TEMPORARY ERROR'].map((state): Situation => {
    return {
      title: `the group is ${state} on the second node`,
      world: world((w) => setState(w, 'db2', state)),
      verdict: 'moving',
      because: ['GROUP_MOVING'],
      why: 'ask again when it has arrived',
    };
  }),
  ...['ST_JOINING', 'ST_VOTING', 'ST_RP_RUNNING', 'ST_BARRIER', 'ST_CBARRIER', 'ST_UNSTABLE'].map(
    (state): Situation => {
      return {
        title: `the manager of the second node is ${state}`,
        world: world((w) => (at(w, 'db2').manager = state)),
        verdict: 'moving',
        because: ['MANAGER_NOT_STABLE'],
        why: 'an event is under way somewhere in the cluster',
      };
    },
  ),
  {
    title: 'events wait in the queue of a manager',
    world: world((w) => (at(w, 'db1').queued = 2)),
    verdict: 'moving',
    because: ['EVENTS_QUEUED'],
    why: 'stable for the moment only',
  },
  {
    title: 'events waited in the first round, and no longer in the second',
    world: world((w) => (at(w, 'db1').queued = 1)),
    later: world(),
    verdict: 'moving',
    because: ['CHANGED_MEANWHILE'],
    why: 'stable twice means stable in between',
  },
  {
    title: 'another event ran between the two rounds',
    world: world(),
    later: world((w) => (at(w, 'db1').lastEvent = 'TE_JOIN_NODE on node 2')),
    verdict: 'moving',
    because: ['CHANGED_MEANWHILE'],
    why: 'the same answer twice, or none',
  },
  {
    title: 'the group moved between the two rounds',
    world: world(),
    later: world((w) => moveTo(w, 'db2')),
    verdict: 'moving',
    because: ['CHANGED_MEANWHILE', 'CHANGED_MEANWHILE'],
    why: 'the same answer twice, or none',
  },
  {
    title: 'an event script failed',
    world: world((w) => (at(w, 'db1').manager = 'ST_RP_FAILED')),
    verdict: 'undecidable',
    because: ['EVENT_FAILED'],
    why: 'resources may be half acquired',
  },
  {
    title: 'an event script failed on one node, and the other one waits for it',
    world: world((w) => {
      at(w, 'db1').manager = 'ST_RP_FAILED';
      at(w, 'db2').manager = 'ST_RP_RUNNING';
    }),
    verdict: 'undecidable',
    because: ['EVENT_FAILED', 'MANAGER_NOT_STABLE'],
    why: 'an event that failed does not end by itself',
  },
  {
    title: 'a manager state that is not known',
    world: world((w) => (at(w, 'db1').manager = 'ST_DREAMING')),
    verdict: 'undecidable',
    because: ['MANAGER_STATE_UNKNOWN'],
    why: 'an unknown word allows nothing',
  },
  {
    title: 'a group state that is not known',
    world: world((w) => setState(w, 'db2', 'ONLINE_SECONDARY')),
    verdict: 'undecidable',
    because: ['GROUP_STATE_UNKNOWN'],
    why: 'an unknown word allows nothing',
  },
  {
    title: 'ERROR on one node, OFFLINE on the other',
    world: world((w) => setState(w, 'db1', 'ERROR')),
    verdict: 'undecidable',
    because: [
      'GROUP_ERROR',
      'VOLUME_GROUP_ELSEWHERE',
      'FILE_SYSTEM_ELSEWHERE',
      'FILE_SYSTEM_ELSEWHERE',
      'SERVICE_LABEL_ELSEWHERE',
    ],
    why: 'some of its resources may be there',
  },
  {
    title: 'the holder was forced down: UNMANAGED on both nodes',
    world: world((w) => {
      setState(w, 'db1', 'UNMANAGED');
      setState(w, 'db2', 'UNMANAGED');
      setNodeState(w, 'db1', 'UNMANAGED', 'UNMANAGED');
    }),
    verdict: 'undecidable',
    because: [
      'NODE_UNMANAGED',
      'NODE_UNMANAGED',
      'GROUP_UNMANAGED',
      'GROUP_UNMANAGED',
      'VOLUME_GROUP_ELSEWHERE',
      'FILE_SYSTEM_ELSEWHERE',
      'FILE_SYSTEM_ELSEWHERE',
      'SERVICE_LABEL_ELSEWHERE',
    ],
    why: 'both managers are ST_STABLE, and nobody supervises',
  },
  {
    title: 'the standby was forced down, which clRGinfo does not show',
    world: world((w) => setNodeState(w, 'db2', 'UNMANAGED', 'UNMANAGED')),
    verdict: 'undecidable',
    because: ['NODE_UNMANAGED', 'NODE_UNMANAGED'],
    why: 'only clmgr query node reveals it',
  },
  {
    title: 'clmgr is not found at a level that has it',
    world: world((w) => (at(w, 'db1').nodeStates = null)),
    verdict: 'undecidable',
    because: ['NODE_STATES_UNREADABLE'],
    why: 'without it a node that was forced down stays unseen',
  },
  {
    title: 'lscluster is not found at a level that has it',
    world: world((w) => (at(w, 'db1').membership = null)),
    verdict: 'undecidable',
    because: ['MEMBERSHIP_UNREADABLE'],
    why: 'without it a partition may stay unseen',
  },
  {
    title: 'no clmgr (6.1 and earlier), nothing unmanaged',
    world: world((w) =>
      everywhere(w, (each) => {
        each.vrmf = '6100';
        each.nodeStates = null;
        each.membership = null;
      }),
    ),
    verdict: 'held',
    because: ['db1'],
    why: 'no group is UNMANAGED anywhere and the disks agree',
  },
  {
    title: 'no clmgr, and another group is UNMANAGED',
    world: world((w) =>
      everywhere(w, (each) => {
        each.vrmf = '6100';
        each.nodeStates = null;
        each.membership = null;
        each.table.push(['webrg', 'UNMANAGED', 'db1'], ['webrg', 'UNMANAGED', 'db2']);
      }),
    ),
    verdict: 'undecidable',
    because: ['NODE_UNMANAGED', 'NODE_UNMANAGED'],
    why: 'the only sign of a forced stop at that level',
  },
  {
    title: 'online on both nodes, not concurrent',
    world: world((w) => setState(w, 'db2', 'ONLINE')),
    verdict: 'contested',
    because: ['GROUP_CONTESTED'],
    why: 'a split brain until shown otherwise',
  },
  {
    title: 'online on both nodes, and only one row of the two calls the group concurrent',
    world: world((w) =>
      everywhere(w, (each) => {
        each.table = [
          [group, 'ONLINE', 'db1', 'concurrent', 'OAAN'],
          [group, 'ONLINE', 'db2'],
        ];
      }),
    ),
    policy: { tieBreak: 'first-online-in-priority-order' },
    verdict: 'contested',
    because: ['GROUP_CONTESTED'],
    why: 'a table that contradicts itself excuses no second holder',
  },
  {
    title: 'online here, and the standby has it mounted too',
    world: world((w) => {
      at(w, 'db2').volumeGroups = { payvg: 'read/write' };
      at(w, 'db2').mounts = payMounts();
    }),
    verdict: 'contested',
    because: ['VOLUME_GROUP_ELSEWHERE', 'FILE_SYSTEM_ELSEWHERE', 'FILE_SYSTEM_ELSEWHERE'],
    why: 'the disks tell of a second holder that the table hides',
  },
  {
    title: 'each node sees only itself online',
    world: world((w) => {
      at(w, 'db2').table = [
        [group, 'OFFLINE', 'db1'],
        [group, 'ONLINE', 'db2'],
      ];
      at(w, 'db1').nodeStates = [
        ['db1', 'NORMAL', 'ST_STABLE'],
        ['db2', 'OFFLINE', ''],
      ];
      at(w, 'db2').nodeStates = [
        ['db1', 'OFFLINE', ''],
        ['db2', 'NORMAL', 'ST_STABLE'],
      ];
    }),
    verdict: 'undecidable',
    because: ['NODE_STATE_CONTRADICTED', 'NODE_STATE_CONTRADICTED', 'TABLES_DIFFER'],
    why: 'a partition: each side has counted the other out',
  },
  {
    title: 'the two nodes give different tables',
    world: world(
      (w) =>
        (at(w, 'db2').table = [
          [group, 'OFFLINE', 'db1'],
          [group, 'OFFLINE', 'db2'],
        ]),
    ),
    verdict: 'undecidable',
    because: ['TABLES_DIFFER'],
    why: 'all that can be asked must say the same',
  },
  {
    title: 'a remote node is UP with no point of contact',
    world: world((w) => setMembership(w, 'db2', 'UP', 0)),
    verdict: 'undecidable',
    because: ['PARTITION_SIGN'],
    why: 'communication is broken; the other side may take over',
  },
  {
    title: 'the membership layer calls an answering member DOWN',
    world: world((w) => setMembership(w, 'db2', 'DOWN', 0)),
    verdict: 'undecidable',
    because: ['PARTITION_SIGN'],
    why: 'the layers contradict each other',
  },
  {
    title: 'the membership layer is content, and RSCT calls an answering member Offline',
    world: world(
      (w) =>
        (at(w, 'db1').peers = [
          ['db1', 'Online'],
          ['db2', 'Offline'],
        ]),
    ),
    verdict: 'undecidable',
    because: ['PARTITION_SIGN'],
    why: 'each side of a partition lists the other Offline',
  },
  {
    title: 'a remote node is UP, and reachable through the repository disk only',
    world: world((w) => setMembership(w, 'db2', throughDisk, 1)),
    verdict: 'undecidable',
    because: ['PARTITION_SIGN'],
    why: 'the networks between the nodes are gone',
  },
  {
    title: 'a silent node that clmgr counts out is reachable through the repository disk',
    world: world((w) => {
      kill(w, 'db3');
      setMembership(w, 'db3', throughDisk, 1);
    }, three),
    verdict: 'undecidable',
    because: ['PARTITION_SIGN', 'PARTITION_SIGN', 'HOST_UNREACHABLE'],
    why: 'it is cut off, and may have the group',
  },
  {
    title: 'a member calls itself reachable through the repository disk only',
    world: world((w) => {
      at(w, 'db2').membership = [
        ['db1', 'UP', 1],
        ['db2', throughDisk, 0],
      ];
    }),
    verdict: 'undecidable',
    because: ['PARTITION_SIGN'],
    why: 'only UP by itself is the word of a sound member',
  },
  {
    title: 'lscluster warns before its answer',
    world: world((w) => edit(w, 'db1', lscluster, (text) => warning + text)),
    verdict: 'undecidable',
    because: ['MEMBERSHIP_UNREADABLE'],
    why: 'a warning of the membership layer may be of a partition',
  },
  {
    title: 'lscluster warns between two nodes',
    world: world((w) => edit(w, 'db2', lscluster, (text) => text.replace('----', `${warning}$&`))),
    verdict: 'undecidable',
    because: ['MEMBERSHIP_UNREADABLE'],
    why: 'a warning of the membership layer may be of a partition',
  },
  {
    title: 'lscluster warns on stderr, and ends with 0',
    world: world((w) => complain(w, 'db1', lscluster, warning)),
    verdict: 'undecidable',
    because: ['MEMBERSHIP_UNREADABLE'],
    why: 'a warning of the membership layer may be of a partition',
  },
  {
    title: 'a node gives the answer of lscluster that another node gives',
    world: world((w) => (at(w, 'db2').overrides[lscluster] = answer(at(w, 'db1'), lscluster))),
    verdict: 'undecidable',
    because: ['MEMBERSHIP_OF_ANOTHER'],
    why: 'what that node itself sees of the others is not known',
  },
  {
    title: 'lscluster tells one node twice, and another one not at all',
    world: world((w) => edit(w, 'db1', lscluster, (text) => text.replace('Node name: db2', 'Node name: db1'))),
    verdict: 'undecidable',
    because: ['MEMBERSHIP_UNREADABLE'],
    why: 'whether the other is seen is not known',
  },
  {
    title: 'three nodes, one is counted out by the managers while RSCT still sees it',
    world: world((w) => {
      kill(w, 'db3');
      everywhere(w, (each) => (each.peers = three.map((name) => [name, 'Online'])));
    }, three),
    verdict: 'undecidable',
    because: ['HOST_UNREACHABLE'],
    why: 'the layers contradict each other',
  },
  {
    title: 'the service address of the group is not on the node that is ONLINE',
    world: world((w) => (at(w, 'db1').serves = false)),
    verdict: 'undecidable',
    because: ['SERVICE_LABEL_NOT_HERE'],
    why: 'ONLINE does not tell that everything came up',
  },
  {
    title: 'the service address of the group is on another node too',
    world: world((w) => (at(w, 'db2').serves = true)),
    verdict: 'contested',
    because: ['SERVICE_LABEL_ELSEWHERE'],
    why: 'clients of the standby may write there',
  },
  {
    title: 'nobody tells the address of the service label',
    world: world((w) => everywhere(w, (each) => Object.assign(each, { labelKnown: false, serves: false }))),
    verdict: 'held',
    because: ['db1'],
    warnings: ['SERVICE_LABEL_UNCHECKED'],
    why: 'the disks prove possession; the label is a warning',
  },
  {
    title: 'the addresses of a node cannot be read',
    world: world((w) => (at(w, 'db1').overrides['ifconfig -a'] = failed('no such device'))),
    verdict: 'held',
    because: ['db1'],
    warnings: ['SERVICE_LABEL_UNCHECKED'],
    why: 'the disks prove possession; the label is a warning',
  },
  {
    title: 'the nodes are at different levels',
    world: world((w) => (at(w, 'db2').vrmf = '7200')),
    verdict: 'held',
    because: ['db1'],
    warnings: ['LEVELS_DIFFER'],
    why: 'who holds it does not change; that a takeover works is not sure',
  },
  {
    title: 'two nodes, the other one is switched off',
    world: world((w) => kill(w, 'db2')),
    verdict: 'undecidable',
    because: ['NO_MAJORITY'],
    why: 'off and cut off look the same from here',
  },
  {
    title: 'two nodes, the other one is switched off, and the operator vouches for it',
    world: world((w) => kill(w, 'db2')),
    policy: { minority: 'trust-the-survivors' },
    verdict: 'held',
    because: ['db1'],
    why: 'named policy; membership counts the node out and the disks agree',
  },
  {
    title: 'three nodes, one is switched off and counted out',
    world: world((w) => kill(w, 'db3'), three),
    verdict: 'held',
    because: ['db1'],
    why: 'a majority agrees',
  },
  {
    title: 'three nodes, one is switched off and counted out, and cluster services are stopped on another',
    world: world((w) => {
      kill(w, 'db3');
      at(w, 'db2').manager = 'ST_INIT';
      setNodeState(w, 'db2', 'OFFLINE', 'ST_INIT');
    }, three),
    verdict: 'undecidable',
    because: ['NO_MAJORITY'],
    why: 'a node outside the cluster cannot vouch for one that is silent: this is one of two',
  },
  {
    title: 'three nodes, one cannot be reached and is UP for the cluster',
    world: world((w) => (at(w, 'db3').reach = 'HOST_UNREACHABLE'), three),
    verdict: 'undecidable',
    because: ['HOST_UNREACHABLE'],
    why: 'what it has is not known',
  },
  {
    title: 'three nodes, one is counted out but its ssh answers with another key',
    world: world((w) => {
      kill(w, 'db3');
      at(w, 'db3').reach = 'HOST_KEY_CHANGED';
    }, three),
    verdict: 'undecidable',
    because: ['HOST_KEY_CHANGED'],
    why: 'something is up there',
    guard: ['held db1'],
  },
  {
    title: 'three nodes, the link to one is lost while it is asked',
    world: world((w) => (at(w, 'db3').reach = 'lost'), three),
    verdict: 'undecidable',
    because: ['HOST_LOST'],
    why: 'half an answer is none',
  },
  {
    title: 'the holder cannot be reached',
    world: world((w) => (at(w, 'db1').reach = 'HOST_UNREACHABLE'), three),
    verdict: 'undecidable',
    because: ['HOST_UNREACHABLE', 'HOLDER_SILENT'],
    why: 'the word of others is no proof of possession',
  },
  {
    title: 'no node can be reached',
    world: world((w) => everywhere(w, (each) => (each.reach = 'HOST_UNREACHABLE'))),
    verdict: 'undecidable',
    because: ['HOST_UNREACHABLE', 'HOST_UNREACHABLE', 'NO_MAJORITY'],
    why: 'nothing is known',
    controllerOnly: true,
  },
  {
    title: 'cluster services are stopped on the standby',
    world: world((w) => {
      at(w, 'db2').manager = 'ST_INIT';
      setNodeState(w, 'db2', 'OFFLINE', 'ST_INIT');
    }),
    verdict: 'held',
    because: ['db1'],
    why: 'it answers, counts itself out, and its disks are free',
  },
  {
    title: 'cluster services are stopped on the node that the table calls ONLINE',
    world: world((w) => {
      at(w, 'db1').manager = 'ST_INIT';
      setNodeState(w, 'db1', 'OFFLINE', 'ST_INIT');
    }),
    verdict: 'undecidable',
    because: ['HOLDER_DOWN'],
    why: 'a node outside the cluster repeats what others say',
  },
  {
    title: 'the host given for a node is another node',
    world: world((w) => (w.db2 = at(w, 'db1'))),
    verdict: 'undecidable',
    because: ['NODE_NAME_MISMATCH'],
    why: 'node name is not host name; one node was asked twice',
  },
  {
    title: 'the configuration names a node without a host',
    world: (({ db1, db2 }) => ({ ...(db1 && { db1 }), ...(db2 && { db2 }) }))(healthyWorld(three)),
    verdict: 'undecidable',
    because: ['NO_HOST'],
    why: 'who is not asked may have it too',
  },
  {
    title: 'a host belongs to no node of the cluster',
    world: world((w) => (w.web1 = { ...at(healthyWorld(['web1']), 'web1'), table: at(w, 'db1').table })),
    verdict: 'undecidable',
    because: ['NODES_DIFFER', 'NODES_DIFFER', 'NODES_DIFFER', 'CONFIGURATION_DIFFERS'],
    why: 'two clusters were mixed up',
  },
  {
    title: 'a participating node is missing in the table',
    world: world((w) => everywhere(w, (each) => each.table.pop())),
    verdict: 'undecidable',
    because: ['PARTICIPANTS_DIFFER'],
    why: 'a cut table looks complete',
  },
  {
    title: 'a row comes twice',
    world: world((w) => everywhere(w, (each) => each.table.push([group, 'OFFLINE', 'db2']))),
    verdict: 'undecidable',
    because: ['PARTICIPANTS_DIFFER'],
    why: 'exactly one row a node',
  },
  {
    title: 'clRGinfo prints a message instead of rows',
    world: world((w) => (at(w, 'db1').overrides['clRGinfo -s'] = ok('There is no cluster definition here.\n'))),
    verdict: 'undecidable',
    because: ['TABLE_UNREADABLE'],
    why: 'text is not data',
  },
  {
    title: 'clRGinfo prints rows and a message',
    world: world((w) => {
      const rows = `${group}:ONLINE:db1:non-concurrent:OHN:FNPN:NFB:ignore::: : :::\n`;
      at(w, 'db1').overrides['clRGinfo -s'] = ok(`${rows}cannot reach the others\n`);
    }),
    verdict: 'undecidable',
    because: ['TABLE_UNREADABLE'],
    why: 'a half answer is none',
  },
  {
    title: 'clRGinfo fails',
    world: world((w) => (at(w, 'db2').overrides['clRGinfo -s'] = failed('Communication error, see logfile'))),
    verdict: 'undecidable',
    because: ['TABLE_UNREADABLE'],
    why: 'a non-zero exit is no answer',
  },
  {
    title: 'clmgr does not come back',
    world: world((w) => (at(w, 'db1').overrides['clmgr -cv -a name,state,raw_state query node'] = 'hang')),
    verdict: 'undecidable',
    because: ['NODE_STATES_UNREADABLE'],
    why: 'every question has a deadline',
  },
  {
    title: 'clmgr ends with 0, and says ERROR on stderr',
    world: world((w) => {
      const rows = '# NAME:STATE:RAW_STATE\ndb1:NORMAL:ST_STABLE\ndb2:NORMAL:ST_STABLE\n';
      const told = { stdout: rows, stderr: 'ERROR: db2 could not be asked.\n', exitCode: 0 };
      at(w, 'db1').overrides['clmgr -cv -a name,state,raw_state query node'] = told;
    }),
    verdict: 'undecidable',
    because: ['NODE_STATES_UNREADABLE'],
    why: 'the exit code of 7.2.7 does not tell',
  },
  {
    title: 'two state lines of a manager',
    world: world(
      (w) =>
        (at(w, 'db1').overrides['lssrc -ls clstrmgrES'] = ok('Current state: ST_STABLE\nCurrent state: ST_STABLE\n')),
    ),
    verdict: 'undecidable',
    because: ['MANAGER_UNREADABLE'],
    why: 'exactly one, or unknown',
  },
  {
    title: 'a manager tells that it is stable, and nothing else',
    world: world((w) => (at(w, 'db2').overrides[lssrc] = ok('Current state: ST_STABLE\n'))),
    verdict: 'undecidable',
    because: ['MANAGER_UNREADABLE'],
    why: 'nobody knows whether events wait there',
  },
  {
    title: 'the answer of a manager ends before its second queue',
    world: world((w) => edit(w, 'db1', lssrc, (text) => text.slice(0, text.indexOf('There are 0 events on the RM')))),
    verdict: 'undecidable',
    because: ['MANAGER_UNREADABLE'],
    why: 'events may wait on the queue that is missing',
  },
  {
    title: 'the answer of a manager ends before its level, and the nodes have no clmgr',
    world: world((w) =>
      everywhere(w, (each, name) => {
        edit(w, name, lssrc, (text) => text.slice(0, text.indexOf('CLversion')));
        each.nodeStates = null;
        each.membership = null;
      }),
    ),
    verdict: 'undecidable',
    because: ['MANAGER_UNREADABLE', 'MANAGER_UNREADABLE'],
    why: 'a level that was cut off is not an early one',
  },
  {
    title: 'the answer of a manager ends before its last event',
    world: world((w) => edit(w, 'db2', lssrc, (text) => text.slice(0, text.indexOf('Last event')))),
    verdict: 'undecidable',
    because: ['MANAGER_UNREADABLE'],
    why: 'that the last event stays the same proves that none ran meanwhile',
  },
  {
    title: 'a manager of 6.1, which tells no last event',
    world: world((w) =>
      everywhere(w, (each, name) => {
        each.vrmf = '6100';
        each.nodeStates = null;
        each.membership = null;
        edit(w, name, lssrc, (text) => text.replace(/^Last event.*\n/m, ''));
      }),
    ),
    verdict: 'held',
    because: ['db1'],
    why: 'only from 7.1 on the last event is known to end the answer',
  },
  {
    title: 'a message of AIX stands in the answer of a manager',
    world: world((w) =>
      edit(w, 'db2', lssrc, (text) =>
        text.replace('Current DNP', '0513-056 Timeout waiting for command response.\n$&'),
      ),
    ),
    verdict: 'undecidable',
    because: ['MANAGER_UNREADABLE'],
    why: 'what else it would have told is not known',
  },
  {
    title: 'a message of AIX stands beside the answer of a manager, on stderr',
    world: world((w) => complain(w, 'db1', lssrc, '0513-056 Timeout waiting for command response.\n')),
    verdict: 'undecidable',
    because: ['MANAGER_UNREADABLE'],
    why: 'an exit code of 0 does not make it whole',
  },
  {
    title: 'the volume group is passive on the node that is ONLINE',
    world: world((w) => (at(w, 'db1').volumeGroups = { payvg: 'passive-only' })),
    verdict: 'undecidable',
    because: ['VOLUME_GROUP_NOT_HERE'],
    why: 'lspv and lsvg -o look the same on a standby; the permission does not',
  },
  {
    title: 'the volume group is varied off on the node that is ONLINE',
    world: world((w) => {
      at(w, 'db1').volumeGroups = { payvg: 'off' };
      at(w, 'db1').mounts = [];
    }),
    verdict: 'undecidable',
    because: ['VOLUME_GROUP_NOT_HERE', 'FILE_SYSTEM_NOT_HERE', 'FILE_SYSTEM_NOT_HERE'],
    why: 'the disks contradict the cluster',
  },
  {
    title: 'a file system is mounted from another device',
    world: world((w) => (at(w, 'db1').mounts[0] = ['/dev/fslv07', '/pay', 'Nov 20 06:12'])),
    verdict: 'undecidable',
    because: ['FILE_SYSTEM_NOT_HERE'],
    why: "mounted is not enough; it must be the group's volume",
  },
  {
    title: 'lsvg waits for a lock on the holder',
    world: world((w) => (at(w, 'db1').overrides['lsvg payvg'] = 'hang')),
    verdict: 'undecidable',
    because: ['VOLUME_GROUP_UNREADABLE'],
    why: 'without the disks there is no proof',
  },
  {
    title: 'the nodes disagree on what the group consists of',
    world: world((w) => (at(w, 'db2').config = { ...at(w, 'db2').config, volumeGroups: ['payvg', 'newvg'] })),
    verdict: 'undecidable',
    because: ['CONFIGURATION_DIFFERS'],
    why: 'the configuration is not synchronised',
  },
  {
    title: 'a group without volume groups',
    world: world((w) =>
      everywhere(w, (each) => {
        each.config = { ...each.config, volumeGroups: [], fileSystems: '' };
        each.mounts = [];
      }),
    ),
    verdict: 'undecidable',
    because: ['NO_LOCAL_EVIDENCE'],
    why: 'nothing on the disks can prove possession',
  },
  {
    title: 'a concurrent group, online on both nodes, no policy',
    world: world(concurrent),
    verdict: 'undecidable',
    because: ['NO_TIE_BREAK'],
    why: 'both have it by design; someone has to pick',
  },
  {
    title: 'a concurrent group with the named tie-break',
    world: world(concurrent),
    policy: { tieBreak: 'first-online-in-priority-order' },
    verdict: 'held',
    because: ['db1'],
    why: 'the first ONLINE node in priority order',
  },
  {
    title: 'an unknown group',
    world: world(),
    group: 'nosuchrg',
    verdict: 'unknown-group',
    because: ['GROUP_UNKNOWN'],
    why: 'no node lists it',
  },
  {
    title: 'HACMP is not configured on any node',
    world: world((w) => everywhere(w, (each) => (each.manager = 'NOT_CONFIGURED'))),
    verdict: 'no-cluster',
    because: ['NO_CLUSTER', 'NO_CLUSTER'],
    why: 'no cluster is no permission',
  },
  {
    title: 'the manager is not installed on any node',
    world: world((w) =>
      everywhere(w, (each) => {
        each.overrides.get_local_nodename = failed('not found', 127);
        each.overrides['lssrc -ls clstrmgrES'] = failed('0513-085 The clstrmgrES Subsystem is not on file.\n');
      }),
    ),
    verdict: 'no-cluster',
    because: ['NO_CLUSTER', 'NO_CLUSTER'],
    why: 'no cluster is no permission',
  },
  {
    title: 'HACMP 4.x, whose manager has another name and tells no state',
    world: world((w) =>
      everywhere(w, (each) => {
        each.overrides['lssrc -ls clstrmgrES'] = failed('0513-085 The clstrmgrES Subsystem is not on file.\n');
        each.overrides['clRGinfo -s'] = failed('not found', 127);
        each.vrmf = '6100';
        each.nodeStates = null;
        each.membership = null;
      }),
    ),
    verdict: 'undecidable',
    because: [
      'MANAGER_UNREADABLE',
      'MANAGER_UNREADABLE',
      'TABLE_UNREADABLE',
      'TABLE_UNREADABLE',
      'VOLUME_GROUP_ELSEWHERE',
      'FILE_SYSTEM_ELSEWHERE',
      'FILE_SYSTEM_ELSEWHERE',
      'SERVICE_LABEL_ELSEWHERE',
    ],
    why: 'nothing at that level tells that the cluster is at rest',
  },
];
