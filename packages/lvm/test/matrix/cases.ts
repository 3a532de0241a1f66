import type { SplitRequest } from '../../src/index.ts';
import type { SceneVolume, SceneWish } from './scene.ts';

/** One strategy on one kind of volume group. */
export interface MatrixCase {
  readonly title: string;
  readonly wish: SceneWish;
  readonly request: SplitRequest;
  /** What may be left to a person where the group has moved; recovered when it is back. */
  readonly reports: readonly string[];
}

const base: SplitRequest = {
  run: 'k3f9q2',
  fileSystems: [],
  rawVolumes: [],
  suspend: [{ id: 'suspend', run: { argv: ['sync'], effect: 'reads' }, timeoutSeconds: 30 }],
  resume: [{ id: 'resume', run: { argv: ['sync'], effect: 'reads' }, timeoutSeconds: 30, pays: ['suspend'] }],
  freezeSeconds: 60,
  allowLastCopy: true,
};

const data = (copies = 2): SceneVolume => ({ name: 'datalv', type: 'jfs2', copies, mountPoint: '/shop/data' });
const orders = (copies = 2): SceneVolume => ({ name: 'orderlv', type: 'jfs2', copies, mountPoint: '/shop/orders' });
const old: SceneVolume = { name: 'oldlv', type: 'jfs', copies: 2, mountPoint: '/shop/old' };
const raw = (name: string, copies = 2): SceneVolume => ({ name, type: 'raw', copies });

interface Shape {
  readonly title: string;
  readonly strategy: string;
  readonly level: string;
  readonly volumes: readonly SceneVolume[];
  readonly asks: Pick<SplitRequest, 'fileSystems' | 'rawVolumes'>;
  readonly more?: Partial<SceneWish>;
  readonly reports?: readonly string[];
}

function caseOf(group: SceneWish['group'], shape: Shape): MatrixCase {
  const { title, strategy, level, volumes, asks, more = {}, reports = [] } = shape;
  return {
    title: `${title}, ${group}`,
    wish: { group, level, volumes, disks: ['hdisk2', 'hdisk3'], ...more },
    request: { ...base, ...asks, strategy },
    reports,
  };
}

const bothFileSystems = { fileSystems: ['/shop/data', '/shop/orders'], rawVolumes: [] };

const mapSplit: Shape = {
  title: 'A map-split',
  strategy: 'map-split',
  level: '7100-05',
  volumes: [data(), orders()],
  asks: bothFileSystems,
};
const splitlvcopy: Shape = {
  title: 'B splitlvcopy',
  strategy: 'splitlvcopy',
  level: '7200-05',
  volumes: [data(), orders(), raw('auditlv'), raw('queuelv')],
  asks: { fileSystems: ['/shop/data', '/shop/orders'], rawVolumes: ['auditlv', 'queuelv'] },
};
const threeCopies: Shape = {
  title: 'B splitlvcopy of three copies',
  strategy: 'splitlvcopy',
  level: '7300-01',
  volumes: [data(3)],
  asks: { fileSystems: ['/shop/data'], rawVolumes: [] },
  more: { disks: ['hdisk2', 'hdisk3', 'hdisk4'] },
};
const splitcopy: Shape = {
  title: 'C splitcopy',
  strategy: 'splitcopy',
  level: '5300-12',
  volumes: [old, raw('queuelv')],
  asks: { fileSystems: ['/shop/old'], rawVolumes: [] },
};
const chlvcopy: Shape = {
  title: 'D chlvcopy',
  strategy: 'chlvcopy',
  level: '7200-05',
  volumes: [data(), raw('auditlv'), raw('queuelv')],
  asks: { fileSystems: [], rawVolumes: ['auditlv', 'queuelv'] },
};
const splitvg: Shape = {
  title: 'E splitvg',
  strategy: 'splitvg',
  level: '6100-09',
  volumes: [data(), orders(), raw('queuelv')],
  asks: { fileSystems: ['/shop/data', '/shop/orders'], rawVolumes: [] },
  reports: ['SNAPSHOT_GROUP_UNKNOWN'],
};
const external: Shape = {
  title: 'F snapshot, external',
  strategy: 'snapshot',
  level: '7200-05',
  volumes: [data(), orders(1)],
  asks: bothFileSystems,
};
const internal: Shape = {
  title: 'F snapshot, internal',
  strategy: 'snapshot',
  level: '7200-05',
  volumes: [data(), orders(1)],
  asks: bothFileSystems,
  more: { internalSnapshots: true, full: true },
};

/** Every strategy on every kind of group that it is for. */
export const cases: readonly MatrixCase[] = [
  caseOf('enhanced concurrent', mapSplit),
  caseOf('standard', mapSplit),
  caseOf('enhanced concurrent', splitlvcopy),
  caseOf('standard', splitlvcopy),
  caseOf('enhanced concurrent', threeCopies),
  caseOf('enhanced concurrent', splitcopy),
  caseOf('standard', splitcopy),
  caseOf('enhanced concurrent', chlvcopy),
  caseOf('standard', chlvcopy),
  caseOf('standard', splitvg),
  caseOf('standard', { ...splitvg, title: 'E splitvg of a concurrent capable group', more: { capable: true } }),
  caseOf('enhanced concurrent', external),
  caseOf('standard', external),
  caseOf('enhanced concurrent', internal),
];
