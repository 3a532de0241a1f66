import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelUse, orAborted, type RemoteProcess, type Transport, TransportError } from '@splitmirror/host';
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
  /** Calls that wait for it to be made. */
  waiting: number;
  /** It is not made any more. */
  giveUp(): void;
}

/**
 * Starts command lines over kept connections. The first is made at the first call and shared by concurrent calls; one that
 * is lost is made anew at the next call. Behind `close` none is made for a call that was under way, nor is one waited for
 * that is being made. Bulk streams side by side get a connection each, and scripts go where there is none if they can. sshd
 * grants ten channels a connection unless told otherwise (MaxSessions); when they are used up, a further connection is made.
 * Nothing is ever started twice.
 *
 * @param name How errors call the host.
 * @param connect Makes a connection; rejects soon when its signal aborts, and leaves nothing behind.
 * @param connections Most connections for bulk streams side by side.
 */
export function connectedTransport(
  name: string,
  connect: (signal: AbortSignal) => Promise<Connection>,
  connections: number = defaultConnections,
): Transport {
  let links: Link[] = [];
  /** Connections being made, also those that nobody wants any more. */
  const making = new Set<Promise<void>>();
  let closings = 0;

  function makeLink(): Link {
    const unwanted = new AbortController();
    const forget = () => {
      links = links.filter((other) => other !== link);
    };
    const giveUp = () => {
      forget();
      unwanted.abort();
    };
    const link: Link = { made: connect(unwanted.signal), connection: undefined, bulk: 0, waiting: 0, giveUp };
    const settled = link.made
      .then((connection) => {
        if (unwanted.signal.aborted) connection.destroy();
        else link.connection = connection;
      }, forget)
      .finally(() => making.delete(settled));
    making.add(settled);
    links.push(link);
    return link;
  }

  /** Waits with everybody else who does. When nobody does any more, it is not made. */
  async function connectionOf(link: Link, signal: AbortSignal | undefined): Promise<Connection> {
    link.waiting += 1;
    try {
      return await orAborted(signal, link.made);
    } finally {
      link.waiting -= 1;
      if (link.waiting === 0 && link.connection === undefined) link.giveUp();
    }
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
    async open(commandLine, use = 'talk', signal?: AbortSignal): Promise<RemoteProcess> {
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
          await delay(pause, undefined, { signal });
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
          const connection = await connectionOf(link, signal);
          child = await started(connection.exec(commandLine), signal);
          void child.exit.then(() => {
            link.bulk -= weight;
          });
          return child;
        } catch (error) {
          link.bulk -= weight;
          signal?.throwIfAborted();
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
      for (const { connection, giveUp } of ending) if (connection === undefined) giveUp();
      await Promise.all(making);
      await Promise.all(ending.map(({ connection }) => connection?.close()));
    },
  };
}

/** A start that nobody waits for any longer: nothing was sent to it, so it finds the end of its input and goes. */
async function started(start: Promise<RemoteProcess>, signal: AbortSignal | undefined): Promise<RemoteProcess> {
  try {
    return await orAborted(signal, start);
  } catch (error) {
    start.then(
      (child) => {
        child.stdin.on('error', () => {}).end();
        child.destroy();
      },
      () => {},
    );
    throw error;
  }
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
