import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelUse, type RemoteProcess, type Transport, TransportError } from '@splitmirror/host';
import { printable } from './printable.ts';

/** A logged-in connection. */
export interface Connection {
  /** Why it ended, or `null` while it stands. */
  lost(): string | null;
  /** Starts a command line on a channel of its own. Rejects with what ssh2 says; nothing was started then. */
  exec(commandLine: string): Promise<RemoteProcess>;
  /** Ends it and waits for that. */
  close(): Promise<void>;
  /** Drops it without a word. */
  destroy(): void;
}

/** Most connections that are made for bulk streams side by side, unless the settings say otherwise. */
const defaultConnections = 4;
/** Further ones that are made when a node refuses another channel on those that stand: one has to be able to cancel. */
const spareConnections = 2;
/** Pauses in milliseconds before refused channels are asked for again. */
const openPauses = [50, 100, 200, 400, 800, 1600, 3200];

/** A connection that stands or is being made. */
interface Link {
  /** Rejects when it could not be made. */
  readonly made: Promise<Connection>;
  connection: Connection | undefined;
  /** Bulk streams that it carries. */
  bulk: number;
}

/**
 * Starts command lines over kept connections. The first is made at the first call and shared by concurrent calls; one that
 * is lost is made anew at the next call, but none behind `close` for a call that was under way. Bulk streams side by side
 * get a connection each, and scripts go where there is none if they can. sshd grants ten channels a connection unless told
 * otherwise (MaxSessions); when they are used up, a further connection is made. Nothing is ever started twice.
 *
 * @param name How errors call the host.
 * @param connections Most connections for bulk streams side by side.
 */
export function connectedTransport(
  name: string,
  connect: () => Promise<Connection>,
  connections: number = defaultConnections,
): Transport {
  let links: Link[] = [];
  let closings = 0;

  function makeLink(): Link {
    const link: Link = { made: connect(), connection: undefined, bulk: 0 };
    link.made.then(
      (connection) => {
        link.connection = connection;
      },
      () => {
        links = links.filter((other) => other !== link);
      },
    );
    links.push(link);
    return link;
  }

  /** Where the next channel is asked for; `null` when every connection is full and there may be no more of them. */
  function choose(use: ChannelUse, full: ReadonlySet<Link>, mayGrow: boolean): Link | null {
    links = links.filter(({ connection }) => {
      if (connection === undefined || connection.lost() === null) return true;
      // Nothing is left to end, but an adapter may have something to clean up.
      void connection.close().catch(() => {});
      return false;
    });
    const [best] = links.filter((link) => !full.has(link)).sort((one, other) => one.bulk - other.bulk);
    const isCrowded = use === 'bulk' && best !== undefined && best.bulk > 0;
    if (best !== undefined && !(isCrowded && mayGrow && links.length < connections)) return best;
    return mayGrow && links.length < connections + spareConnections ? makeLink() : null;
  }

  return {
    async open(commandLine, use = 'talk'): Promise<RemoteProcess> {
      const full = new Set<Link>();
      const age = closings;
      // Whoever has closed would not know of another connection, and nobody would close it.
      const refuseClosed = () => {
        if (age !== closings) throw notStarted(name, new Error('the host was closed meanwhile'));
      };
      let mayGrow = true;
      let reconnected = false;
      let refusal: unknown;
      for (let pauses = 0; ; ) {
        const link = choose(use, full, mayGrow);
        if (link === null) {
          const pause = openPauses[pauses++];
          if (pause === undefined) throw notStarted(name, refusal);
          await delay(pause);
          refuseClosed();
          full.clear();
          mayGrow = true;
          continue;
        }
        // At once, since others choose while this one is being made.
        const weight = use === 'bulk' ? 1 : 0;
        link.bulk += weight;
        let child: RemoteProcess | undefined;
        try {
          const connection = await link.made;
          child = await connection.exec(commandLine);
          void child.exit.then(() => {
            link.bulk -= weight;
          });
          return child;
        } catch (error) {
          link.bulk -= weight;
          const { connection } = link;
          refuseClosed();
          if (connection === undefined) {
            // A further connection that fails is no reason to give up: those that stand may have room.
            mayGrow = false;
            if (links.length === 0) throw error;
          } else if (isRefusedChannel(error)) {
            // Nothing was started: the node answers a start with success, and only then is anything sent to it.
            refusal = error;
            full.add(link);
          } else if (connection.lost() !== null && !reconnected) {
            reconnected = true;
          } else {
            throw notStarted(name, error);
          }
        }
      }
    },
    async close() {
      const ending = links;
      links = [];
      closings += 1;
      await Promise.all(
        ending.map(({ made }) =>
          made.then(
            (connection) => connection.close(),
            () => {},
          ),
        ),
      );
    },
  };
}

/** The node works but has no channel left for now; RFC 4254, section 5.1: 2 connect failed, 4 resource shortage. */
function isRefusedChannel(error: unknown): boolean {
  const { reason } = error as { reason?: unknown };
  return reason === 2 || reason === 4;
}

function notStarted(name: string, cause: unknown): TransportError {
  const reason = printable(cause instanceof Error ? cause.message : String(cause));
  return new TransportError('HOST_START', name, `the node did not start a shell: ${reason}`, {
    remedy: 'Check MaxSessions and ForceCommand in sshd_config on the node, and the login shell of the user.',
    cause,
  });
}
