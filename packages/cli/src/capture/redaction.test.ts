import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redaction, type SiteNames } from './redaction.ts';

const key = Buffer.from('of this bundle only');
const names: SiteNames = {
  node: ['acme-db1', 'acme-db2'],
  group: ['acme_pay_rg'],
  vg: ['acmevg', 'rootvg'],
  lv: ['acmelv', 'acmelv2'],
  fs: ['/acme/pay', '/acme/pay/log'],
  label: ['acme_cluster'],
};

describe('redaction', () => {
  it('replaces the names of a site and keeps the shape of what a command prints', () => {
    const { redact } = redaction(names, key);
    expect(redact('acme_pay_rg    ONLINE    acme-db1\nacmelv2:/acme/pay/log\nacmelv on /acme/pay\n', 'other')).toBe(
      'group1    ONLINE    node1\nlv2:/fs2\nlv1 on /fs1\n',
    );
    expect(redact('rootvg:\nhd4  jfs2  opened/syncd  /\n', 'other')).toBe('rootvg:\nhd4  jfs2  opened/syncd  /\n');
  });

  it('replaces addresses, domains and identifiers, the same one alike', () => {
    const { redact, replaced } = redaction(names, key);
    const text = redact(
      '10.1.2.3 db.acme.com 00f6000000004c000000000000010001.2 10.1.2.3 127.0.0.1 fe80:0:0:0:1:2:3:4',
      'other',
    );
    const [first, host, volume, again, loopback] = text.split(' ');
    expect(first).toMatch(/^198\.1[89]\.\d+\.\d+$/);
    expect(again).toBe(first);
    expect(host).toMatch(/^host-[0-9a-f]{6}\.example$/);
    expect(volume).toMatch(/^[0-9a-f]{32}\.2$/);
    expect(loopback).toBe('127.0.0.1');
    expect(replaced.get(first ?? '')).toBe('10.1.2.3');
    expect(text).not.toMatch(/00f6|acme|10\.1|fe80/);
  });

  it('leaves levels and filesets as they are where they are printed', () => {
    const line = 'cluster.es.server.rte  7.2.2.0  COMMITTED  on acme-db1\n';
    expect(redaction(names, key).redact(line, 'levels')).toBe('cluster.es.server.rte  7.2.2.0  COMMITTED  on node1\n');
  });

  it('cannot be undone by trying: another key gives other stand-ins', () => {
    const one = redaction(names, key).redact('00f6000000004c00', 'other');
    expect(redaction(names, Buffer.from('another')).redact('00f6000000004c00', 'other')).not.toBe(one);
  });

  it('lets no known name through, wherever it stands', () => {
    const all = Object.values(names)
      .flat()
      .filter((name) => name !== 'rootvg');
    const word = fc.constantFrom(...all, ' ', '\n', ':', '=', '"', '/dev/', ',', '|');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const { redact } = redaction(names, key);
        const text = words.join(' ');
        expect(
          all.filter((name) =>
            redact(text, 'other')
              .split(/[\s:="|,]+/)
              .includes(name),
          ),
        ).toEqual([]);
      }),
    );
  });
});
