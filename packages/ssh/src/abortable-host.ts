import { PassThrough } from 'node:stream';
import { createHost, type Host, type HostOptions, type RemoteProcess, type Transport } from '@splitmirror/host';
import type { SshTransport } from './transport.ts';

/**
 * A {@link Host} whose calls wait for no connection any longer than their signal lets them: a call that is given up by then
 * ends as one that was never sent. The contract of a {@link Transport} knows no signal, so each call with one gets a view of
 * the transport that does.
 */
export function createAbortableHost(name: string, transport: SshTransport, options: HostOptions): Host {
  const plain = createHost(name, transport, options);
  const underWay = new Set<Host>();
  function begin(signal: AbortSignal | undefined): { readonly host: Host; over(): void } {
    if (signal === undefined) return { host: plain, over() {} };
    const host = createHost(name, viewOf(transport, signal), options);
    underWay.add(host);
    return { host, over: () => underWay.delete(host) };
  }
  return {
    name,
    async run(script, given = {}) {
      const { host, over } = begin(given.signal);
      return host.run(script, given).finally(over);
    },
    async stream(source, given) {
      const { host, over } = begin(given.signal);
      try {
        const stream = await host.stream(source, given);
        void stream.outcome.then(over);
        return stream;
      } catch (error) {
        over();
        throw error;
      }
    },
    async close() {
      // Their cancellations need the connection.
      await Promise.all([...underWay].map((host) => host.close()));
      await plain.close();
    },
  };
}

/** The transport as one call sees it. What it opens later asks the node to end the call: that is waited for. */
function viewOf(transport: SshTransport, signal: AbortSignal): Transport {
  let isFirst = true;
  return {
    async open(commandLine, use) {
      if (!isFirst) return transport.open(commandLine, use);
      isFirst = false;
      try {
        return await transport.open(commandLine, use, signal);
      } catch (error) {
        if (signal.aborted) return neverStarted();
        throw error;
      }
    },
    async close() {},
  };
}

/** Handed out to a host that looks at its signal and lets go of it. */
function neverStarted(): RemoteProcess {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  return {
    stdin,
    stdout,
    stderr,
    exit: Promise.resolve({ kind: 'lost', reason: 'it was never started' }),
    destroy() {},
  };
}
