import { createLogger } from '../../activities/logger.ts';
import { apiKeySchema } from '../../domain/config.schema.ts';
import { describeIssue } from '../../domain/catalog/flows.schema.ts';
import { LonghaulError } from '../../domain/failures.ts';
import { createKey } from '../gateway/api-key.ts';
import { createGateway } from '../gateway/server.ts';
import type { CliContext } from './context.ts';
import { connectTemporal } from './servers.ts';

/** `longhaul gateway`: serves until SIGTERM or SIGINT, then answers what it was asked and ends. */
export async function serveGateway(context: CliContext, version: string): Promise<number> {
  const logger = createLogger(context.env);
  const session = await connectTemporal(context);
  try {
    const { config, env } = context;
    const server = await createGateway({ config, env, client: session.client, logger, version });
    const { host, port } = addressOf(config.gateway.address);
    const stopped = new Promise((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve));
    const address = await listening(server.listen({ host, port }), config.gateway.address);
    logger.info({ event: 'gateway_ready', address }, 'ready');
    await stopped;
    await server.close();
    logger.info({ event: 'gateway_stopped' }, 'stopped');
    return 0;
  } finally {
    await session.close();
  }
}

/** Options of `longhaul gateway key`. */
export interface KeyOptions {
  readonly name: string;
  readonly flows: readonly string[];
  readonly signals: readonly string[];
  readonly updates: readonly string[];
  /** Requests a minute. */
  readonly rate: number;
  readonly json?: boolean;
}

/** `longhaul gateway key`: makes an API key. It is printed and nowhere kept; `longhaul.yaml` gets its hash. */
export function printKey({ stdout, stderr }: CliContext, options: KeyOptions): number {
  const { name, flows, signals, updates, rate } = options;
  const { key, id, hash } = createKey();
  const checked = apiKeySchema.safeParse({ id, name, hash, flows, signals, updates, requestsPerMinute: rate });
  if (!checked.success) throw new LonghaulError('InvalidInput', describeIssue(checked.error));
  if (options.json) {
    stdout.write(`${JSON.stringify({ key, config: checked.data })}\n`);
    return 0;
  }
  stderr.write('The key, which is shown only now:\n');
  stdout.write(`${key}\n`);
  stderr.write(`\nFor longhaul.yaml, below gateway.keys:\n    - ${JSON.stringify(checked.data)}\n`);
  return 0;
}

/** Host and port of `host:port`, where the host may be an IPv6 address in brackets. */
function addressOf(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replaceAll(/[[\]]/g, ''), port: Number(address.slice(colon + 1)) };
}

async function listening(started: Promise<string>, address: string): Promise<string> {
  try {
    return await started;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LonghaulError('InvalidConfiguration', `gateway.address ${address} cannot be used: ${reason}.`, {
      cause: error,
    });
  }
}
