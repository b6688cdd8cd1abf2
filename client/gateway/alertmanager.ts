import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { logProcess } from '../../activities/shared/logger.ts';
import type { Config } from '../../domain/config/config.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { createBodies } from './bodies.ts';
import type { GatewayMetrics } from './metrics.ts';
import { Refusal } from './refusal.ts';
import { ALERTMANAGER_SIGNING, type Signing } from './signature.ts';

/** The largest message, in bytes: a thousand alerts. */
const LARGEST = 2 * 1024 * 1024;
/** Messages up to this size are always accepted. */
const SMALL = 256 * 1024;
/** Limit for all other messages in progress. */
const MOST = 16 * LARGEST;

/** What a message of Alertmanager led to: the workflow ids. */
export interface AnsweredAlerts {
  readonly started: readonly string[];
  /** Those that ask people about the same environment, or roll it back, because of earlier alerts. */
  readonly busy: readonly string[];
}

/** Dependencies of the webhook of Alertmanager. */
export interface AlertmanagerTools {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly metrics: GatewayMetrics;
  /** Starts what answers the alerts of a message. Throws a `Refusal` for what is not a message of Alertmanager, or comes too early. */
  readonly takeAlerts: (
    message: unknown,
    labels: {
      readonly repositories: readonly string[];
      readonly repository: string;
      readonly environment: string;
    },
  ) => Promise<AnsweredAlerts>;
}

/**
 * `POST /webhooks/alertmanager`, with `gateway.alertmanager` in `longhaul.yaml`. A message is parsed only after its secret,
 * or its signature over the received bytes, is verified. Answered when Temporal has it: 202; 200 when there is nothing to
 * do. Throws `AuthenticationFailed` when there is no secret.
 */
export async function serveAlertmanager(server: FastifyInstance, tools: AlertmanagerTools): Promise<void> {
  const { config, env, metrics, takeAlerts } = tools;
  const settings = config.gateway.alertmanager;
  if (settings === undefined) return;
  const secret = secretOf(settings, env);
  const { repositories, repositoryLabel: repository, environmentLabel: environment } = settings;
  const labels = { repositories, repository, environment };
  metrics.expect('alertmanager');
  // the raw bytes, because the signature covers them
  server.removeAllContentTypeParsers();
  const receive = createBodies({ largest: LARGEST, small: SMALL, most: MOST });
  server.addContentTypeParser(
    'application/json',
    { bodyLimit: LARGEST },
    async (_request: FastifyRequest, body: Readable) => receive(body),
  );
  server.route({
    method: 'POST',
    url: '/webhooks/alertmanager',
    // a request without a credential is refused before its body is read
    onRequest: async ({ headers }) => {
      if (schemeOf(headers) === undefined) throw unauthenticated();
    },
    onResponse: async (_request, { statusCode }) => {
      if (statusCode >= 400) metrics.delivered('alertmanager', statusCode < 500 ? 'refused' : 'failed');
    },
    handler: async (request: FastifyRequest, reply) => {
      const { headers } = request;
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const scheme = schemeOf(headers);
      if (!scheme?.proves(scheme.claim(headers) ?? '', body, secret)) throw unauthenticated();
      const result = await takeAlerts(parsed(body), labels);
      const outcome = result.started.length > 0 ? 'taken' : result.busy.length > 0 ? 'duplicate' : 'ignored';
      metrics.delivered('alertmanager', outcome);
      logProcess(request.log, 'webhook_accepted', { forge: 'alertmanager', outcome, ...result }, 'webhook accepted');
      return reply.code(outcome === 'taken' ? 202 : 200).send(result);
    },
  });
}

/** How a message is authenticated; undefined for one without a credential. */
function schemeOf(headers: FastifyRequest['headers']): Signing | undefined {
  return ALERTMANAGER_SIGNING.find(({ claim }) => claim(headers) !== null);
}

/** The secret that Alertmanager sends, or a proxy signs with. */
function secretOf(
  { secretEnv, secretFile }: NonNullable<Config['gateway']['alertmanager']>,
  env: NodeJS.ProcessEnv,
): string {
  const from = secretEnv === undefined ? `file ${secretFile}` : `environment variable ${secretEnv}`;
  const secret = (secretEnv === undefined ? readSecret(secretFile ?? '') : (env[secretEnv] ?? '')).trim();
  if (secret.length >= LEAST_SECRET) return secret;
  throw new LonghaulError(
    'AuthenticationFailed',
    secret === ''
      ? `gateway.alertmanager: the ${from} has no secret.`
      : `gateway.alertmanager: the secret in the ${from} is too short: give at least ${LEAST_SECRET} characters.`,
  );
}

/** Characters of a secret: a shorter one can be guessed. */
const LEAST_SECRET = 16;

function readSecret(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { message } = error as Error;
    throw new LonghaulError('AuthenticationFailed', `gateway.alertmanager: the secret cannot be read: ${message}.`, {
      cause: error,
    });
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    throw new Refusal(400, 'InvalidInput', 'The body is not JSON.');
  }
}

function unauthenticated(): Refusal {
  return new Refusal(401, 'AuthenticationFailed', 'The secret or signature is missing or wrong.');
}
