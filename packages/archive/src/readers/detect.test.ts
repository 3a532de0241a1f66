import { expect, it } from 'vitest';
import { backupArchive } from '../../test/backup-builder.ts';
import { cpioArchive } from '../../test/cpio-builder.ts';
import { archive, record } from '../../test/tar-builder.ts';
import { detectFormat } from './detect.ts';

const inode = Buffer.alloc(1024);
inode.writeInt32BE(1, 0);
inode.writeInt32BE(60_012, 24);

it.each([
  ['tar', archive(record({ body: 'x' }))],
  ['tar', archive(record({ magic: '' }))],
  ['cpio', cpioArchive('odc', {})],
  ['cpio', cpioArchive('newc', {})],
  ['cpio', cpioArchive('crc', {})],
  ['cpio', cpioArchive('be', {})],
  ['cpio', cpioArchive('le', {})],
  ['backup', backupArchive({})],
  ['backup-inode', inode],
  ['raw', Buffer.alloc(512)],
  ['raw', Buffer.from('text')],
  ['raw', Buffer.alloc(0)],
] as const)('detectFormat takes it for %s', (format, bytes) => {
  expect(detectFormat(bytes)).toBe(format);
  expect(detectFormat(bytes.subarray(0, 512))).toBe(format);
});
