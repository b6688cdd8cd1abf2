import fastifyCookie from '@fastify/cookie';
import type { Client } from '@temporalio/client';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import { logProcess } from '../../activities/shared/logger.ts';
import type { Config } from '../../domain/config/config.schema.ts';
import { FLOWS } from '../../domain/flows.ts';
import type { FlowRegistry } from '../../domain/shared/flow.ts';
import { CONSOLE } from '../console/assets.ts';
import { serveConsole } from '../console/server.ts';
import type { ConsoleTools } from '../console/sources.ts';
import { userName } from '../core/user-name.ts';
import { takeAlerts } from '../release/take-alerts.ts';
import { provePushes } from '../release/prove-pushes.ts';
import { serveAlertmanager } from './alertmanager.ts';
import { CONNECTION_LIMITS, limitConnections } from './connections.ts';
import { serveFlows } from './flows.ts';
import { type GatesTools, serveGates } from './gates.ts';
import { auditRefusals } from './refusal-audit.ts';
import { serveHealth } from './health.ts';
import type { GatewayMetrics } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { Refusal } from './refusal.ts';
import { refusedBy } from './refused.ts';
import { createSessions } from './sessions.ts';
import { serveSignIn } from './sign-in.ts';
import { serveWebhooks } from './webhooks.ts';

/** Dependencies of the gateway. */
export interface GatewayTools {
  readonly config: Config;
  readonly client: Client;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: FastifyBaseLogger;
  /** Called for every answer. */
  readonly metrics: GatewayMetrics;
  /** The flows that services may start and see. @default those of all wings */
  readonly flows?: FlowRegistry;
  /** Where people decide gates. @default null, for an installation without a ledger */
  readonly desk?: GatesTools['desk'];
  /** What the console needs in addition. @default no console */
  readonly console?: Pick<ConsoleTools, 'context' | 'uiUrl'>;
}

/** The largest request body except for webhooks, in bytes: slightly more than the largest flow input. */
const LARGEST_BODY = 300 * 1024;

/** Headers of every answer that does not set its own. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * The HTTP server of `longhaul gateway`, not listening yet: webhooks of forges and Alertmanager, flows for services, health, and the
 * console. Except for the console it answers only JSON and never repeats what it was sent. It ignores forwarding headers
 * of proxies. Throws as {@link serveWebhooks} and {@link serveFlows} do.
 */
export async function createGateway(tools: GatewayTools, limits = CONNECTION_LIMITS): Promise<FastifyInstance> {
  const { config, env, flows = FLOWS, desk = null } = tools;
  const server = fastify({
    loggerInstance: tools.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LARGEST_BODY,
    trustProxy: false,
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.silentMs,
    keepAliveTimeout: 72_000,
    http: { headersTimeout: limits.headMs, connectionsCheckingInterval: limits.checkMs, maxHeaderSize: 16_384 },
    routerOptions: { maxParamLength: 2_000 },
    forceCloseConnections: 'idle',
  });
  limitConnections(server, limits);
  server.addHook('onSend', async (_request, reply) => {
    for (const [name, value] of Object.entries(HEADERS)) if (!reply.hasHeader(name)) reply.header(name, value);
  });
  server.addHook('onResponse', async ({ routeOptions }, { statusCode: status, elapsedTime }) => {
    tools.metrics.answered({ route: routeOptions.url ?? 'none', status, seconds: elapsedTime / 1_000 });
  });
  server.setNotFoundHandler(async () => {
    throw new Refusal(404, 'NotFound', 'There is nothing at this path.');
  });
  const url = config.gateway.url ?? `http://${config.gateway.address}`;
  const sessions = createSessions({ people: config.people, url, owner: userName(env) });
  const refusals = auditRefusals(desk, sessions, tools.logger);
  server.addHook('preClose', () => refusals.close());
  server.setErrorHandler(async (error, request, reply) => {
    refusals.take(error, request);
    const { status, type, message, remedy, retryAfter } = refusedBy(error);
    const said = { status, type, remote: request.ip, path: request.routeOptions.url ?? null };
    if (status >= 500) logProcess(request.log, 'request_failed', { ...said, err: error }, 'request failed');
    else logProcess(request.log, 'request_refused', said, message);
    if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
    return reply.code(status).send({ error: { type, message, remedy } });
  });
  await server.register(serveHealth, tools);
  const description = describeApi(flows);
  server.get('/openapi.json', async () => description);
  await server.register(serveWebhooks, { ...tools, provePushes });
  await server.register(serveAlertmanager, {
    ...tools,
    takeAlerts: (message, labels) => takeAlerts({ client: tools.client, desk }, message, labels),
  });
  await server.register(fastifyCookie);
  await server.register(serveFlows, { ...tools, flows, sessions, desk, prefix: '/v1' });
  await server.register(serveGates, { desk, sessions, prefix: '/v1' });
  await server.register(serveSignIn, { config, env, url, sessions });
  if (tools.console !== undefined) {
    const { context, uiUrl } = tools.console;
    const consoleTools = { context, uiUrl, client: tools.client, flows, sessions, desk, refusals };
    await server.register(serveConsole, { ...consoleTools, prefix: CONSOLE });
    server.get('/', async (_request, reply) => reply.redirect(CONSOLE));
  }
  return server;
}
