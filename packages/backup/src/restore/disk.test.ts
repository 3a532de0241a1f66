import { ExtractError } from '@splitmirror/archive';
import { expect, it } from 'vitest';
import { asErrorOfDisk } from './disk.ts';

const said = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall });
const refused = (path: string, cause: Error) => new ExtractError('EXTRACT_FILE_SYSTEM', path, cause.message, { cause });

it.each([
  [refused('./a', said('ENOSPC', 'write')), 'RESTORE_NO_SPACE'],
  [said('EDQUOT', 'write'), 'RESTORE_NO_SPACE'],
  [refused('./a', said('EIO', 'write')), 'RESTORE_TARGET'],
  [refused('./a', said('EACCES', 'open')), 'RESTORE_TARGET'],
  [refused('./a', said('ENAMETOOLONG', 'open')), 'RESTORE_TARGET'],
  // These are not of the place that is restored to.
  [refused('/store/g/run/datalv.tar', said('EIO', 'read')), 'EXTRACT_FILE_SYSTEM'],
  [said('EIO', 'read'), 'EIO'],
])('asErrorOfDisk makes %s %s', (error, code) => {
  expect(asErrorOfDisk('/restored/datalv', error)).toMatchObject({ code });
});
