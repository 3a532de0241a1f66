import { describe, expect, it } from 'vitest';
import type { DataVolume } from '../ports.ts';
import { coverageOf } from './coverage.ts';

const dataVolumes: readonly DataVolume[] = [
  { volume: 'accountslv', holds: 'file-system', mountPoint: '/ledger/accounts' },
  { volume: 'auditlv', holds: 'raw', mountPoint: null },
  { volume: 'oldlv', holds: 'file-system', mountPoint: '/ledger/old' },
];
const raw = (...names: string[]) => names.map((volume) => ({ volume, lvcb: 'keep' as const }));

function coverage(
  policy: Parameters<typeof coverageOf>[3],
  mountPoints = ['/ledger/accounts', '/ledger/old'],
  volumes = dataVolumes,
) {
  return coverageOf({ node: 'ada', dataVolumes: volumes }, 'ledger_rg', mountPoints, policy);
}

describe('coverageOf', () => {
  it('has nothing to say where every volume is saved', () => {
    expect(coverage({ rawVolumes: raw('auditlv') })).toEqual({
      fileSystems: ['/ledger/accounts', '/ledger/old'],
      leftOut: [],
      problems: [],
    });
  });

  it('asks for a decision about raw volumes, by name and with both ways out', () => {
    expect(coverage({ rawVolumes: [] }).problems).toEqual([
      {
        code: 'VOLUME_UNDECIDED',
        node: 'ada',
        message: 'ledger_rg has raw volumes that a backup would not hold, and nobody has decided so',
        seen: 'auditlv',
        remedy:
          'Name each in the settings of ledger_rg: under rawVolumes to save it, or under leaveOut to leave it out on purpose.',
      },
    ]);
  });

  it('asks for one about file systems that the resource group does not have', () => {
    const lost: DataVolume = { volume: 'lostlv', holds: 'file-system', mountPoint: null };
    const { fileSystems, problems } = coverage(
      { rawVolumes: raw('auditlv') },
      ['/ledger/accounts'],
      [...dataVolumes, lost],
    );
    expect(fileSystems).toEqual(['/ledger/accounts']);
    expect(problems).toMatchObject([{ code: 'FILE_SYSTEM_UNDECIDED', seen: 'oldlv (/ledger/old), lostlv' }]);
  });

  it('leaves out what is named, also a file system of the group', () => {
    expect(coverage({ rawVolumes: [], leaveOut: ['auditlv', 'oldlv'] })).toEqual({
      fileSystems: ['/ledger/accounts'],
      leftOut: [
        { volume: 'auditlv', mountPoint: null },
        { volume: 'oldlv', mountPoint: '/ledger/old' },
      ],
      problems: [],
    });
  });

  it('does not call a name wrong where no volume is seen', () => {
    expect(coverage({ rawVolumes: [], leaveOut: ['auditlv'] }, [], []).problems).toEqual([]);
  });

  it('refuses a name that fits no volume, and a volume that is both saved and left out', () => {
    const { problems } = coverage({ rawVolumes: raw('auditlv'), leaveOut: ['auditlv', 'adutilv'] });
    expect(problems).toMatchObject([
      {
        code: 'LEAVE_OUT_UNKNOWN',
        seen: 'adutilv',
        remedy: 'Take it out of leaveOut; these are its volumes: accountslv, auditlv, oldlv.',
      },
      { code: 'DECIDED_TWICE', seen: 'auditlv' },
    ]);
  });
});
