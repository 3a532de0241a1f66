import { ExtractError } from '@splitmirror/archive';
import { expect, it } from 'vitest';
import { BackupError } from '../errors.ts';
import { asErrorOfPlace } from './disk.ts';

const said = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall });
const refused = (path: string, cause: Error) => new ExtractError('EXTRACT_FILE_SYSTEM', path, cause.message, { cause });

it.each([
  [refused('./a', said('ENOSPC', 'write')), 'RESTORE_NO_SPACE'],
  [said('EDQUOT', 'write'), 'RESTORE_NO_SPACE'],
  [refused('./a', said('EIO', 'write')), 'RESTORE_TARGET'],
  [refused('./a', said('EACCES', 'open')), 'RESTORE_TARGET'],
  [refused('./a', said('ENAMETOOLONG', 'open')), 'RESTORE_TARGET'],
  [refused('/restored/datalv', said('EROFS', 'mkdir')), 'RESTORE_TARGET'],
  [said('EEXIST', 'open'), 'RESTORE_TARGET'],
  // These are not of the place that is restored to.
  [new BackupError('STORE_UNUSABLE', 'EIO', { remedy: 'Look at it.', cause: said('EIO', 'read') }), 'STORE_UNUSABLE'],
  [Object.assign(new Error('aborted'), { name: 'AbortError', code: 'ABORT_ERR' }), 'ABORT_ERR'],
])('asErrorOfPlace makes %s %s', (error, code) => {
  expect(asErrorOfPlace('/restored/datalv', error)).toMatchObject({ code });
});
