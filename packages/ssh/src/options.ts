import type { Adapter, AdapterChoice } from './adapter.ts';
import type { Algorithms } from './algorithms.ts';
import type { ConnectionFacts } from './embedded/connection-facts.ts';

/** A private key: a file, or the text of one. */
export type Identity =
  | { readonly file: string }
  /** `label` names the key in errors and to the passphrase callback. */
  | { readonly key: string | Buffer; readonly label: string };

/** How a node is reached and who asks. */
export interface SshOptions {
  /** Which client makes the connection; default `ssh2`, the embedded one. `auto` takes it unless these options ask for more. */
  readonly adapter?: Adapter | 'auto' | undefined;
  /** Told what `auto` has chosen, and why. */
  readonly onChoice?: ((choice: AdapterChoice) => void) | undefined;
  /** Path of the system's client; default `ssh`, as PATH finds it. */
  readonly program?: string | undefined;
  /** DNS name or IP address. */
  readonly address: string;
  /** From 1 to 65535; default 22. */
  readonly port?: number | undefined;
  /** Login name on the node. */
  readonly user: string;
  /** Private keys in the order in which they are tried; default none. */
  readonly identities?: readonly Identity[] | undefined;
  /**
   * Asked for the passphrase of an encrypted key, when its turn has come. `undefined` passes the key over.
   *
   * @param identity File or label of the key.
   */
  readonly passphrase?: ((identity: string) => Promise<string | undefined>) | undefined;
  /** Socket of an agent, or `false` for none; default the environment's `SSH_AUTH_SOCK`. */
  readonly agent?: string | false | undefined;
  /**
   * Asked for the password, only when keys and agent did not do and the node takes one. `undefined` gives up.
   *
   * @param prompt The node's own words, or `user@address's password:`.
   */
  readonly password?: ((prompt: string) => Promise<string | undefined>) | undefined;
  /**
   * Files in the format of known_hosts; a missing file knows nobody. Default `~/.ssh/known_hosts` and
   * `/etc/ssh/ssh_known_hosts`.
   */
  readonly knownHosts?: readonly string[] | undefined;
  /**
   * What is done with a node whose key nobody knows yet: refuse it, which is the default, or trust it from now on and write
   * it to the first of {@link knownHosts}. A key that differs from a known one is refused in either case.
   */
  readonly unknownHostKey?: 'refuse' | 'accept-new' | undefined;
  /** Name under which the node stands in known_hosts; default its address and port. */
  readonly hostKeyAlias?: string | undefined;
  /** Whole seconds for connecting and logging in, without the time that a callback takes, from 1 to 2147483; default 20. */
  readonly connectSeconds?: number | undefined;
  /**
   * Whole seconds between keepalives, up to 2147483; default 10. After {@link keepaliveCount} without an answer the link is
   * given up. With 0 none are sent, and nobody notices that nothing passes any more.
   */
  readonly keepaliveSeconds?: number | undefined;
  /** From 1; default 3. */
  readonly keepaliveCount?: number | undefined;
  /**
   * Bytes that the node may send on a channel before it has to wait for us; default 6 MiB. It should be the bandwidth of the
   * link times its round trip, here 1 Gbit/s and 50 ms: less leaves the link idle, much more only queues in it. Each stream
   * that nobody reads may hold so much and 3 MiB in memory. From 2 MiB, which ssh2 has granted by then, to 256 MiB; only ssh2.
   */
  readonly windowBytes?: number | undefined;
  /**
   * Most connections for long streams side by side, so that each gets a processor of the node and a full share of a slow
   * link, from 1 to 1000; default 4. Two more are made when the node refuses another channel (MaxSessions).
   */
  readonly connections?: number | undefined;
  /** Told of each connection that was made: what it agreed on, and how it is received. Never throws. */
  readonly onConnect?: ((facts: ConnectionFacts) => void) | undefined;
  /**
   * Hosts through which the node is reached, the first one first. Each one's key is checked as the node's is. They take
   * {@link passphrase} and {@link onWarning} from the node where they have none.
   */
  readonly jumps?: readonly SshOptions[] | undefined;
  /** What this node may agree on beside or instead of the usual; old AIX servers need for instance `{ hostKeys: '+ssh-rsa' }`. */
  readonly algorithms?: Algorithms | undefined;
  /** Told what an operator should know although it works. Never throws. */
  readonly onWarning?: ((warning: SshWarning) => void) | undefined;
  /** Offer no key of the agent but those of {@link identities}. */
  readonly identitiesOnly?: boolean | undefined;
  /** Files of user certificates. Only the system's client. */
  readonly certificates?: readonly string[] | undefined;
  /** File of host keys that are refused whatever else is known (RevokedHostKeys). Only the system's client. */
  readonly revokedHostKeys?: string | undefined;
  /** Log in with Kerberos, too. Only the system's client. */
  readonly gssapi?: boolean | undefined;
  /** Makes the connection, as in ssh_config: ssh runs it with a shell, and resolves its tokens. Only the system's client. */
  readonly proxyCommand?: string | undefined;
  /** Library of a smart card. Only the system's client. */
  readonly pkcs11Provider?: string | undefined;
  /** Library of a hardware key other than ssh's own. Only the system's client. */
  readonly securityKeyProvider?: string | undefined;
}

/** Something that works and should not stay so. */
export interface SshWarning {
  /**
   * `LEGACY_ALGORITHM`: agreed on since the node's settings allow it. `HOST_KEY_ACCEPTED`: an unknown key is trusted from
   * now on. `WINDOW_NOT_SET`: this ssh2 is not the one whose internals are known, and streams over long links are slow.
   */
  readonly code: 'LEGACY_ALGORITHM' | 'HOST_KEY_ACCEPTED' | 'WINDOW_NOT_SET';
  /** How errors call the host. */
  readonly host: string;
  readonly message: string;
}
