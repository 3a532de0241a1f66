import { createHash } from 'node:crypto';
import type { Dialect } from '../cluster/generation.ts';

/** One installed product as `lslpp` lists it. */
export interface Fileset {
  readonly name: string;
  /** `V.R.M.F`; version-release for an RPM. */
  readonly level: string;
  readonly description: string;
  readonly kind: 'fileset' | 'rpm';
  /** Short code of the state: `A` applied, `B` broken, `C` committed. */
  readonly state: 'A' | 'B' | 'C';
  /** Level of its root part; undefined when it has none. */
  readonly rootLevel: string | undefined;
  /** Year and week of its build, `YYWW`. */
  readonly build: string;
  /** An interim fix holds it. */
  readonly locked: boolean;
}

/** An interim fix as `emgr -l` lists it. */
export interface InterimFix {
  readonly label: string;
  readonly abstract: string;
  /** `MM/DD/YY HH:MM:SS` */
  readonly installed: string;
}

/** Software of one node. */
export interface Software {
  /** `VRMF-TL-SP-YYWW` of `oslevel -s`. */
  readonly level: string;
  /** What `halevel -s` prints. */
  readonly halevel: string;
  /** Number of the protocol in the cluster's ODM. */
  readonly protocol: number;
  /** Level of the system firmware. */
  readonly firmware: string;
  readonly filesets: readonly Fileset[];
  readonly fixes: readonly InterimFix[];
  /** Who is logged in: what only root sees is kept from a `user`. */
  readonly login: 'root' | 'user';
  /** Language of titles and state words. */
  readonly language: Language;
}

/** Languages that the node's software database speaks. */
export type Language = 'C' | 'fr_FR';

/** What differs on a node from the lab's common software; filesets by name, `null` removes one. */
export interface SoftwareOverrides {
  readonly level?: string;
  readonly halevel?: string;
  readonly protocol?: number;
  readonly firmware?: string;
  /** Filled up with device filesets to at least so many; a large host has 1,500. */
  readonly rows?: number;
  readonly filesets?: Readonly<Record<string, string | null>>;
  /** Filesets that are not committed: `A` applied, `B` broken. */
  readonly states?: Readonly<Record<string, 'A' | 'B'>>;
  readonly fixes?: readonly InterimFix[];
  /** Rights of the login: a `user` sees no interim fixes, neither listed nor by `emgr`. Default: `root`. */
  readonly login?: 'root' | 'user';
  /** A node that does not heed `LC_ALL` and has its own language in titles and state words. Default: `C`. */
  readonly language?: Language;
}

