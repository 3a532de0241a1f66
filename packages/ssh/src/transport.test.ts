import { PassThrough } from 'node:stream';
import type { ProcessExit, RemoteProcess } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { type Connection, connectedTransport } from './transport.ts';

/** Connections that are made, or fail to be, in this order; each with the channels that it grants. */
function node(...grants: readonly (number | Error)[]) {
  const carried: string[][] = [];
  const ends: ((exit: ProcessExit) => void)[] = [];
  async function connect(): Promise<Connection> {
    const grant = grants[carried.length];
    if (typeof grant !== 'number') {
      carried.push([]);
      throw grant ?? new Error('one connection too many');
    }
    const commands: string[] = [];
    carried.push(commands);
    return {
      lost: () => null,
      async exec(commandLine) {
        if (commands.length >= grant) throw Object.assign(new Error('refused'), { reason: 4 });
        commands.push(commandLine);
        return running(ends);
      },
      close: async () => {},
      destroy() {},
    };
  }
  const end = () => {
    for (const each of ends.splice(0)) each({ kind: 'exited', code: 0 });
  };
  return { connect, carried, end };
}

function running(ends: ((exit: ProcessExit) => void)[]): RemoteProcess {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const exit = new Promise<ProcessExit>((resolve) => ends.push(resolve));
  return { stdin, stdout, stderr, exit, destroy() {} };
}

describe('connectedTransport', () => {
  it('makes one connection for calls that come at once', async () => {
    const { connect, carried } = node(10);
    const { open } = connectedTransport('nodea', connect);
    await Promise.all([open('one'), open('two'), open('three')]);
    expect(carried).toEqual([['one', 'two', 'three']]);
  });

  it('gives bulk streams a connection each up to the limit, and scripts the one that carries least', async () => {
    const { connect, carried } = node(10, 10, 10);
    const { open } = connectedTransport('nodea', connect, 3);
    await open('script');
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => open(name, 'bulk')));
    expect(carried).toEqual([['script', 'a', 'd'], ['b'], ['c']]);
    await open('another');
    expect(carried[1]).toEqual(['b', 'another']);
  });

  it('uses connections again when their streams have ended', async () => {
    const { connect, carried, end } = node(10, 10);
    const { open } = connectedTransport('nodea', connect, 2);
    await Promise.all([open('a', 'bulk'), open('b', 'bulk')]);
    end();
    await Promise.resolve();
    await Promise.all([open('c', 'bulk'), open('d', 'bulk')]);
    expect(carried).toEqual([
      ['a', 'c'],
      ['b', 'd'],
    ]);
  });

  it('lets streams share when the node takes no further connection', async () => {
    const { connect, carried } = node(10, new Error('turned away'), new Error('turned away'));
    const { open } = connectedTransport('nodea', connect, 3);
    await open('a', 'bulk');
    await Promise.all([open('b', 'bulk'), open('c', 'bulk')]);
    expect(carried).toEqual([['a', 'b', 'c'], [], []]);
  });

  it('fails as the connection does when there is no other', async () => {
    const { connect } = node(new Error('unreachable'));
    await expect(connectedTransport('nodea', connect).open('a', 'bulk')).rejects.toThrow('unreachable');
  });

  it('makes a further connection beyond the limit when all are full, for one has to be able to cancel', async () => {
    const { connect, carried } = node(1, 1, 1, 1);
    const { open } = connectedTransport('nodea', connect, 2);
    await Promise.all([open('a', 'bulk'), open('b', 'bulk')]);
    await open('kill');
    expect(carried).toEqual([['a'], ['b'], ['kill']]);
  });
});
