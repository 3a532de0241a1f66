import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeDirectory, type Transport } from '@splitmirror/host';
import { clmgrCommands } from './cluster/clmgr.ts';
import { createCluster } from './cluster/cluster.ts';
import { configurationCommands } from './cluster/configuration.ts';
import { createCustomisation, type EventCommand } from './cluster/customisation.ts';
import { createEvents } from './cluster/events.ts';
import { dialects, type Generation, ofGeneration } from './cluster/generation.ts';
import { groupCommands } from './cluster/groups.ts';
import { membershipCommands } from './cluster/membership.ts';
import { odmCommands } from './cluster/odm.ts';
import type { Ran } from './cluster/resources.ts';
import { type ClusterLevel, subsystemCommands } from './cluster/subsystems.ts';
import type { Commands } from './command.ts';
import { connectLab, type LabStatus, serveControl } from './control.ts';
import { deviceFile, physicalVolumeId, storeDevice } from './devices.ts';
import { atExit } from './exit.ts';
import { createFaults, type Fault } from './faults.ts';
import { makeKeyPair } from './keys.ts';
import { createLedger } from './ledger/application.ts';
import { levelCommands } from './levels/commands.ts';
import { type SoftwareOverrides, softwareOf } from './levels/filesets.ts';
import { layOut, type NodeMachine, placesOf, startNode } from './node.ts';
import { posixCommands } from './posix/programs.ts';
import {
  buildLedgerStorage,
  defaultNodes,
  type ExtraGroup,
  ledgerPlaces,
  ledgerTopology,
  type NodeNames,
  repositoryDisk,
  sharedDisks,
} from './scenario.ts';
import { createStorage, type Storage } from './storage/index.ts';

/** What kind of lab is wanted; everything has a default. */
export interface LabOptions {
  /** Directory for everything; made when it does not exist. Default: a new one below the system's temporary directory. */
  readonly directory?: string;
  /** Default: `db_node1` on `dbhost1` and `db_node2` on `dbhost2`. */
  readonly nodes?: readonly NodeNames[];
  /** Absolute path of the shell that runs command lines on the nodes; default `/bin/sh`. */
  readonly shell?: string;
  /** Whose commands the nodes have and how these answer; default `7.2`. */
  readonly generation?: Generation;
  /** Groups besides the ledger's, without storage of their own. */
  readonly groups?: readonly ExtraGroup[];
  /** How long one phase of a cluster event takes, in milliseconds; default 150. */
  readonly phaseMs?: number;
  /** Content of the ledger's file systems besides its bookings, in bytes; default 24 MB. */
  readonly contentBytes?: number;
  /** Between two bookings of the ledger, and between the parts of one, in milliseconds; default 40 and 10. */
  readonly ledger?: { readonly intervalMs?: number; readonly gapMs?: number };
  /** What differs in the software of a node, by cluster node name. */
  readonly software?: Readonly<Record<string, SoftwareOverrides>>;
  /** Most sessions of one ssh connection at a time; default 10, which is sshd's. */
  readonly maxSessions?: number;
  /** Logical partitions that a resync copies in a second, for each one that runs in parallel; default 20. */
  readonly resyncPerSecond?: number;
}

/** How a node of the lab is reached. */
export interface LabNode {
  /** Cluster node name. */
  readonly name: string;
  /** What `hostname` says on it. */
  readonly host: string;
  /** Port of its ssh server on 127.0.0.1. */
  readonly port: number;
  /** Its PATH: the only directory with commands. Give it to `HostOptions.path`. */
  readonly path: string;
  /** Its `/`, on this machine. */
  readonly root: string;
  /** Of its host key, `SHA256:...`. */
  readonly fingerprint: string;
}

/** A running lab. */
export interface Lab {
  readonly directory: string;
  readonly nodes: readonly LabNode[];
  /** OpenSSH private key that may log in as root on every node. */
  readonly identityFile: string;
  /** OpenSSH known_hosts with the keys of all nodes. */
  readonly knownHostsFile: string;
  /** Absolute path of the nodes' shell. */
  readonly shell: string;
  /** A way to a node without ssh, for fast tests; the shell is real all the same. */
  transport(node: string): Transport;
  /**
   * Runs a command on a node without shell and ssh.
   *
   * @param stdin What the command reads; empty when left out.
   */
  run(node: string, argv: readonly [string, ...string[]], stdin?: string | Uint8Array): Promise<Ran>;
  /** What the disks hold, and what they held when a copy was split off. */
  readonly storage: Storage;
  /** Settles when no cluster event is under way. */
  settled(): Promise<void>;
  status(): Promise<LabStatus>;
  /** @throws when the group cannot be moved there. */
  move(group: string, node: string): Promise<void>;
  /** Cuts the connections of a node; what runs there gets a hang-up. */
  drop(node: string): void;
  /**
   * The network swallows everything that a node's connections carry, without closing them; `'off'` lets it pass again.
   * Only for ssh: a transport without ssh has no network.
   */
  mute(node: string, state: 'on' | 'off'): void;
  /** A node loses its power; settles when the others have taken over. */
  crash(node: string): Promise<void>;
  /** Starts a crashed node and its cluster services; settles when it has joined. */
  recover(node: string): Promise<void>;
  /** The nodes lose sight of each other; each takes over what the others held. */
  partition(): Promise<void>;
  heal(): void;
  /**
   * Registers a script of the nodes at an event, on all of them, as an operator does in SMIT.
   *
   * @returns a function that takes it back.
   * @throws RangeError for an event that the lab does not run.
   */
  registerEvent(command: EventCommand): () => void;
  /** @returns a function that takes the fault back. */
  fault(fault: Fault): () => void;
  clearFaults(): void;
  /** Ends everything that the lab has started; removes its directory when the lab has made it. */
  close(): Promise<void>;
  /** Settles when the lab was closed, by whomever. */
  readonly closed: Promise<void>;
}

