import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { contentOf } from './files.ts';

/** A DNS server on loopback that forwards every query to the machine's DNS server. */
export interface DnsRelay {
  /** The content of `/etc/resolv.conf` for using it. */
  readonly resolvConf: string;
  close(): void;
}

/** An address of the loopback network that is unlikely to be in use. */
const ADDRESS = '127.77.0.53';
const PATIENCE_MS = 5_000;

/**
 * Containers without access to the network cannot use the machine's DNS server, and gRPC clients wait for an answer
 * even when they already know the address. The engine queries a server on loopback for them, from outside the
 * container. Undefined when the machine's own server is on loopback already.
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
