import fastifyCookie from '@fastify/cookie';
import type { Client } from '@temporalio/client';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import { logProcess } from '../../activities/shared/logger.ts';
import type { Config } from '../../domain/config/config.schema.ts';
import { FLOWS } from '../../domain/flows.ts';
import type { FlowRegistry } from '../../domain/shared/flow.ts';
import { FAILURES, isFailureType } from '../../domain/shared/failures.ts';
import { shownError } from '../core/errors.ts';
import { userName } from '../core/user-name.ts';
import { CONNECTION_LIMITS, limitConnections } from './connections.ts';
import { serveFlows } from './flows.ts';
import { type GatesTools, serveGates } from './gates.ts';
import { serveHealth } from './health.ts';
import type { GatewayMetrics } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { Refusal, type RefusalType } from './refusal.ts';
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
}

/** The largest request body except for webhooks, in bytes: slightly more than the largest flow input. */
const LARGEST_BODY = 300 * 1024;

/**
 * The HTTP server of `longhaul gateway`, not listening yet: webhooks of forges, flows for services, health. It answers
 * only JSON, never repeats what it was sent, and ignores forwarding headers of proxies. Throws as {@link serveWebhooks}
 * and {@link serveFlows} do.
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
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  });
  server.addHook('onResponse', async ({ routeOptions }, { statusCode: status, elapsedTime }) => {
    tools.metrics.answered({ route: routeOptions.url ?? 'none', status, seconds: elapsedTime / 1_000 });
  });
  server.setNotFoundHandler(async () => {
    throw new Refusal(404, 'NotFound', 'There is nothing at this path.');
  });
  server.setErrorHandler(async (error, request, reply) => {
    const { status, type, message, retryAfter } = refusalOf(error);
    const said = { status, type, remote: request.ip, path: request.routeOptions.url ?? null };
    if (status >= 500) logProcess(request.log, 'request_failed', { ...said, err: error }, 'request failed');
    else logProcess(request.log, 'request_refused', said, message);
    if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
    const remedy = isFailureType(type) ? FAILURES[type].remedy : null;
    return reply.code(status).send({ error: { type, message, remedy } });
  });
  await server.register(serveHealth, tools);
  const description = describeApi(flows);
  server.get('/openapi.json', async () => description);
  await server.register(serveWebhooks, tools);
  await server.register(serveFlows, { ...tools, flows, prefix: '/v1' });
  await server.register(fastifyCookie);
  const url = config.gateway.url ?? `http://${config.gateway.address}`;
  const sessions = createSessions({ people: config.people, url, owner: userName(env) });
  await server.register(serveGates, { desk, sessions, prefix: '/v1' });
  await server.register(serveSignIn, { config, env, url, sessions });
  return server;
}

interface Refused {
  readonly status: number;
  readonly type: RefusalType;
  readonly message: string;
  readonly retryAfter?: number | undefined;
}

const STATUS: Readonly<Partial<Record<string, number>>> = {
  InvalidInput: 422,
  RepositoryBusy: 409,
  IndexBusy: 409,
  GateNotFound: 404,
  GateClosed: 409,
  GateChanged: 409,
  NotAnApprover: 403,
  OwnRequest: 403,
  DelegationExpired: 403,
  ServerUnavailable: 503,
};

const FASTIFY: Readonly<Partial<Record<number, Omit<Refused, 'status'>>>> = {
  400: { type: 'InvalidInput', message: 'The body is not JSON.' },
  413: { type: 'PayloadTooLarge', message: 'The body is too large.' },
  415: { type: 'UnsupportedMediaType', message: 'The content type is not accepted here.' },
};

/** Converts an error to an answer. Unexpected errors are only logged. */
function refusalOf(error: unknown): Refused {
  if (error instanceof Refusal) {
    const { statusCode: status, type, message, retryAfter } = error;
    return { status, type, message, retryAfter };
  }
  const status = (error as { statusCode?: unknown }).statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return { status, ...(FASTIFY[status] ?? { type: 'RequestFailed', message: 'The request cannot be understood.' }) };
  }
  if (isTemporalAway(error)) {
    const message = 'Temporal does not answer: send it again later.';
    return { status: 503, type: 'ServerUnavailable', message, retryAfter: 30 };
  }
  const { type, message } = shownError(error);
  const known = STATUS[type];
  if (isFailureType(type) && known !== undefined) return { status: known, type, message };
  return {
    status: 500,
    type: 'RequestFailed',
    message: 'This is an error of the gateway; its log has the details.',
  };
}

/** gRPC: deadline exceeded, resource exhausted, unavailable. */
function isTemporalAway(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && [4, 8, 14].includes(Number(at.code)) && 'details' in at) return true;
  }
  return false;
}
