/** A private key: a file, or the text of one. */
export type Identity =
  | { readonly file: string }
  /** `label` names the key in errors and to the passphrase callback. */
  | { readonly key: string | Buffer; readonly label: string };

/** How a node is reached and who asks. */
export interface SshOptions {
  /** DNS name or IP address. */
  readonly address: string;
  /** Default 22. */
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
   * `/etc/ssh/ssh_known_hosts`. There is no way to accept an unknown key.
   */
  readonly knownHosts?: readonly string[] | undefined;
  /** Name under which the node stands in known_hosts; default its address and port. */
  readonly hostKeyAlias?: string | undefined;
  /** Seconds for connecting and logging in, without the time that a callback takes; default 20. */
  readonly connectSeconds?: number | undefined;
  /** Seconds between keepalives; default 10. After {@link keepaliveCount} without an answer the link is given up. */
  readonly keepaliveSeconds?: number | undefined;
  /** Default 3. */
  readonly keepaliveCount?: number | undefined;
}
