import { ParseError } from '@splitmirror/host';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareRpmVersions,
  parseClusterManagerLevels,
  parseClusterVersion,
  parseConsistency,
  parseFixReport,
  parseFixRows,
  parseHistory,
  parseInterimFixes,
  parseIosLevel,
  parseKnownLevels,
  parseMachineLevels,
  parseMicrocode,
  parseNodeVersions,
  parseOffLevelFilesets,
  parseOsVersion,
  parseParts,
  parsePeerDomains,
  parsePeerNodes,
  parseRpmPackages,
  parseSoftwareTable,
  parseSystemFirmware,
} from '../src/index.ts';

const legend = `
STATE codes:
 S = STABLE
 Q = REBOOT REQUIRED
 SP = STABLE + PATCHED
`;

/** One output for each reader, in the documented format with our own names, and what must come out. */
const samples: readonly (readonly [command: string, parse: (text: string) => unknown, text: string, value: unknown])[] =
  [
    [
      'lslpp -lc',
      parseParts,
      `#Fileset:Level:PTF Id:State:Type:Description:EFIX Locked
/usr/lib/objrepos:bos.rte.lvm:7.2.5.101::COMMITTED:F:Logical Volume Manager : Commands :EFIXLOCKED
/etc/objrepos:bos.rte.lvm:7.2.5.0::APPLYING:I:Logical Volume Manager :
`,
      [
        {
          line: '/usr/lib/objrepos:bos.rte.lvm:7.2.5.101::COMMITTED:F:Logical Volume Manager : Commands :EFIXLOCKED',
          path: '/usr/lib/objrepos',
          fileset: 'bos.rte.lvm',
          level: '7.2.5.101',
          ptf: '',
          state: 'committed',
          stateText: 'COMMITTED',
          type: 'F',
          description: 'Logical Volume Manager : Commands ',
          efixLocked: true,
        },
        expect.objectContaining({ path: '/etc/objrepos', state: 'applying', efixLocked: false }),
      ],
    ],
    [
      'lslpp -lc, AIX 4.3',
      parseParts,
      `#Fileset:Level:PTF Id:State:Type:Description
/usr/lib/objrepos:cluster.base.server.rte:4.3.1.0::COMMITTED:I:HACMP Base Server: Runtime
`,
      [expect.objectContaining({ description: 'HACMP Base Server: Runtime', efixLocked: null })],
    ],
    [
      'lslpp -lcq, French',
      parseParts,
      '/usr/lib/objrepos:bos.rte:6.1.6.0::VALIDE:I:Base Operating System Runtime :\n',
      [expect.objectContaining({ state: 'unknown', stateText: 'VALIDE', efixLocked: false })],
    ],
    [
      'lslpp -l',
      parseSoftwareTable,
      `  Fileset                      Level  State      Description         
  ----------------------------------------------------------------------------
Path: /usr/lib/objrepos
  bos.rte.lvm              7.2.5.101  COMMITTED  Logical Volume Manager
  bos.alt_disk_install.boot_images
                             7.2.5.0  EFIX LOCKED  Alternate Disk Installation
                                                 Disk Boot Images
                                                 Commands

Path: /etc/objrepos
  bos.rte.lvm                7.2.5.0  APPLIED    Logical Volume Manager
`,
      [
        {
          path: '/usr/lib/objrepos',
          fileset: 'bos.rte.lvm',
          level: '7.2.5.101',
          state: 'committed',
          stateText: 'COMMITTED',
          description: 'Logical Volume Manager',
        },
        {
          path: '/usr/lib/objrepos',
          fileset: 'bos.alt_disk_install.boot_images',
          level: '7.2.5.0',
          state: 'efix-locked',
          stateText: 'EFIX LOCKED',
          description: 'Alternate Disk Installation Disk Boot Images Commands',
        },
        expect.objectContaining({ path: '/etc/objrepos', fileset: 'bos.rte.lvm', state: 'applied' }),
      ],
    ],
    [
      'lslpp -h',
      parseHistory,
      `  Fileset         Level     Action       Status       Date         Time        
  ----------------------------------------------------------------------------
Path: /usr/lib/objrepos
  cluster.es.server.rte
                  7.2.5.0   COMMIT       COMPLETE     02/11/21     10:31:07    
                  7.2.5.2   APPLY        COMPLETE     08/03/22     22:05:40    

Path: /etc/objrepos
  cluster.es.server.rte
                  7.2.5.0   COMMIT       COMPLETE     02/11/21     10:31:09    
`,
      [
        {
          path: '/usr/lib/objrepos',
          fileset: 'cluster.es.server.rte',
          level: '7.2.5.0',
          action: 'COMMIT',
          status: 'COMPLETE',
          at: '02/11/21 10:31:07',
        },
        expect.objectContaining({ level: '7.2.5.2', action: 'APPLY', at: '08/03/22 22:05:40' }),
        expect.objectContaining({ path: '/etc/objrepos', at: '02/11/21 10:31:09' }),
      ],
    ],
    [
      'emgr -l',
      parseInterimFixes,
      `
ID  STATE LABEL      INSTALL TIME      UPDATED BY ABSTRACT
====== ================ ================= ========== ======================================
1    S    IJ31234s5a 03/14/22 09:02:11            IJ31234 for AIX 7.2 TL05 SP3
2   *Q*   3011ma     03/14/22 09:04:51 smith      Fix for IJ30001 and IJ30000
${legend}`,
      [
        {
          line: '1    S    IJ31234s5a 03/14/22 09:02:11            IJ31234 for AIX 7.2 TL05 SP3',
          id: 1,
          state: 'S',
          rebootRequired: false,
          label: 'IJ31234s5a',
          installTime: '2022-03-14T09:02:11',
          updatedBy: '',
          abstract: 'IJ31234 for AIX 7.2 TL05 SP3',
          apars: ['IJ31234'],
        },
        expect.objectContaining({
          state: 'Q',
          rebootRequired: true,
          updatedBy: 'smith',
          abstract: 'Fix for IJ30001 and IJ30000',
          apars: ['IJ30000', 'IJ30001'],
        }),
      ],
    ],
    [
      'lslpp -e',
      parseInterimFixes,
      `ID  STATE LABEL      INSTALL TIME       ABSTRACT
=== ===== ========== ================== ======================================
1    S    IZ41234_01 06/30/09 18:22:05  IZ41234 for HACMP
`,
      [expect.objectContaining({ label: 'IZ41234_01', updatedBy: '', abstract: 'IZ41234 for HACMP' })],
    ],
    ['emgr -l, none', parseInterimFixes, 'There is no efix data on this system.\n', []],
    ['oslevel', parseOsVersion, '7.2.0.0\n', { text: '7.2.0.0', parts: [7, 2, 0, 0] }],
    [
      'oslevel -sq',
      parseKnownLevels,
      'Known Service Packs\n-------------------\n7200-05-03-2148\n7200-05-02-2136\n',
      ['7200-05-03-2148', '7200-05-02-2136'],
    ],
    ['oslevel -q', parseKnownLevels, '7.2.0.0\n7.1.0.0\n', ['7.2.0.0', '7.1.0.0']],
    [
      'oslevel -rl 7200-05',
      parseOffLevelFilesets,
      `Fileset                                 Actual Level        Recommended ML     
-----------------------------------------------------------------------------
sysmgt.cfgassist                        7.2.4.1             7.2.5.0            
`,
      [{ fileset: 'sysmgt.cfgassist', actual: '7.2.4.1', reference: '7.2.5.0' }],
    ],
    [
      'instfix -i',
      parseFixReport,
      `    All filesets for 7200-04_AIX_ML were found.
    Not all filesets for 7200-05_AIX_ML were found.
    There was no data for IJ99999 in the fix database.
    Interim fix 'IJ31234s5a' associated with IJ31234 is installed.
`,
      {
        complete: ['7200-04_AIX_ML'],
        incomplete: ['7200-05_AIX_ML'],
        unknown: ['IJ99999'],
        interim: [{ label: 'IJ31234s5a', keyword: 'IJ31234' }],
      },
    ],
    [
      'instfix -icq',
      parseFixRows,
      'IJ31234:bos.rte.lvm:7.2.5.101:7.2.5.0:-:LVM: SPLITLVCOPY MAY HANG\n',
      [
        {
          keyword: 'IJ31234',
          fileset: 'bos.rte.lvm',
          required: '7.2.5.101',
          installed: '7.2.5.0',
          status: '-',
          meaning: 'down level',
          abstract: 'LVM: SPLITLVCOPY MAY HANG',
        },
      ],
    ],
    ['lppchk -v, clean', parseConsistency, '', { consistent: true, problems: [], messages: [] }],
    [
      'lppchk -v',
      parseConsistency,
      `lppchk:  The following filesets need to be installed or
         corrected to bring the system to a consistent state:

  cluster.es.cspoc.rte 7.2.5.0            (not installed; requisite fileset)
  rsct.basic.rte v=3, r<2     (usr: COMMITTED, root: not installed)
`,
      {
        consistent: false,
        problems: [
          {
            line: '  cluster.es.cspoc.rte 7.2.5.0            (not installed; requisite fileset)',
            fileset: 'cluster.es.cspoc.rte',
            requirement: '7.2.5.0',
            problem: 'not installed; requisite fileset',
          },
          expect.objectContaining({ fileset: 'rsct.basic.rte', requirement: 'v=3, r<2' }),
        ],
        messages: [],
      },
    ],
    [
      'lppchk -c',
      parseConsistency,
      'lppchk:  0504-206  File /usr/sbin/example could not be located.\n',
      { consistent: false, problems: [], messages: ['0504-206  File /usr/sbin/example could not be located.'] },
    ],
    [
      'lssrc -ls clstrmgrES',
      parseClusterManagerLevels,
      'Current state: ST_STABLE\nsccsid = "@(#) example"\nCLversion: 16\nlocal node vrmf is 7200\ncluster fix level is "1"\n',
      { state: 'ST_STABLE', clVersion: 16, localNodeVrmf: '7200', clusterFixLevel: 1 },
    ],
    [
      'odmget HACMPcluster',
      parseClusterVersion,
      'HACMPcluster:\n\tid = 1\n\tname = "harbour"\n\tcluster_version = 16\n',
      16,
    ],
    [
      'odmget HACMPnode',
      parseNodeVersions,
      'HACMPnode:\n\tname = "east"\n\tversion = 16\n\nHACMPnode:\n\tname = "west"\n\tversion = 15\n',
      [16, 15],
    ],
    [
      'lsrpdomain',
      parsePeerDomains,
      'Name    OpState        RSCTActiveVersion MixedVersions TSPort GSPort \nharbour Pending online 3.2.6.1           Yes           12347  12348  \n',
      [
        {
          name: 'harbour',
          opState: 'Pending online',
          rsctActiveVersion: '3.2.6.1',
          mixedVersions: true,
          tsPort: 12347,
          gsPort: 12348,
        },
      ],
    ],
    [
      'lsrpnode',
      parsePeerNodes,
      'Name OpState         RSCTVersion\neast Online          3.2.6.2\nwest Pending offline 3.2.6.2\n',
      [
        { name: 'east', opState: 'Online', rsctVersion: '3.2.6.2' },
        { name: 'west', opState: 'Pending offline', rsctVersion: '3.2.6.2' },
      ],
    ],
    [
      'rpm -qa',
      parseRpmPackages,
      'lsof-4.91-1\ngcc-c++-8.3.0-2.ppc\n',
      [
        { name: 'lsof', version: '4.91', release: '1', arch: null },
        { name: 'gcc-c++', version: '8.3.0', release: '2', arch: 'ppc' },
      ],
    ],
    ['lsmcode -c', parseSystemFirmware, 'System Firmware level is SF240_417\n', 'SF240_417'],
    ['lsmcode -r', parseSystemFirmware, 'system:SF240_417\n', 'SF240_417'],
    [
      'lsmcode -c, two images',
      parseSystemFirmware,
      `The current permanent system firmware image is FW950.30 (VL950_092)
The current temporary system firmware image is FW950.40 (VL950_099)
The system is currently booted from the temporary firmware image.
`,
      'VL950_099',
    ],
    [
      'lsmcode -A',
      parseMicrocode,
      'sys0!system:SF240_417\nsisscsia0!adapter:0508|adapter-boot:0301\npdisk:14:FFC 3:DDYS\n',
      [
        { device: 'sys0', levels: [{ type: 'system', level: 'SF240_417' }] },
        {
          device: 'sisscsia0',
          levels: [
            { type: 'adapter', level: '0508' },
            { type: 'adapter-boot', level: '0301' },
            { type: 'pdisk', sub: '14', level: 'FFC 3:DDYS' },
          ],
        },
      ],
    ],
    [
      'prtconf',
      parseMachineLevels,
      `System Model: IBM,9009-22A
CPU Type: 64-bit
Kernel Type: 64-bit
Platform Firmware level: VL950_099
Firmware Version: IBM,FW950.40 (VL950_099)

Network Information
`,
      {
        machine: '9009-22A',
        platformFirmware: 'VL950_099',
        firmwareVersion: 'IBM,FW950.40 (VL950_099)',
        firmwareFamily: 'FW950.40',
        kernelType: '64-bit',
        cpuType: '64-bit',
      },
    ],
    ['ioslevel', parseIosLevel, '3.1.3.21\n', '3.1.3.21'],
    ['ioslevel on AIX', parseIosLevel, '', null],
  ];