/** Families: name prefix, level, build, description, members. Invented for the lab in AIX's naming. */
const families: readonly (readonly [
  prefix: string,
  level: string,
  build: string,
  description: string,
  members: string,
])[] = [
  [
    'bos',
    '7.2.3.16',
    '2016',
    'Base Operating System',
    '64bit acct.rte adt.base adt.include adt.lib adt.debug adt.sccs adt.syscalls ahafs alt_disk_install.rte alt_disk_install.boot_images cdmount cluster.rte clvm.enh diag.com diag.rte diag.util ecc_client.rte efs.rte iconv.com iconv.ucs.com iocp.rte man mh mls.rte mp64 perf.diag_tool perf.fdpr perf.libperfstat perf.perfstat perf.pmaix perf.proctools perf.tools perf.tune pkcs11 pmapi.events pmapi.lib pmapi.tools rte rte.Dt rte.ILS rte.SRC rte.X11 rte.aio rte.archive rte.bind_cmds rte.boot rte.bosinst rte.commands rte.compare rte.console rte.control rte.cron rte.date rte.devices rte.devices_msg rte.diag rte.edit rte.filesystem rte.iconv rte.im rte.install rte.jfscomp rte.libc rte.libcfg rte.libcur rte.libdbm rte.libnetsvc rte.libpthreads rte.libqb rte.libs rte.loc rte.lvm rte.man rte.methods rte.misc_cmds rte.mlslib rte.net rte.odm rte.printers rte.security rte.serv_aid rte.shell rte.streams rte.tty suma sysmgt.loginlic sysmgt.nim.client sysmgt.quota sysmgt.serv_aid sysmgt.smit sysmgt.sysbr sysmgt.trace terminfo.ansi.data terminfo.com.data terminfo.dec.data terminfo.ibm.data terminfo.print.data terminfo.rte txt.spell txt.tfs wpars esagent svpkg.wlm',
  ],
  [
    'bos.net',
    '7.2.3.15',
    '1943',
    'TCP/IP and NFS',
    'nfs.adt nfs.cachefs nfs.client nfs.server ipsec.keymgt ipsec.rte ncs nis.client nis.server ppp sctp snapp ssh tcp.adt tcp.bind tcp.bind_utils tcp.client tcp.client_core tcp.dfpd tcp.dhcp tcp.dhcpd tcp.ftp tcp.ftpd tcp.imapd tcp.inetd tcp.ntp tcp.ntpd tcp.pop3d tcp.pxed tcp.rcmd tcp.rcmd_server tcp.sendmail tcp.server tcp.server_core tcp.slip tcp.slp tcp.snmp tcp.snmpd tcp.syslogd tcp.telnet tcp.telnetd tcp.tftp tcp.tftpd tcp.traceroute tcp.uucp uucode',
  ],
  ['bos.loc', '7.2.3.0', '1837', 'Locale', 'com.utf iso.en_GB iso.en_US utf.EN_US utf.DE_DE utf.FR_FR pc.compat'],
  [
    'bos.msg.en_US',
    '7.2.3.15',
    '1943',
    'Messages - U.S. English',
    'net.tcp.client net.nfs.client diag.rte rte txt.tfs alt_disk_install.rte cluster.rte perf.tools mp svc',
  ],
  [
    'devices.common.IBM',
    '7.2.3.15',
    '1943',
    'Device Software',
    'async.diag bmc.rte cx.rte crypt.rte disk.rte ethernet.rte fc.rte fc.hba-api hdlc.rte iscsi.rte modemcfg.data mpio.rte mpt2.rte pcie.rte raid.rte scsi.rte sissas.rte sni.ml storfwork.rte usb.rte xhci.rte',
  ],
  [
    'devices.chrp',
    '7.2.3.15',
    '1943',
    'CHRP System Device Software',
    'base.rte base.diag base.ServiceRM AT97SC3201_r.rte IBM.HPS.rte IBM.lhca.rte pci.rte vdevice.rte',
  ],
  [
    'devices.vdevice',
    '7.2.3.15',
    '1943',
    'Virtual Device Software',
    'IBM.l-lan.rte IBM.v-scsi.rte IBM.vfc-client.rte IBM.vnic.rte hvterm1.rte hvterm-protocol.rte vty-server.rte IBM.hyp-tape.rte',
  ],
  ['devices.sas', '7.2.3.0', '1837', 'SAS Device Software', 'adapt disk.rte tape.rte enc.rte'],
  [
    'devices.fcp',
    '7.2.3.15',
    '1943',
    'FC SCSI Device Software',
    'disk.rte tape.rte disk.ibm.mpio.rte tape.ibm.rte disk.array.rte',
  ],
  ['rsct.basic', '3.2.4.2', '1938', 'RSCT Basic Function', 'hacmp rte sp'],
  [
    'rsct.core',
    '3.2.4.4',
    '1943',
    'RSCT Core',
    'auditrm errm fsrm gui hostrm lprm microsensor rmc sec sensorrm sr utils errm_msg',
  ],
  [
    'rsct.compat',
    '3.2.4.0',
    '1837',
    'RSCT Event Management',
    'basic.hacmp basic.rte basic.sp clients.hacmp clients.rte clients.sp',
  ],
  ['rsct.opt', '3.2.4.1', '1910', 'RSCT Optional Function', 'saf.amf stackdump storagerm fence.hmc'],
  ['cluster.es.client', '7.2.2.1', '1810', 'PowerHA SystemMirror Client', 'clcomd lib rte utils wsm'],
  ['cluster.es.cspoc', '7.2.2.1', '1810', 'PowerHA SystemMirror C-SPOC', 'cmds rte'],
  ['cluster.es.server', '7.2.2.1', '1810', 'PowerHA SystemMirror Server', 'cfgast diag events rte testtool utils'],
  [
    'cluster.es',
    '7.2.2.0',
    '1748',
    'PowerHA SystemMirror',
    'migcheck nfs.rte smui.common smui.agent assist.common adt.java',
  ],
  [
    'cluster.adt.es',
    '7.2.2.0',
    '1748',
    'PowerHA SystemMirror Development',
    'client.include client.samples.clinfo java.demo.monitor',
  ],
  [
    'cluster.msg.en_US',
    '7.2.2.0',
    '1748',
    'PowerHA SystemMirror Messages - U.S. English',
    'cspoc es.client es.server assist',
  ],
  ['cluster', '7.2.2.0', '1748', 'PowerHA SystemMirror Electronic License', 'license man.en_US.es.data'],
  [
    'X11',
    '7.2.3.0',
    '1837',
    'AIXwindows',
    'adt.lib apps.aixterm apps.config apps.msmit apps.rte base.lib base.rte base.smt compat.lib.X11R6_motif fnt.coreX fnt.defaultFonts fnt.iso1 loc.en_US.base.lib loc.en_US.Dt.rte motif.lib motif.mwm msg.en_US.base.rte samples.lib vsm.lib',
  ],
  ['printers', '7.2.0.0', '1543', 'Printer Support', 'rte msg.en_US.rte ibm4019.rte ibm4029.rte lpr.rte'],
  [
    'sysmgt',
    '7.2.3.16',
    '2016',
    'System Management',
    'cfgassist cim.providers help.en_US.websm pconsole.rte websm.rte websm.framework',
  ],
  ['security', '7.2.3.0', '1837', 'Security', 'acf gskit.rte ldap.rte'],
  ['openssh.base', '8.1.102.2101', '2101', 'Open Secure Shell', 'client server'],
  ['openssl', '1.0.2.2100', '2101', 'Open Secure Socket Layer', 'base license man.en_US'],
  ['perl', '5.28.1.0', '1906', 'Perl Version 5 Runtime Environment', 'rte man.en_US'],
  ['Java8_64', '8.0.0.600', '2001', 'Java SDK 64-bit', 'jre samples sdk'],
  ['clic.rte', '4.11.0.1', '1837', 'CryptoLite for C', 'kernext lib includes pkcs11'],
  ['xlC', '16.1.0.3', '1920', 'IBM XL C++ Runtime', 'aix61.rte cpp rte sup.aix50.rte'],
  ['idsldap.clt64bit64', '6.4.0.20', '2006', 'Directory Server - 64 bit Client', 'rte'],
  ['glvm.rpv', '7.2.2.0', '1748', 'Remote Physical Volume', 'client server util'],
];

