/** A script that the cluster manager of every node runs before or after one of its events. */
export interface EventCommand {
  /** Name of the event, for instance `node_down_remote`. */
  readonly event: string;
  readonly place: 'pre' | 'post';
  /** Name of the custom event, as the ODM has it. */
  readonly name: string;
  /** Absolute path of the script on the nodes. */
  readonly path: string;
}

/** What operators have registered; synchronised to all nodes at once. */
export interface Customisation {
  /** @throws RangeError for an event that the lab does not run. */
  register(command: EventCommand): () => void;
  /** Paths of the scripts of an event, in the order in which they were registered. */
  of(event: string, place: EventCommand['place']): readonly EventCommand[];
}

/**
 * Events that the lab's managers run, by the transition that they belong to (facts hacmp.md 12). The names of the rg_move
 * family are remembered.
 */
export const eventNames = {
  TE_JOIN_NODE: { local: ['node_up_local'], remote: ['node_up_remote'] },
  TE_FAIL_NODE: { local: ['node_down_local'], remote: ['node_down_remote'] },
  TE_RG_MOVE: { local: ['rg_move'], remote: ['rg_move'] },
} as const;

/** Every event with its second half. */
export const allEvents: readonly string[] = [
  ...new Set(
    Object.values(eventNames).flatMap(({ local, remote }) =>
      [...local, ...remote].flatMap((name) => [name, `${name}_complete`]),
    ),
  ),
].sort();

export function createCustomisation(): Customisation {
  let commands: readonly EventCommand[] = [];
  return {
    register(command) {
      if (!allEvents.includes(command.event)) throw new RangeError(`the lab has no event ${command.event}`);
      commands = [...commands, command];
      return () => {
        commands = commands.filter((other) => other !== command);
      };
    },
    of: (event, place) => commands.filter((command) => command.event === event && command.place === place),
  };
}
