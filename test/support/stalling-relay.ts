import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A relay to a server that the test controls. */
export interface StallingRelay {
  /** `host:port`. */
  readonly address: string;
  /** Bytes received from the client so far. */
  readonly sent: number;
  /** From now on existing connections stall silently. New ones work. */
  stall(): void;
  /** Closes the stalled connections. */
  breakOff(): void;
  close(): Promise<void>;
}

/** Opens a relay to `host:port`. */
export async function openRelay(target: string): Promise<StallingRelay> {
  const [host = '', port = ''] = target.split(':');
  const ends = new Set<Socket>();
  const stalled = new Set<Socket>();
  let sent = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      ends.add(from);
      from.on('data', (data: Buffer) => {
        if (from === client) sent += data.length;
        if (!to.write(data)) {
          from.pause();
          to.once('drain', () => stalled.has(from) || from.resume());
        }
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        ends.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sent() {
      return sent;
    },
    stall() {
      for (const end of ends) stalled.add(end.pause());
    },
    breakOff() {
      for (const end of stalled) end.resetAndDestroy();
      stalled.clear();
    },
    async close() {
      for (const end of ends) end.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
