import { createServer } from 'node:net';
import { once } from 'node:events';
import { type Logger as TemporalLogger, Runtime } from '@temporalio/worker';
import { reachDirectly } from '../platform/proxy.ts';

/** Another process may take the port between finding it and using it. */
const TRIES = 5;

/**
 * Configures the SDK of this process, once. With `metrics` it returns a function that reads the SDK's metrics in
 * Prometheus' text format: the exporter needs its own port, which is a random one on loopback.
 */
export async function installRuntime(
  logger: TemporalLogger,
  options: { readonly metrics: boolean },
): Promise<() => Promise<string>> {
  for (let attempt = 1; ; attempt++) {
    const bindAddress = options.metrics ? `127.0.0.1:${await freePort()}` : null;
    try {
      Runtime.install({
        logger,
        shutdownSignals: [],
        telemetryOptions: {
          logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: { level: 'WARN' } },
          ...(bindAddress === null ? {} : { metrics: { prometheus: { bindAddress } } }),
        },
      });
    } catch (error) {
      if (bindAddress === null || attempt === TRIES) throw error;
      continue;
    }
    if (bindAddress === null) return () => Promise.resolve('');
    const page = `http://${bindAddress}/metrics`;
    reachDirectly(page);
    return async () => (await fetch(page)).text();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
