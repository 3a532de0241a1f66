import { resolve } from 'node:path';
import { applied, SshSettingsError, usualCiphers } from '../algorithms.ts';
import type { SshOptions } from '../options.ts';
import { stationsOf } from '../stations.ts';
import { knownHostsFiles } from '../trust/host-key.ts';

/** What the files of one connection of the system's client are called. */
export interface ConnectionFiles {
  /** The control socket. */
  readonly control: string;
  /** For the node and each of its jump hosts, in the order of {@link stationsOf}: where its keys come from. */
  readonly keys: readonly KeySource[];
}

/** Key files that `ssh` reads itself, and the agent that it asks. */
export interface KeySource {
  readonly files: readonly string[];
  readonly agent: string | false;
  /** The agent is ours and holds nothing but keys that are named. */
  readonly isOurs?: boolean | undefined;
  /** Keys that could not be opened, and why. */
  readonly unusable?: readonly string[] | undefined;
}

/** Seconds for which an idle connection stands when this process does not end it. */
const persistSeconds = 60;

/**
 * The configuration for `ssh -F`, and all of it: no file of the user or of the system is read beside it. Jump hosts stand in
 * it as `hop1`, `hop2`, ..., since no `-o` reaches them, and the node as `node`. `session` reaches the node only over the
 * connection that stands: when that refuses, ssh would make another one behind our back.
 *
 * @throws SshSettingsError when a value could mean something else to `ssh`.
 */
export function renderConfig(options: SshOptions, files: ConnectionFiles): string {
  const stations = stationsOf(options);
  const names = stations.map((_, index) => (index === stations.length - 1 ? 'node' : `hop${index + 1}`));
  const blocks = stations.map((station, index) => {
    const route = index === stations.length - 1 && index > 0 ? [`ProxyJump ${names.slice(0, -1).join(',')}`] : [];
    const keys = files.keys[index] ?? { files: [], agent: false };
    return [`Host ${names[index]}`, ...stationLines(station, keys), ...route, ...proxyLine(station, index)];
  });
  return [
    ...blocks.flat(),
    'ControlMaster yes',
    `ControlPath ${path(files.control, 'the temporary directory')}`,
    `ControlPersist ${persistSeconds}`,
    'Host session',
    // No address of the other family: there is nowhere else to go.
    'HostName ::1',
    'AddressFamily inet',
    'LogLevel ERROR',
    'ControlMaster no',
    `ControlPath ${path(files.control, 'the temporary directory')}`,
    'Host *',
    'BatchMode yes',
    'ClearAllForwardings yes',
    'ForwardAgent no',
    'ForwardX11 no',
    'PermitLocalCommand no',
    'EscapeChar none',
    'RequestTTY no',
    'UpdateHostKeys no',
    'VerifyHostKeyDNS no',
    'ControlMaster no',
    'ControlPath none',
    '',
  ].join('\n');
}

function proxyLine({ proxyCommand }: SshOptions, index: number): string[] {
  if (proxyCommand === undefined) return [];
  if (index === 0 && !/[\0\r\n]/.test(proxyCommand)) return [`ProxyCommand ${proxyCommand}`];
  throw unusable(index === 0 ? 'proxyCommand' : 'proxyCommand behind a jump host', proxyCommand);
}

function stationLines(options: SshOptions, keys: KeySource): string[] {
  const many = (keyword: string, values: readonly string[] | undefined) =>
    values?.length ? [`${keyword} ${values.map((value) => path(value, keyword)).join(' ')}`] : [];
  const one = (keyword: string, value: string | number | undefined) =>
    value === undefined ? [] : [`${keyword} ${word(String(value), keyword)}`];
  const [own] = knownHostsFiles(options);
  return [
    `HostName ${address(options.address).replaceAll('%', '%%')}`,
    ...one('Port', options.port ?? 22),
    `User ${user(options.user)}`,
    ...one('HostKeyAlias', options.hostKeyAlias),
    // Were the list empty, ssh would take its own files.
    ...(own === undefined ? ['UserKnownHostsFile none'] : many('UserKnownHostsFile', knownHostsFiles(options))),
    'GlobalKnownHostsFile none',
    ...(options.revokedHostKeys === undefined ? [] : many('RevokedHostKeys', [options.revokedHostKeys])),
    `StrictHostKeyChecking ${options.unknownHostKey === 'accept-new' ? 'accept-new' : 'yes'}`,
    ...(keys.files.length === 0 ? ['IdentityFile none'] : keys.files.flatMap((file) => many('IdentityFile', [file]))),
    ...(options.certificates ?? []).flatMap((file) => many('CertificateFile', [file])),
    ...(keys.agent === false ? ['IdentityAgent none'] : many('IdentityAgent', [keys.agent])),
    ...(options.identitiesOnly && !keys.isOurs ? ['IdentitiesOnly yes'] : []),
    ...one('PKCS11Provider', options.pkcs11Provider),
    ...one('SecurityKeyProvider', options.securityKeyProvider),
    `GSSAPIAuthentication ${options.gssapi ? 'yes' : 'no'}`,
    `PreferredAuthentications ${options.gssapi ? 'gssapi-with-mic,' : ''}publickey`,
    `ConnectTimeout ${options.connectSeconds ?? 20}`,
    `ServerAliveInterval ${options.keepaliveSeconds ?? 10}`,
    `ServerAliveCountMax ${options.keepaliveCount ?? 3}`,
    ...one('KexAlgorithms', checked(options.algorithms?.kex)),
    ...one('HostKeyAlgorithms', checked(options.algorithms?.hostKeys)),
    // Who signs with SHA-1 seldom takes anything better.
    ...(options.algorithms?.hostKeys?.includes('ssh-rsa') ? ['PubkeyAcceptedAlgorithms +ssh-rsa'] : []),
    `Ciphers ${applied(options.algorithms?.ciphers, usualCiphers).join(',')}`,
    ...one('MACs', checked(options.algorithms?.macs)),
  ];
}

function checked(setting: string | undefined): string | undefined {
  applied(setting, []);
  return setting;
}

/** One word of a line; ssh takes no line feed in any way, and double quotes within quotes only since 8.7. */
function word(value: string, what: string): string {
  if (value === '' || /["\\\0\r\n]/.test(value)) throw unusable(what, value);
  return `"${value}"`;
}

/** A file: absolute, since ssh takes `~`, `$NAME` and a few words for something else, and without tokens. */
function path(value: string, what: string): string {
  if (value.includes('${')) throw unusable(what, value);
  return word(resolve(value).replaceAll('%', '%%'), what);
}

/** What ssh hands to a shell of its own when there is a jump host or a proxy command must be no more than a name. */
function address(value: string): string {
  if (!/^[\w:][\w.:%-]*$/.test(value)) throw unusable('address', value);
  return value;
}

function user(value: string): string {
  // A percent sign begins a token for newer clients, and none for older ones.
  if (!/^[^-\s'"`$%\\;&<>|(){}][^\s'"`$%\\;&<>|(){}]*$/.test(value)) throw unusable('user', value);
  return value;
}

function unusable(what: string, value: string): SshSettingsError {
  return new SshSettingsError(`${what}: ${JSON.stringify(value)} cannot be handed to ssh as it is`, {
    remedy: 'Use a name without quotes, backslashes and control characters.',
  });
}
