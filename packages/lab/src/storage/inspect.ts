import { isOpenOn, type Machine } from './machine.ts';
import type { Mount } from './mounts.ts';
import { copyCount, staleCount, type Varied } from './volume-groups.ts';

/** A mount as a program on the node meets it. */
export interface MountState {
  readonly mountPoint: string;
  /** For instance `/dev/datalv`. */
  readonly device: string;
  readonly readOnly: boolean;
  /** Writers wait for a thaw. */
  readonly frozen: boolean;
}

/** What a test sees of the storage. */
export interface StorageState {
  readonly groups: readonly {
    readonly name: string;
    /** 32 hexadecimal digits. */
    readonly id: string;
    /** Time stamp of the VGDA: grows with each change. */
    readonly stamp: number;
    /** How nodes have it varied on, by node; a node where it is off is missing. */
    readonly varied: Readonly<Record<string, Varied>>;
    readonly volumes: readonly {
      readonly name: string;
      readonly type: string;
      readonly label: string;
      /** Of the logical partition that has most. */
      readonly copies: number;
      /** Physical partitions that lag behind. */
      readonly stale: number;
      /** `hdisk:PP` of each copy of each logical partition. */
      readonly map: readonly (readonly string[])[];
      /** Nodes that have it mounted or open. */
      readonly openOn: readonly string[];
    }[];
  }[];
  /** Mounted file systems of shared disks, by node. */
  readonly mounts: Readonly<Record<string, readonly MountState[]>>;
}

/** A mount as programs see it. */
export function stateOf(mount: Mount): MountState {
  return {
    mountPoint: mount.mountPoint,
    device: `/dev/${mount.volume.name}`,
    readOnly: mount.readOnly,
    frozen: mount.freeze !== undefined,
  };
}

/** The whole model, for tests. */
export function inspect(machine: Machine): StorageState {
  const nodes = [...machine.nodes.values()];
  return {
    groups: machine.groups.map((group) => ({
      name: group.name,
      id: group.id,
      stamp: group.stamp,
      varied: Object.fromEntries(
        nodes.flatMap((node) => {
          const varied = node.varied.get(group.id);
          return varied === undefined ? [] : [[node.name, varied] as const];
        }),
      ),
      volumes: group.volumes.map((volume) => ({
        name: volume.name,
        type: volume.type,
        label: volume.label,
        copies: copyCount(volume),
        stale: staleCount(volume),
        map: volume.map.map((copies) => copies.map(({ disk, number }) => `${disk.name}:${number}`)),
        openOn: nodes.filter((node) => isOpenOn(node, volume)).map(({ name }) => name),
      })),
    })),
    mounts: Object.fromEntries(
      nodes.map((node) => [node.name, node.mounts.filter(({ native }) => !native).map(stateOf)]),
    ),
  };
}