/** Filesets of the families that also have a part under /etc/objrepos. */
const withRoot =
  /^(bos\.(rte$|net\.|rte\.(security|printers|SRC|tty|cron|control)|cluster|ahafs|diag|wpars)|cluster\.es\.(server|client)|rsct\.(core|basic)|devices\.(chrp|fcp|common)|openssh|sysmgt)/;

const rpms: readonly (readonly [name: string, level: string, description: string])[] = [
  ['AIX-rpm', '7.2.3.16-3', 'Virtual Package for libraries and shells installed on system'],
  ['bash', '5.0-4', 'The GNU Bourne Again shell'],
  ['curl', '7.76.0-1', 'get a file from a FTP or HTTP server'],
  ['gettext', '0.20.2-1', 'GNU libraries and utilities for producing multi-lingual messages'],
  ['libgcc', '8.3.0-6', 'GCC compiler dynamic runtime library'],
  ['lsof', '4.91-2', 'Lists open files'],
  ['python3', '3.7.10-1', 'An interpreted, interactive, object-oriented programming language'],
  ['rsync', '3.2.3-1', 'A program for synchronizing files over a network'],
  ['sudo', '1.9.5p2-1', 'Allows restricted root access for specified users'],
  ['zlib', '1.2.11-1', 'The zlib compression and decompression library'],
];

