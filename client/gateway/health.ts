import type { Client } from '@temporalio/client';
import type { FastifyInstance } from 'fastify';
import type { ReadinessCheck } from '../../activities/telemetry/status-server.ts';

/** Timeout of a readiness check. */
const PATIENCE_MS = 1_000;
/** How long the result is reused, because anyone may ask. */
const ANSWER_COUNTS_MS = 1_000;

/** `GET /healthz`: the process is alive. `GET /readyz`: it can also pass work to Temporal; 503 when it cannot. */
export async function serveHealth(server: FastifyInstance, { client }: { readonly client: Client }): Promise<void> {
  let asked = { at: Number.NEGATIVE_INFINITY, answer: Promise.resolve() };
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const now = performance.now();
    if (now - asked.at > ANSWER_COUNTS_MS) asked = { at: now, answer: askTemporal(client) };
    try {
      await asked.answer;
      return { status: 'ok' };
    } catch {
      return reply.code(503).send({ status: 'unavailable', temporal: 'does not answer' });
    }
  });
}

/** The readiness checks of a gateway: it listens, and Temporal has the namespace. */
export function gatewayReadiness({ server }: FastifyInstance, client: Client): readonly ReadinessCheck[] {
  return [
    { name: 'gateway', run: () => (server.listening ? Promise.resolve() : Promise.reject(new Error('not listening'))) },
    { name: 'temporal', run: () => askTemporal(client) },
  ];
}

/** Throws when Temporal does not answer, or does not have the namespace. */
async function askTemporal(client: Client): Promise<void> {
  const { namespace } = client.options;
  await client.withDeadline(Date.now() + PATIENCE_MS, () => client.workflowService.describeNamespace({ namespace }));
}
