import { ledgerLogins } from '../../activities/ledger/logins.ts';
import { findRunningStack } from '../../stack/running-stack.ts';
import { yourTemporal } from '../../stack/temporal-connection.ts';
import type { CliContext } from './context.ts';
import { namingStackFailures } from './stack-failure.ts';

/**
 * The variables with which a worker finds the servers of `longhaul up` on the same data folder. None where that does not
 * run, and where the configuration or the environment names a Temporal: that one is meant. Throws `StackFailed`.
 */
export async function stackVariables({
  config,
  dataDir,
  env,
}: Pick<CliContext, 'config' | 'dataDir' | 'env'>): Promise<Readonly<Record<string, string>>> {
  if ((await yourTemporal(config.temporal, env)) !== null) return {};
  const running = await namingStackFailures(async () => findRunningStack(dataDir));
  if (running === null) return {};
  const { state, databaseUrl, weaviateApiKey } = running;
  const { temporal, weaviate } = state;
  return {
    ...(temporal === null ? {} : { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace }),
    ...(databaseUrl === null ? {} : { DATABASE_WRITER_URL: ledgerLogins(databaseUrl, env).writer }),
    ...(weaviate === null ? {} : { WEAVIATE_URL: weaviate.url, WEAVIATE_GRPC: weaviate.grpc }),
    ...(weaviateApiKey === null ? {} : { WEAVIATE_API_KEY: weaviateApiKey }),
  };
}