/** Levels of single filesets that differ from their family's, as updates leave them on a healthy node. */
const updates: Readonly<Record<string, string>> = {
  'bos.rte.libc': '7.2.3.18',
  'bos.mp64': '7.2.3.18',
  'bos.rte.lvm': '7.2.3.17',
  'bos.cluster.rte': '7.2.3.17',
  'bos.net.tcp.client_core': '7.2.3.17',
  'cluster.es.server.events': '7.2.2.3',
  'cluster.es.server.utils': '7.2.2.2',
  'cluster.es.cspoc.cmds': '7.2.2.2',
  'rsct.core.rmc': '3.2.4.5',
  'rsct.core.utils': '3.2.4.6',
};

const commonFixes: readonly InterimFix[] = [
  { label: 'IJ20785s2a', abstract: 'tcpdump security fix', installed: '10/06/26 11:03:46' },
  { label: 'IJ17065m3a', abstract: 'LVM fix for AIX 7.2 TL03', installed: '10/06/26 11:05:12' },
];

/** The families below are written with these levels; another generation has its own. */
const own = { base: '7.2.3', product: '7.2.2' };

/** The software of a node: what all nodes of the lab have in common, and what differs on this one. */
export function softwareOf(dialect: Dialect, overrides: SoftwareOverrides = {}): Software {
  const levelFor = (level: string) =>
    level.replace(`${own.base}.`, `${dialect.base}.`).replace(`${own.product}.`, `${dialect.product}.`);
  const filesets: Fileset[] = families.flatMap(([prefix, level, build, description, members]) =>
    members.split(' ').map((member): Fileset => {
      const written = `${prefix}.${member}`;
      // The classic product of 4.x had another family (facts levels.md 1.6).
      const name = dialect.product.startsWith('4.') ? written.replace(/^cluster\.es\b/, 'cluster.base') : written;
      const current = levelFor(updates[written] ?? level);
      return {
        name,
        level: current,
        description: `${description} (${member})`,
        kind: 'fileset',
        state: 'C',
        // An update that touches only /usr leaves the root part behind: healthy (facts levels.md 1.1.2).
        rootLevel: withRoot.test(name) ? levelFor(level) : undefined,
        build,
        locked: name === 'bos.rte.lvm',
      };
    }),
  );
  filesets.push(
    ...rpms.map(
      ([name, level, description]): Fileset => ({
        name,
        level,
        description,
        kind: 'rpm',
        state: 'C',
        rootLevel: undefined,
        build: 'Tue Oct 6 09:12:44 CDT 2026',
        locked: false,
      }),
    ),
  );
  for (let index = filesets.length; index < (overrides.rows ?? 0); index++) {
    const device = createHash('md5').update(`device ${index}`).digest('hex').slice(0, 16);
    filesets.push({
      name: `devices.pciex.${device}.rte`,
      level: levelFor('7.2.3.0'),
      description: 'PCI Express Adapter Device Software',
      kind: 'fileset',
      state: 'C',
      rootLevel: index % 3 === 0 ? levelFor('7.2.3.0') : undefined,
      build: '1837',
      locked: false,
    });
  }
  const changed = new Map(Object.entries(overrides.filesets ?? {}));
  const installed = filesets
    .filter(({ name }) => changed.get(name) !== null)
    .map((fileset) => ({ ...fileset, level: changed.get(fileset.name) ?? fileset.level }));
  for (const [name, level] of changed) {
    if (level === null || installed.some((fileset) => fileset.name === name)) continue;
    installed.push({
      name,
      level,
      description: name,
      kind: 'fileset',
      state: 'C',
      rootLevel: undefined,
      build: '',
      locked: false,
    });
  }
  const states = overrides.states ?? {};
  return {
    level: overrides.level ?? dialect.level,
    halevel: overrides.halevel ?? dialect.halevel,
    protocol: overrides.protocol ?? dialect.protocol,
    firmware: overrides.firmware ?? 'VL940_041',
    filesets: installed
      .map((fileset) => ({ ...fileset, state: states[fileset.name] ?? fileset.state }))
      .sort((one, other) => (one.name < other.name ? -1 : 1)),
    fixes: overrides.fixes ?? commonFixes,
    login: overrides.login ?? 'root',
    language: overrides.language ?? 'C',
  };
}
