import type { Commands } from '../command.ts';

/** Generations of the cluster software that the lab speaks. */
export type Generation = '4.x' | '5.x' | '7.1' | '7.2';

/** What a generation comes with. */
export interface Dialect {
  /** AIX level that the storage commands follow. */
  readonly aix: string;
  /** Base system: version, release, modification. */
  readonly base: string;
  /** `VRMF-TL-SP-YYWW` of `oslevel -s`. */
  readonly level: string;
  /** What `halevel -s` prints; empty where there is no such command. */
  readonly halevel: string;
  /** Version, release and modification of the `cluster.*` filesets. */
  readonly product: string;
  /** Number of the protocol; 0 where nobody knows it. */
  readonly protocol: number;
  /** Commands of later generations. */
  readonly lacks: readonly string[];
}

/** Levels that go together (facts hacmp.md 2 and 10); the pairs of product and AIX are the lab's choice. */
export const dialects: Readonly<Record<Generation, Dialect>> = {
  '4.x': {
    aix: '5.2',
    base: '5.2.0',
    level: '5200-10-08-0750',
    halevel: '',
    product: '4.5.0',
    protocol: 0,
    lacks: [
      'clRGinfo',
      'clRGmove',
      'clmgr',
      'clcmd',
      'clrsh',
      'lscluster',
      'lsrpnode',
      'lsrpdomain',
      'halevel',
      'clshowsrv',
      'emgr',
    ],
  },
  '5.x': {
    aix: '5.3',
    base: '5.3.9',
    level: '5300-09-02-0849',
    halevel: '',
    product: '5.5.0',
    protocol: 0,
    lacks: ['clmgr', 'clcmd', 'lscluster', 'halevel'],
  },
  '7.1': {
    aix: '7.1',
    base: '7.1.3',
    level: '7100-03-05-1524',
    halevel: '7.1.3 SP2',
    product: '7.1.3',
    protocol: 15,
    lacks: [],
  },
  '7.2': {
    aix: '7.2',
    base: '7.2.3',
    level: '7200-03-05-2016',
    halevel: '7.2.2 SP1',
    product: '7.2.2',
    protocol: 18,
    lacks: [],
  },
};

/** The commands without those of later generations: the shell of the node does not find them. */
export function ofGeneration(commands: Commands, { lacks }: Dialect): Commands {
  return Object.fromEntries(Object.entries(commands).filter(([name]) => !lacks.includes(name)));
}
