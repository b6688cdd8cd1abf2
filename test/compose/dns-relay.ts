import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { contentOf } from './files.ts';

/** A DNS server on loopback that hands every question to the machine's own. */
export interface DnsRelay {
  /** What `/etc/resolv.conf` has to say to use it. */
  readonly resolvConf: string;
  close(): void;
}

/** Of the loopback network, and unlikely to be taken. */
const ADDRESS = '127.77.0.53';
const PATIENCE_MS = 5_000;

/**
 * Containers that have no way out of the machine cannot ask its DNS server, and gRPC clients wait for an answer even when
 * they know the address by then. The engine asks a server on loopback for them, from outside of the container.
 * Undefined when the machine's own server is on loopback already.
 */
export async function startDnsRelay(): Promise<DnsRelay | undefined> {
  const own = await contentOf('/etc/resolv.conf');
  const upstream = [...own.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '').find(isIPv4);
  if (upstream === undefined || upstream.startsWith('127.')) return undefined;
  const server = createSocket('udp4');
  server.on('message', (question, { port, address }) => {
    const client = createSocket('udp4');
    const done = (): void => {
      clearTimeout(patience);
      client.close();
    };
    const patience = setTimeout(done, PATIENCE_MS);
    client.once('error', done);
    client.once('message', (answer) => {
      server.send(answer, port, address);
      done();
    });
    client.send(question, 53, upstream);
  });
  server.bind(53, ADDRESS);
  await once(server, 'listening');
  return { resolvConf: own.replaceAll(/^\s*nameserver.*$/gm, `nameserver ${ADDRESS}`), close: () => server.close() };
}