/** How often the nodes' sync daemons bring changes to the disks, in milliseconds. */
const syncdMs = 2000;

/**
 * Starts a lab: AIX nodes behind ssh servers on 127.0.0.1, a shared volume group, a cluster that holds the ledger's
 * group online, and the ledger, which keeps writing.
 *
 * @throws when the directory cannot be written or a lab already runs there.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const directory =
    options.directory === undefined ? mkdtempSync(join(tmpdir(), 'splitmirror-lab-')) : resolve(options.directory);
  await makeDirectory(directory);
  await clearDeadLab(directory);
  const names = options.nodes ?? defaultNodes;
  const shell = options.shell ?? '/bin/sh';
  const generation = options.generation ?? '7.2';
  const dialect = dialects[generation];
  const machines = new Map<string, NodeMachine>();
  const machine = (name: string): NodeMachine => {
    const found = machines.get(name);
    if (found === undefined) throw new RangeError(`no node ${name} in this lab`);
    return found;
  };
  const run = (node: string, argv: readonly [string, ...string[]], stdin?: string | Uint8Array) =>
    machine(node).run(argv, stdin === undefined ? undefined : Buffer.from(stdin));

  const storage = createStorage({
    directory,
    nodes: names.map(({ name }) => name),
    disks: sharedDisks,
    level: dialect.aix,
    resyncPerSecond: options.resyncPerSecond ?? 20,
  });
  let phaseMs = 0;
  const fileSystemsOf = async (node: string, volumeGroup: string): Promise<string[]> => {
    const { stdout } = await run(node, ['lsvg', '-l', volumeGroup]);
    return stdout.split('\n').flatMap((line) => /\s(\/\S*)\s*$/.exec(line)?.[1] ?? []);
  };
  const repositoryId = await physicalVolumeId(storage, names[0]?.name ?? '', repositoryDisk);
  const cluster = createCluster(ledgerTopology(names, options.groups ?? [], repositoryId));
  const customisation = createCustomisation();
  const events = createEvents(cluster, { run, fileSystemsOf, phaseMs: () => phaseMs }, customisation);
  const ledger = createLedger(
    {
      write: (node, path, bytes) => storage.write(node, path, bytes),
      writeRaw: async (node, volume, offset, bytes) => storage.writeRaw(node, volume, offset, bytes),
      isMounted: (node, mountPoint) => storage.mountAt(node, mountPoint)?.mountPoint === mountPoint,
      root: (node) => placesOf(directory, node).root,
    },
    { ...ledgerPlaces, intervalMs: options.ledger?.intervalMs ?? 40, gapMs: options.ledger?.gapMs ?? 10 },
  );
  const software = new Map(names.map(({ name }) => [name, softwareOf(dialect, options.software?.[name])]));
  const softwareOn = (node: string) => software.get(node) ?? softwareOf(dialect);
  const levelOn = (node: string): ClusterLevel => clusterLevel(softwareOn(node));
  const faults = createFaults({ drop: (name) => lab.drop(name), crash: (name) => void lab.crash(name) });

  const all: Commands = {
    ...posixCommands({
      root: (node) => placesOf(directory, node).root,
      device: (node, path) => deviceFile(storage, node, path),
      storeDevice: (node, path, file) => storeDevice(storage, node, path, file),
      mount: (node, path) => storage.mountAt(node, path),
      path: (node) => placesOf(directory, node).path,
      profile: (node) => placesOf(directory, node).profile,
      shell,
    }),
    ...storage.commands,
    ...groupCommands(cluster, events, generation),
    ...clmgrCommands(cluster, events),
    ...subsystemCommands(cluster, generation, levelOn),
    ...configurationCommands(cluster, fileSystemsOf),
    ...membershipCommands(cluster, events, run),
    ...odmCommands(cluster, customisation, levelOn, storage.commands.odmget),
    ...levelCommands(softwareOn, (node) => cluster.member(node).host),
    ...ledger.commands,
  };
  const commands = ofGeneration(all, dialect);
  layOut(
    directory,
    names.map(({ name }) => name),
    Object.keys(commands),
  );

  const userKey = makeKeyPair('splitmirror-lab');
  const hostKeys = new Map(names.map(({ name, host }) => [name, makeKeyPair(`root@${host}`)]));
  await Promise.all(
    [...hostKeys].map(async ([name, hostKey]) => {
      machines.set(
        name,
        await startNode({
          name,
          directory,
          commands,
          faults,
          hostKey,
          userKey,
          shell,
          maxSessions: options.maxSessions ?? 10,
        }),
      );
    }),
  );
  const identityFile = join(directory, 'identity');
  const knownHostsFile = join(directory, 'known_hosts');
  writeFileSync(identityFile, userKey.privateKey, { mode: 0o600 });
  writeFileSync(`${identityFile}.pub`, `${userKey.publicKey}\n`);
  writeFileSync(
    knownHostsFile,
    [...hostKeys]
      .map(([name, { publicKey }]) => `[127.0.0.1]:${machine(name).port} ${withoutComment(publicKey)}\n`)
      .join(''),
  );

  try {
    await buildLedgerStorage(names, run, storage, options.contentBytes ?? 24 << 20);
    for (const { name } of names) await events.start(name);
  } catch (error) {
    await Promise.all([...machines.values()].map((each) => each.close()));
    throw error;
  }
  phaseMs = options.phaseMs ?? 150;
  const syncd = setInterval(() => {
    for (const member of cluster.members) {
      try {
        if (member.powered) storage.flush(member.name);
      } catch {
        // A full file system: its writers hear of it themselves.
      }
    }
  }, syncdMs);
  syncd.unref();

  const removeDirectory = () => {
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
  };
  const stayed = atExit(() => {
    for (const each of machines.values()) each.abandon();
    removeDirectory();
  });
  const closed = Promise.withResolvers<void>();
  let isClosing = false;
  let stopControl = async (): Promise<void> => {};
  const lab: Lab = {
    directory,
    nodes: names.map(({ name, host }) => ({
      name,
      host,
      port: machine(name).port,
      path: machine(name).path,
      root: machine(name).root,
      fingerprint: hostKeys.get(name)?.fingerprint ?? '',
    })),
    identityFile,
    knownHostsFile,
    shell,
    storage,
    transport: (node) => machine(node).transport(),
    run,
    settled: () => events.settled(),
    async status() {
      const seen = cluster.members.find(({ powered, services }) => powered && services !== 'down');
      return {
        directory,
        nodes: cluster.members.map(({ name, powered, manager, services }) => ({
          name,
          up: powered,
          manager,
          services,
        })),
        groups: Object.fromEntries(
          [...(seen?.table ?? [])].map(([group, states]) => [group, Object.fromEntries(states)]),
        ),
        ledger: { node: ledger.node() ?? null, bookings: ledger.bookings() },
      };
    },
    async move(name, node) {
      const group = cluster.group(name);
      if (group === undefined) throw new RangeError(`no resource group ${name} in this lab`);
      await events.move(group, node);
    },
    drop: (node) => machine(node).drop(),
    mute: (node, state) => machine(node).mute(state === 'on'),
    async crash(node) {
      const off = machine(node).powerOff();
      ledger.crash(node);
      const takenOver = events.crash(node);
      storage.crash(node);
      await off;
      await takenOver;
    },
    async recover(node) {
      machine(node).powerOn();
      cluster.member(node).powered = true;
      await events.start(node);
    },
    partition: () => events.partition(),
    heal() {
      cluster.partitioned = false;
    },
    registerEvent: (command) => customisation.register(command),
    fault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    closed: closed.promise,
    async close() {
      if (isClosing) return closed.promise;
      isClosing = true;
      clearInterval(syncd);
      await ledger.close();
      await Promise.all([...machines.values()].map((each) => each.close()));
      removeDirectory();
      stayed();
      // Last, so that whoever waits for its end finds everything gone.
      await stopControl();
      closed.resolve();
    },
  };
  stopControl = await serveControl(lab);
  return lab;
}

/** What the manager prints of the level that `halevel -s` tells as `7.2.2 SP1`. */
function clusterLevel({ halevel, protocol }: { readonly halevel: string; readonly protocol: number }): ClusterLevel {
  const [version = '', pack = ''] = halevel.split(' ');
  const fix = Number(/^SP(\d+)$/.exec(pack)?.[1] ?? 0);
  return { protocol, vrmf: `${version.replaceAll('.', '')}${fix}`, fix };
}

/**
 * A lab that was killed leaves its files.
 *
 * @throws when the lab is alive.
 */
async function clearDeadLab(directory: string): Promise<void> {
  const control = await connectLab(directory).catch(() => undefined);
  if (control !== undefined) {
    control.disconnect();
    throw new Error(`a lab already runs in ${directory}`);
  }
  for (const name of ['bin', 'control.sock', 'disks', 'nodes', 'truth']) {
    rmSync(join(directory, name), { recursive: true, force: true });
  }
}

function withoutComment(publicKey: string): string {
  return publicKey.split(' ').slice(0, 2).join(' ');
}
