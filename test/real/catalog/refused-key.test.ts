import { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { describe, expect, inject, onTestFinished } from 'vitest';
import { createCatalogActivities } from '../../../activities/catalog/catalog.ts';
import { reposWork } from '../../../activities/catalog/repos-role.ts';
import { openTools } from '../../../activities/catalog/tools.ts';
import { loadConfig } from '../../../activities/shared/config.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { activityWorker } from '../../../workers/roles.ts';
import { createEstate } from '../../support/estate.ts';
import { test } from '../../support/catalog/flows.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { openSharedAnalyzer } from '../../support/catalog/shared-analyzer.ts';
import { openGateway } from '../../support/weaviate-gateway.ts';
import { mockActivity } from '../../support/mock-activity.ts';

describe('a key that Weaviate refuses after the worker has started', () => {
  test.for(['rest', 'grpc'] as const)(
    'fails a sync at its first try, as AuthenticationFailed (%s)',
    async (protocol, { connections, place }) => {
      const { weaviate, modelFolder, cacheDir } = inject('stack');
      const estate = await createEstate();
      onTestFinished(() => estate.dispose());
      await estate.create('acme/api', { 'a.ts': 'export const one = 1;\n' });
      let isRevoked = false;
      const gateway = await openGateway(
        { url: weaviate.url, grpc: weaviate.grpc },
        { key: (asked) => (isRevoked && asked === protocol ? 'revoked' : null) },
      );
      const env = { ...process.env, LONGHAUL_CACHE_DIR: cacheDir, LONGHAUL_DATA_DIR: estate.dataDir };
      const loaded = loadConfig({ path: estate.configPath, env });
      const address = { url: gateway.url, grpc: gateway.grpc, apiKey: weaviate.apiKey };
      const tools = await openTools(loaded, { weaviate: address, modelFolder }, env, {
        openAnalyzer: openSharedAnalyzer,
      });
      onTestFinished(() => tools.close());
      const repository = { id: 'local/acme/api', cloneUrl: estate.gitDir('acme/api') };
      await mockActivity().run(createCatalogActivities(tools).indexRepository, { repository });
      await estate.commit('acme/api', { 'a.ts': 'export const one = 2;\n' });

      const worker = await Worker.create({
        ...activityWorker(place, 'repos', reposWork(tools)),
        shutdownGraceTime: '1 second',
      });
      isRevoked = true;
      const client = new Client({ connection: connections.connection, namespace: NAMESPACE });
      const handle = await worker.runUntil(async () => {
        const started = await startFlow(client, 'syncRepository', { repository: repository.id });
        await expect(started.result()).rejects.toMatchObject({
          cause: { cause: { type: 'AuthenticationFailed', message: 'Weaviate refused the API key.' } },
        });
        return started;
      });
      const { events } = await handle.fetchHistory();
      const tries = events?.flatMap(({ activityTaskStartedEventAttributes: started }) => started?.attempt ?? []);
      expect(tries?.length).toBeGreaterThan(0);
      expect(new Set(tries)).toEqual(new Set([1]));
      expect(events?.filter((event) => event.activityTaskFailedEventAttributes)).toHaveLength(1);
    },
  );
});
