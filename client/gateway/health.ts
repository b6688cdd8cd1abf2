import type { Client } from '@temporalio/client';
import type { FastifyInstance } from 'fastify';

/** A server that is asked whether it is there has this long. */
const PATIENCE_MS = 1_000;

/** `GET /healthz`: the process lives. `GET /readyz`: it can also hand work over to Temporal; 503 when it cannot. */
export async function serveHealth(server: FastifyInstance, { client }: { readonly client: Client }): Promise<void> {
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    try {
      const { namespace } = client.options;
      await client.withDeadline(Date.now() + PATIENCE_MS, () =>
        client.workflowService.describeNamespace({ namespace }),
      );
      return { status: 'ok' };
    } catch {
      return reply.code(503).send({ status: 'unavailable', temporal: 'does not answer' });
    }
  });
}
