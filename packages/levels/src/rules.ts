import type { Comparison } from './comparison.ts';
import type { Draft, Severity } from './finding.ts';
import {
  findClusterLevels,
  findFixLevels,
  findMinimums,
  findPeerVersions,
  findUnfinishedMigration,
} from './rules/cluster.ts';
import {
  findLevels,
  findLocked,
  findMissing,
  findParts,
  findPlaceholders,
  findRequisites,
  findStates,
  findUnknownStates,
} from './rules/filesets.ts';
import { findFailedFixes, findLabels, findLoneFixes, findRebootPending } from './rules/interim-fixes.ts';
import { findChanges, findSkew, findUnread } from './rules/nodes.ts';
import {
  findBuilds,
  findFirmware,
  findHeld,
  findKernels,
  findReleases,
  findServicePacks,
  findTechnologyLevels,
} from './rules/os-levels.ts';

interface Rule {
  readonly id: string;
  readonly severity: Severity;
  /** Severity while a maintenance window is open and the nodes have no more than two levels: the old one and the new. */
  readonly inWindow?: Severity;
  /** What it looks for, in a few words. */
  readonly title: string;
  /** What the rule rests on. */
  readonly source: string;
  readonly rationale: string;
  readonly remedy: string;
  /** Pure: everything it finds. */
  readonly find: (comparison: Comparison) => Draft[];
}

