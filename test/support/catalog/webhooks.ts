import { createKey, type NewKey } from '../../../client/gateway/api-key.ts';
import type { FollowResult } from '../../../domain/catalog/flows/follow.ts';
import { type FlowsFixture, sourceOf, test as base } from './flows.ts';
import { samplesIn } from '../scrape.ts';
import { repositoryPayload, startGateway, type TestGateway } from '../gateway.ts';

export const LANES = sourceOf('workflows/shared/lanes.ts');
export const push = (name: string, branch = 'main'): object => repositoryPayload(name, { ref: `refs/heads/${branch}` });

export const key = createKey();
export const reader = createKey();
export const slow = createKey();

export const test = base
  .extend('webhooks', async () => [{ provider: 'local', forge: 'github', secretEnv: 'WEBHOOK_SECRET' }] as object[])
  .extend('gateway', async ({ flows, webhooks }, { onCleanup }): Promise<TestGateway> => {
    const gateway = await startGateway(flows.estate, flows.client, {
      webhooks,
      onboard: ['acme/*'],
      quietSeconds: 0.3,
      keys: [
        {
          ...configured(key, 'ci'),
          flows: ['onboardRepositories', 'syncRepositories', 'syncRepository', 'followRepository'],
          signals: ['repositoryEvents'],
          updates: ['confirm'],
        },
        { ...configured(reader, 'reader'), flows: ['verifyCatalog'] },
        { ...configured(slow, 'slow'), flows: ['verifyCatalog'], requestsPerMinute: 3 },
      ],
    });
    onCleanup(() => gateway.close());
    return gateway;
  });

export function configured({ id, hash }: NewKey, name: string): object {
  return { id, hash, name };
}

/** The indexed commit of a repository; null when it is not indexed. */
export async function indexed({ tools }: FlowsFixture, id: string): Promise<string | null> {
  return (await tools.store.readReceipt(id))?.commit ?? null;
}

/** The results of all events of a repository so far, including webhooks. */
export async function followed({ client, started }: FlowsFixture, id: string): Promise<FollowResult> {
  if (started.some(([workflowId]) => workflowId === 'deliveries')) {
    await client.workflow.getHandle('deliveries').result();
  }
  const handle = client.workflow.getHandle(`follow/${id}`);
  started.push([handle.workflowId, (await handle.describe()).runId]);
  return (await handle.result()) as FollowResult;
}

/** The results of all events of a repository, by run. */
export async function runsOf({ client, started }: FlowsFixture, id: string): Promise<FollowResult[]> {
  const results: FollowResult[] = [];
  for await (const { workflowId, runId } of client.workflow.list({ query: `WorkflowId = 'follow/${id}'` })) {
    started.push([workflowId, runId]);
    results.push((await client.workflow.getHandle(workflowId, runId).result()) as FollowResult);
  }
  return results;
}

/** The results of GitHub's messages, from the metrics. */
export async function outcomes({ metrics }: TestGateway): Promise<Record<string, number>> {
  const samples = [...samplesIn(await metrics.text())];
  return Object.fromEntries(
    samples.flatMap(([name, count]) => {
      const [, result = null] = /^longhaul_gateway_deliveries_total\{forge="github",result="(\w+)"\}$/.exec(name) ?? [];
      return result === null || count === 0 ? [] : [[result, count]];
    }),
  );
}

export function sumOf(results: readonly FollowResult[], count: 'events' | 'rounds'): number {
  return results.reduce((sum, result) => sum + result[count], 0);
}
