import type { Client } from '@temporalio/client';
import { openLedger } from '../../../activities/ledger/open-ledger.ts';
import { createLogger, logProcess } from '../../../activities/shared/logger.ts';
import { type ReadinessCheck, serveStatus, statusAddress } from '../../../activities/telemetry/status-server.ts';
import { parseAddress } from '../../../domain/shared/address.ts';
import { apiKeySchema } from '../../../domain/config/gateway.schema.ts';
import { check, describeIssue } from '../../../domain/shared/check.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { directoryOf } from '../../../domain/config/people.schema.ts';
import { createKey } from '../../gateway/api-key.ts';
import { gatewayReadiness } from '../../gateway/health.ts';
import { FLOWS } from '../../../domain/flows.ts';
import { checkKey } from '../../gateway/flows.ts';
import type { GatesTools } from '../../gateway/gates.ts';
import { createGatewayMetrics } from '../../gateway/metrics.ts';
import { createGateway } from '../../gateway/server.ts';
import type { CliContext } from '../../core/context.ts';
import { wakeDecided } from '../../core/decide-gate.ts';
import { findGatesLogin } from '../../core/ledger.ts';
import { connectTemporal } from '../../core/servers.ts';

/** Options of `longhaul gateway`. */
export interface GatewayOptions {
  /** Address to serve on, `host:port`. @default gateway.address of longhaul.yaml */
  readonly address?: string;
  /** Address for metrics and health, `host:port`. @default LONGHAUL_METRICS_ADDRESS, else off */
  readonly metricsAddress?: string;
}

/** The signals that stop the gateway. */
const STOPS = ['SIGTERM', 'SIGINT'] as const;

/** `longhaul gateway`: serves until SIGTERM or SIGINT, then answers open requests and ends. */
export async function serveGateway(context: CliContext, options: GatewayOptions): Promise<number> {
  const { config, env, signals } = context;
  const metricsAddress = statusAddress(options.metricsAddress, env);
  const given = options.address ?? config.gateway.address;
  const listensAt = parseAddress(given);
  if (listensAt === null) throw new LonghaulError('InvalidInput', `--address: give host:port, not "${given}".`);
  const logger = createLogger(env);
  const session = await connectTemporal(context);
  try {
    const { client, uiUrl } = session;
    const metrics = createGatewayMetrics();
    const desk = await openDesk(context, client);
    const server = await createGateway({ config, env, client, logger, metrics, desk, console: { context, uiUrl } });
    server.addHook('onClose', async () => desk?.ledger.destroy());
    const ready = (): readonly ReadinessCheck[] => gatewayReadiness(server, client);
    const status = metricsAddress && (await serveStatus(metricsAddress, { metrics: () => metrics.text(), ready }));
    const stopping = new AbortController();
    const stop = (): void => stopping.abort();
    const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
    try {
      if (status) {
        const { address } = status;
        logProcess(logger, 'metrics_ready', { address }, `metrics at http://${address}/metrics`);
      }
      for (const name of STOPS) signals.once(name, stop);
      const address = await listening(server.listen(listensAt), given);
      logProcess(logger, 'gateway_ready', { address }, 'ready');
      await stopped;
    } finally {
      for (const name of STOPS) signals.off(name, stop);
      await server.close();
      await status?.close();
    }
    logProcess(logger, 'gateway_stopped', {}, 'stopped');
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
  /** Requests per minute. */
  readonly rate: number;
  /** Print one JSON value. @default false */
  readonly json?: boolean;
}

/**
 * `longhaul gateway key`: creates an API key and prints it once, with its hash for `longhaul.yaml`. The key is not
 * stored.
 */
export function printKey({ stdout, stderr }: CliContext, options: KeyOptions): number {
  const { name, flows, signals, updates, rate } = options;
  const { key, id, hash } = createKey();
  const checked = check(apiKeySchema, { id, name, hash, flows, signals, updates, requestsPerMinute: rate });
  if (!checked.success) throw new LonghaulError('InvalidInput', describeIssue(checked.error));
  checkKey(checked.data, FLOWS);
  if (options.json) {
    stdout.write(`${JSON.stringify({ key, config: checked.data })}\n`);
    return 0;
  }
  stderr.write('The key, which is shown only now:\n');
  stdout.write(`${key}\n`);
  stderr.write(`\nFor longhaul.yaml, below gateway.keys:\n    - ${JSON.stringify(checked.data)}\n`);
  return 0;
}

/** Where people decide gates; null for an installation without a ledger. Wakes flows whose decisions wait to be read. */
async function openDesk(context: CliContext, client: Client): Promise<GatesTools['desk']> {
  const url = await findGatesLogin(context);
  if (url === null) return null;
  const desk = { ledger: openLedger(url), client, directory: directoryOf(context.config), url };
  // requests report a ledger that does not answer
  await wakeDecided(desk).catch(() => 0);
  return desk;
}

async function listening(started: Promise<string>, address: string): Promise<string> {
  try {
    return await started;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LonghaulError('InvalidConfiguration', `The gateway cannot use the address ${address}: ${reason}.`, {
      cause: error,
    });
  }
}