/** All rules, the gravest first. The order is the order of findings of one severity. */
export const rules = [
  {
    id: 'NODE-UNREAD',
    severity: 'error',
    title: 'A node or a command could not be read',
    source: 'An audit is complete or says what it lacks; IBM Redbook SG24-5131, p. 176, asks for all nodes.',
    rationale: 'Nodes that could be read are not consistent with one that could not.',
    remedy: 'Make the node answer, then audit again; what is said about the other nodes holds only among them.',
    find: findUnread,
  },
  {
    id: 'FS-BROKEN',
    severity: 'error',
    title: 'A fileset is broken, or an installation was left half done',
    source: 'lslpp manual page: states BROKEN, APPLYING, COMMITTING, REJECTING.',
    rationale: 'Software in this state may not work at all, on one node or on all.',
    remedy: 'Run "installp -C" to clean up, then install the fileset again, and check it with "lppchk -v".',
    find: (comparison) =>
      findStates(comparison, ['broken', 'applying', 'committing', 'rejecting'], 'not completely installed'),
  },
  {
    id: 'FS-INCONS',
    severity: 'error',
    title: 'A fileset is inconsistent, or requisites are missing',
    source: 'lslpp manual page: state "?"; lppchk manual page.',
    rationale: 'Parts of the fileset, or what it requires, are missing.',
    remedy: 'Run "lppchk -v" on the node and install what it names.',
    find: (comparison) => [...findStates(comparison, ['inconsistent'], 'inconsistent'), ...findRequisites(comparison)],
  },
  {
    id: 'HA-MIXED',
    severity: 'error',
    title: 'A migration of the cluster software is unfinished',
    source:
      'IBM Redbook SG24-8278, ch. 4 and 5: all HACMPnode versions equal the cluster version when a migration has ended.',
    rationale: 'In a mixed cluster nothing can be synchronized or verified, and groups cannot be moved.',
    remedy:
      'Finish the migration on the nodes that are behind, start cluster services there, then compare the versions again.',
    find: findUnfinishedMigration,
  },
  {
    id: 'HA-LEVEL',
    severity: 'error',
    title: 'A cluster fileset has different levels',
    source: 'IBM Redbook SG24-5131, p. 176.',
    rationale: 'All nodes must run the same HACMP maintenance level, or takeover itself may fail.',
    remedy:
      'Bring the fileset to the highest of these levels on the other nodes, with cluster services down on all nodes.',
    find: findClusterLevels,
  },
  {
    id: 'HA-MISSING',
    severity: 'error',
    title: 'A cluster server fileset is not on all nodes',
    source: 'IBM Redbook SG24-5131, p. 176.',
    rationale: 'A node without it cannot do what the others expect of it.',
    remedy: 'Install the fileset on the nodes that lack it, at the level of the others.',
    find: (comparison) => findMissing(comparison, ['ha-server']),
  },
  {
    id: 'HA-EDITION',
    severity: 'error',
    title: 'The nodes have different licence or edition filesets',
    source: 'PowerHA plug-in for IBM Systems Director: the same edition on all nodes.',
    rationale: 'An edition brings functions that the other nodes do not have.',
    remedy: 'Install the same edition, at the same level, on all nodes.',
    find: (comparison) => [...findMissing(comparison, ['ha-edition']), ...findLevels(comparison, ['ha-edition'])],
  },
  {
    id: 'HA-FIXLEVEL',
    severity: 'error',
    inWindow: 'info',
    title: 'The cluster managers run at different fix levels',
    source: 'IBM Redbook SG24-5131, p. 176; SG24-8278, ch. 5.',
    rationale: 'The running level counts, not only the installed one.',
    remedy: 'Update the nodes that are behind, and restart cluster services there.',
    find: findFixLevels,
  },
  {
    id: 'HA-MINIMUM',
    severity: 'error',
    title: 'AIX is below what this PowerHA level asks for',
    source: 'A table with its sources, replaceable by policy.',
    rationale: 'PowerHA below its prerequisites is not supported.',
    remedy: 'Update AIX on the node first, then look at PowerHA.',
    find: findMinimums,
  },
  {
    id: 'AIX-REL',
    severity: 'error',
    inWindow: 'info',
    title: 'The nodes run different releases of AIX',
    source: 'PowerHA plug-in for IBM Systems Director: the same AIX version on all nodes.',
    rationale: 'Between releases nothing is promised; only a migration under way may look like this.',
    remedy: 'Finish the migration of AIX node by node before anything else is changed.',
    find: findReleases,
  },
  {
    id: 'RSCT',
    severity: 'error',
    inWindow: 'info',
    title: 'A key fileset of RSCT, or RSCT as it runs, differs',
    source: 'IBM Redbook SG24-8278, ch. 4: a cluster joins at the lowest level.',
    rationale: 'Group services and resource monitoring of all nodes work together.',
    remedy: 'Bring RSCT to the same level on all nodes, together with AIX and before PowerHA.',
    find: (comparison) => [
      ...findMissing(comparison, ['rsct']),
      ...findLevels(comparison, ['rsct']),
      ...findPeerVersions(comparison),
    ],
  },
  {
    id: 'CAA',
    severity: 'error',
    inWindow: 'info',
    title: 'A key fileset of Cluster Aware AIX differs',
    source: 'AIX documentation, rolling upgrade and coexistence; IBM Redbook SG24-8278, ch. 4.',
    rationale: 'The cluster runs at the lowest effective level, and new features wait for the last node.',
    remedy: 'Bring the nodes to the same service pack of AIX, and check the interim fixes for CAA.',
    find: (comparison) => [...findMissing(comparison, ['caa']), ...findLevels(comparison, ['caa'])],
  },
  {
    id: 'IFIX-STATE',
    severity: 'error',
    title: 'An interim fix is not in force',
    source: 'emgr manual page: states broken, installing, removing, not patched.',
    rationale: 'A fix that is listed does not protect by being listed.',
    remedy: 'Remove the fix with "emgr -r -L LABEL" and install it again.',
    find: findFailedFixes,
  },
  {
    id: 'AIX-TL',
    severity: 'warning',
    inWindow: 'info',
    title: 'The nodes run different technology levels of AIX',
    source: 'IBM Redbook SG24-5131, p. 175. More than one level apart is an error.',
    rationale: 'Nodes should be at the same level of AIX, apart from the time in which the update is applied.',
    remedy:
      'Finish the update on the nodes that are behind; "oslevel -r -l LEVEL" names the filesets that hold a node back.',
    find: findTechnologyLevels,
  },
  {
    id: 'AIX-SP',
    severity: 'warning',
    inWindow: 'info',
    title: 'The nodes run different service packs of AIX',
    source: 'IBM Redbook SG24-5131, p. 175.',
    rationale: 'Nodes should be at the same level of AIX, apart from the time in which the update is applied.',
    remedy:
      'Finish the update on the nodes that are behind; "oslevel -s -l LEVEL" names the filesets that hold a node back.',
    find: findServicePacks,
  },
  {
    id: 'AIX-HELD',
    severity: 'warning',
    title: 'A few filesets hold the level of a node back',
    source: 'oslevel manual page: the level is that of the lowest of a set of filesets.',
    rationale: 'A difference in oslevel is a symptom: two stale filesets hold a whole node at an older level.',
    remedy: 'Run "oslevel -r -l LEVEL" with the level of the other filesets, and update what it names.',
    find: findHeld,
  },
  {
    id: 'HA-APPLIED',
    severity: 'warning',
    title: 'A cluster fileset is applied and not committed',
    source: 'IBM Redbook SG24-8278, ch. 4: commit everything before a migration.',
    rationale: 'It can still be rejected, and a migration refuses to start.',
    remedy: 'Commit it with "smit install_commit" when the update has proved itself; this gives up the way back.',
    find: (comparison) =>
      findStates(comparison, ['applied'], 'applied, not committed', ['ha-server', 'ha-client', 'ha-edition']),
  },
  {
    id: 'HA-CLIENT',
    severity: 'warning',
    title: 'A client fileset of the cluster software differs',
    source: 'The same rule as HA-LEVEL, for what takeover does not need.',
    rationale: 'Client functions, development files and Smart Assists do not take part in takeover.',
    remedy: 'Bring the fileset to the same level when the node is updated next.',
    find: (comparison) => [...findMissing(comparison, ['ha-client']), ...findLevels(comparison, ['ha-client'])],
  },
  {
    id: 'FS-PART',
    severity: 'warning',
    title: 'The parts of a fileset do not fit',
    source:
      'lslpp -l lists usr, root and share parts; an update may touch usr only, so levels of parts may differ on one node.',
    rationale:
      'Parts in different states, or a part that differs between nodes that else agree, are an update that did not come through.',
    remedy: 'Install the update of the fileset again, and check it with "lppchk -v".',
    find: findParts,
  },
  {
    id: 'FS-STATE',
    severity: 'warning',
    title: 'The state of filesets cannot be judged',
    source: 'State words are translated: lslpp in another locale than C.',
    rationale: 'Broken filesets would go unseen.',
    remedy: 'Collect with LC_ALL=C.',
    find: findUnknownStates,
  },
  {
    id: 'IFIX-ONE',
    severity: 'warning',
    title: 'An interim fix is on some nodes only',
    source:
      'Compared by APAR: one APAR has different labels on different levels. A fix for cluster software, CAA or RSCT is an error.',
    rationale: 'The problem that it fixes still waits on the other nodes.',
    remedy: 'Install the fix on the other nodes, or make sure that their level contains it.',
    find: findLoneFixes,
  },
  {
    id: 'IFIX-LABEL',
    severity: 'warning',
    title: 'One APAR is fixed by interim fixes with different labels',
    source:
      'IBM CAA advisory: different labels for different fileset levels. Where locked filesets differ in level it is information.',
    rationale: 'At equal levels one of the two is older, or meant for another level.',
    remedy: 'Compare the packages, and install the newer one on all nodes.',
    find: findLabels,
  },
  {
    id: 'IFIX-REBOOT',
    severity: 'warning',
    title: 'An interim fix waits for a reboot',
    source: 'emgr manual page: state Q and its companions.',
    rationale: 'The fix is not in force, or not gone, until then.',
    remedy: 'Move the resource groups away and reboot the node.',
    find: findRebootPending,
  },
  {
    id: 'KERNEL',
    severity: 'warning',
    title: 'The nodes run kernels of different width',
    source: 'getconf KERNEL_BITMODE.',
    rationale: 'Kernel extensions and limits differ.',
    remedy: 'Boot the node with the kernel of the others.',
    find: findKernels,
  },
  {
    id: 'NODE-SKEW',
    severity: 'warning',
    title: 'The nodes were not asked at the same time',
    source: 'An update in between would look like a difference, or hide one.',
    rationale: 'More than an hour lies between the first and the last answer.',
    remedy: 'Collect all nodes again.',
    find: findSkew,
  },
  {
    id: 'AIX-BUILD',
    severity: 'info',
    title: 'The same service pack with different build sequences',
    source: 'oslevel manual page: AIX refuses a level whose build sequence is lower than the present one.',
    rationale: 'Technology level and service pack alone do not tell which update may be applied.',
    remedy: 'Compare the filesets: the same pack was built twice, or an interim level is installed.',
    find: findBuilds,
  },
  {
    id: 'IFIX-LOCK',
    severity: 'info',
    title: 'A fileset that is behind is locked by an interim fix',
    source: 'emgr manual page: updates of a locked fileset are refused.',
    rationale: 'The update will fail until the fix is removed.',
    remedy: 'Remove the fix with "emgr -r -L LABEL" first; "emgr -P" names it.',
    find: findLocked,
  },
  {
    id: 'FS-OTHER',
    severity: 'info',
    title: 'Another fileset or RPM differs',
    source: 'oslevel manual page: equal levels say nothing about filesets outside the base.',
    rationale: 'What an application needs may be on one node only.',
    remedy: 'Raise this rule by policy for what your application needs; otherwise align it with the next update.',
    find: (comparison) => [...findMissing(comparison, ['other', 'rpm']), ...findLevels(comparison, ['other', 'rpm'])],
  },
  {
    id: 'FS-DEV',
    severity: 'info',
    title: 'A device fileset differs',
    source: 'Hardware decides which device filesets a node has.',
    rationale: 'Seldom a cause of trouble, unless the shared disks need it.',
    remedy: 'Check the filesets of the shared disks and their paths; leave the others.',
    find: (comparison) => [...findMissing(comparison, ['device']), ...findLevels(comparison, ['device'])],
  },
  {
    id: 'FS-LANG',
    severity: 'info',
    title: 'Messages, locales or manuals differ',
    source: 'They follow the languages that were chosen at installation.',
    rationale: 'Harmless for takeover.',
    remedy: 'None needed.',
    find: (comparison) => [...findMissing(comparison, ['language']), ...findLevels(comparison, ['language'])],
  },
  {
    id: 'FS-PLACEHOLDER',
    severity: 'info',
    title: 'A fileset has a level that was made up',
    source: 'Vendors use 99.99.999.999 so that nothing replaces the fileset.',
    rationale: 'It says nothing about what is installed.',
    remedy: 'Ask the vendor for the real level where it matters.',
    find: findPlaceholders,
  },
  {
    id: 'FIRMWARE',
    severity: 'info',
    title: 'The system firmware differs',
    source: 'lsmcode -c.',
    rationale: 'Partitions on different machines may well have different firmware.',
    remedy: 'Align it with the next maintenance of the machine.',
    find: findFirmware,
  },
  {
    id: 'CHANGED',
    severity: 'info',
    title: 'Something changed since the baseline',
    source: 'Comparison with an earlier snapshot of the same nodes.',
    rationale: 'A change that nobody announced is worth a look.',
    remedy: 'Check it against the list of announced changes; then take this snapshot as the new baseline.',
    find: findChanges,
  },
] as const satisfies readonly Rule[];

/** Stable name of a rule. */
export type RuleId = (typeof rules)[number]['id'];