describe.each(samples)('%s', (_, parse, text, value) => {
  it('is read whole', () => {
    expect(parse(text)).toEqual(value);
  });

  it('is read the same as other systems and pages hand it on', () => {
    expect(parse(text.replaceAll('\n', '\r\n'))).toEqual(value);
    expect(parse(`\n${text}\n \n`)).toEqual(value);
    // The head of prtconf ends at its first blank line: there, and only there, one says something.
    if (parse !== parseMachineLevels) expect(parse(text.replaceAll('\n', '\n\n'))).toEqual(value);
  });

  it('is refused when it was cut inside a line', () => {
    for (let length = 1; length < text.length; length += 1) {
      if (text[length - 1] === '\n') continue;
      expect(() => parse(text.slice(0, length))).toThrow(ParseError);
    }
  });

  it('throws nothing but ParseError, whatever was changed', () => {
    const change = fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom('\n', ':', ' ', '\t', '-', '(', ')', '!', '*', '='),
    );
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(30), change, (start, length, cells) => {
        try {
          parse(text.slice(0, start) + cells + text.slice(start + length));
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('stays linear', () => {
    const started = process.cpuUsage();
    const last = text.trimEnd().split('\n').at(-1) ?? '';
    for (const filler of [' ', ':', 'a', '-', '(', '=', '\t', 'a ', ' :']) {
      const long = filler.repeat(200_000);
      for (const line of [long, `${long}!`, `${last}${long}!`, last.replace(/\s|:|$/, `$&${long}`)]) {
        try {
          parse(`${text}${line}\n`);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }
    }
    expect(process.cpuUsage(started).user).toBeLessThan(10e6);
  });
});

describe('what must not be taken for an answer', () => {
  it.each([
    ['emgr -l without a table', parseInterimFixes, ''],
    ['emgr -l: the legend alone', parseInterimFixes, legend],
    [
      'emgr -l with columns that do not stand below their names',
      parseInterimFixes,
      'ID STATE LABEL INSTALL TIME UPDATED BY ABSTRACT\n=== =\n1 S IJ31234s5a 03/14/22 09:02:11 smith Words\n',
    ],
    [
      'instfix: a sentence that only holds "were found"',
      parseFixReport,
      'No filesets which have the keyword were found.\n',
    ],
    ['lslpp -l: a name without its level', parseSoftwareTable, '  bos.alt_disk_install.boot_images\n'],
    ['lppchk: rows without the sentence above them', parseConsistency, '  bos.rte 7.2.5.0 (not installed)\n'],
    ['lssrc: two states', parseClusterManagerLevels, 'Current state: ST_STABLE\nCurrent state: ST_INIT\n'],
    ['lssrc: neither a state nor a level', parseClusterManagerLevels, 'Subsystem PID\n'],
    ['odmget: two cluster versions', parseClusterVersion, '\tcluster_version = 15\n\tcluster_version = 16\n'],
    ['lsmcode: another text', parseSystemFirmware, 'lsmcode: error\n'],
    ['ioslevel: another text', parseIosLevel, 'ioslevel: not found\n'],
  ] as const)('%s', (_, parse, text) => {
    expect(() => parse(text)).toThrow(ParseError);
  });
});

describe('what people paste', () => {
  it.each([
    [
      'lssrc, the level lines cut out',
      parseClusterManagerLevels,
      'CLversion: 15\nlocal node vrmf is 7200\n',
      { state: null, clVersion: 15, localNodeVrmf: '7200', clusterFixLevel: null },
    ],
    [
      'odmget HACMPcluster, one attribute cut out',
      parseClusterVersion,
      'cluster_version = 15 (one node is left)\n',
      15,
    ],
    [
      'lppchk -v, its sentence folded by hand, its columns tabs',
      parseConsistency,
      'lppchk:  The following filesets need to be installed or corrected to bring\nthe system to a consistent state:\n\tglvm.rpv.server\t7.2.5.0\t(not installed)\n',
      expect.objectContaining({
        problems: [expect.objectContaining({ fileset: 'glvm.rpv.server', requirement: '7.2.5.0' })],
      }),
    ],
    [
      'oslevel -g without its ruler',
      parseOffLevelFilesets,
      'Fileset Actual Level Maintenance Level\nglvm.rpv.server 7.2.5.2 7.2.0.0\n',
      [{ fileset: 'glvm.rpv.server', actual: '7.2.5.2', reference: '7.2.0.0' }],
    ],
    [
      'lsrpnode, indented',
      parsePeerNodes,
      '    Name OpState        RSCTVersion\n    east Pending online 3.2.6.2\n',
      [{ name: 'east', opState: 'Pending online', rsctVersion: '3.2.6.2' }],
    ],
    ['oslevel -q without its ruler', parseKnownLevels, 'Known Maintenance Levels\n7.2.0.0\n', ['7.2.0.0']],
    [
      'instfix -icqv, a fileset that is not installed',
      parseFixRows,
      'IJ31234:glvm.rpv.server:7.2.5.2: :!:RPV SERVER MAY HANG\n',
      [expect.objectContaining({ installed: '', meaning: 'not installed' })],
    ],
    [
      'lslpp -lc with blanks at the end of its lines',
      parseParts,
      '/usr/lib/objrepos:glvm.rpv.server:7.2.5.2::COMMITTED:F:Remote Physical Volume Server:EFIXLOCKED  \n',
      [expect.objectContaining({ description: 'Remote Physical Volume Server', efixLocked: true })],
    ],
  ] as const)('%s', (_, parse, text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it('lsmcode -r of one device', () => {
    expect(parseMicrocode('adapter:0508|adapter-boot:0301\npdisk:14:FFC 3:DDYS\n', 'sisscsia0')).toEqual(
      parseMicrocode('sisscsia0!adapter:0508|adapter-boot:0301\npdisk:14:FFC 3:DDYS\n'),
    );
  });
});

describe('compareRpmVersions', () => {
  it('orders segment by segment as rpm does', () => {
    const sorted = ['1.0~rc1', '1.0', '1.0a', '1.0.1', '1.9', '1.10', '1.10.2', '10.0'];
    expect(sorted.toReversed().sort(compareRpmVersions)).toEqual(sorted);
  });

  it('is a total order', () => {
    const version = fc.stringMatching(/^[0-9a-c.~]{1,8}$/);
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareRpmVersions(a, b))).toBe(-Math.sign(compareRpmVersions(b, a)) + 0);
        if (compareRpmVersions(a, b) <= 0 && compareRpmVersions(b, c) <= 0) {
          expect(compareRpmVersions(a, c)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });
});
