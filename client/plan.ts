import { openTools } from '../activities/tools.ts';
import type { FleetPlan } from '../domain/catalog/plan.ts';
import type { Receipt } from '../domain/catalog/receipt.ts';
import type { CliContext } from './cli/context.ts';
import { loadedConfig, modelFolder, weaviateAddress } from './cli/servers.ts';

/** What a fleet flow would do, by the same plan that the flow follows. Starts nothing, writes nothing. */
export async function planFleet(
  context: CliContext,
  flow: 'onboardRepositories' | 'syncRepositories' | 'removeRepositories',
  patterns: readonly string[] | null,
): Promise<FleetPlan> {
  return withTools(context, ({ planner }) => {
    if (flow === 'onboardRepositories') return planner.onboarding(patterns ?? []);
    return flow === 'syncRepositories' ? planner.sync(patterns) : planner.removal(patterns);
  });
}

/** All receipts of the index. */
export async function readReceipts(context: CliContext): Promise<Receipt[]> {
  return withTools(context, ({ store }) => store.receipts());
}

async function withTools<Result>(
  context: CliContext,
  use: (tools: Awaited<ReturnType<typeof openTools>>) => Promise<Result>,
): Promise<Result> {
  const places = { weaviate: await weaviateAddress(context), modelFolder: () => modelFolder(context) };
  const tools = await openTools(loadedConfig(context), places, context.env);
  try {
    return await use(tools);
  } finally {
    await tools.close();
  }
}
