import type { Client } from '@temporalio/client';
import type { FastifyInstance } from 'fastify';
import type { ReadinessCheck } from '../../activities/telemetry/status-server.ts';

/** A server that is asked whether it is there has this long. */
const PATIENCE_MS = 1_000;
/** Its answer counts this long, because anybody may ask. */
const ANSWER_COUNTS_MS = 1_000;

/** `GET /healthz`: the process lives. `GET /readyz`: it can also hand work over to Temporal; 503 when it cannot. */
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

/** What must hold before a gateway can do its work: it listens, and Temporal knows the namespace. */
export function gatewayReadiness({ server }: FastifyInstance, client: Client): readonly ReadinessCheck[] {
  return [
    { name: 'gateway', run: () => (server.listening ? Promise.resolve() : Promise.reject(new Error('not listening'))) },
    { name: 'temporal', run: () => askTemporal(client) },
  ];
}

/** Throws when Temporal does not answer, or has no such namespace. */
async function askTemporal(client: Client): Promise<void> {
  const { namespace } = client.options;
  await client.withDeadline(Date.now() + PATIENCE_MS, () => client.workflowService.describeNamespace({ namespace }));
}
