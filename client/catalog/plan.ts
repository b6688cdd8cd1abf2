import { openMgit, type OpenTools, openTools } from '../../activities/catalog/tools.ts';
import { createPlanner } from '../../activities/catalog/planner.ts';
import type { Build } from '../../domain/catalog/index/build.ts';
import { headReceipts } from '../../domain/catalog/index/refs.ts';
import type { OnboardInput, RemoveInput, SyncRepositoriesInput } from '../../domain/catalog/flows/flows.ts';
import {
  onboardRepositoriesFlow,
  type removeRepositoriesFlow,
  syncRepositoriesFlow,
} from '../../domain/catalog/flows/fleet-flows.ts';
import type { FleetPlan } from '../../domain/catalog/index/plan.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import type { CliContext } from '../core/context.ts';
import { loadedConfig, modelFolder, weaviateAddress } from '../core/servers.ts';

/** Workflow types of the flows that have a plan to print. */
export type PlannedFlow =
  | typeof onboardRepositoriesFlow.type
  | typeof syncRepositoriesFlow.type
  | typeof removeRepositoriesFlow.type;

/** What a fleet flow would do, computed as the flow itself does. Starts nothing and writes nothing. */
export async function planFleet(
  context: CliContext,
  flow: PlannedFlow,
  input: OnboardInput | SyncRepositoriesInput | RemoveInput,
): Promise<FleetPlan> {
  const { patterns = null, branch } = { branch: undefined, ...input };
  return withTools(context, async (tools) => {
    const planner = (await tools.live())?.planner ?? emptyPlanner(context);
    if (flow === onboardRepositoriesFlow.type) return planner.onboarding(patterns ?? []);
    return flow === syncRepositoriesFlow.type ? planner.sync(patterns) : planner.removal(patterns, branch);
  });
}

/** All receipts of the live build, of every ref. */
export async function readReceipts(context: CliContext): Promise<Receipt[]> {
  return withTools(context, async ({ builds }) => {
    const live = await builds.live();
    return live === null ? [] : builds.store(live.digest).receipts();
  });
}

/** A build and its size. */
export interface BuildSize extends Build {
  readonly repositories: number;
  readonly objects: number;
}

/** All builds of the index, the live one first. */
export async function readBuilds(context: CliContext): Promise<BuildSize[]> {
  return withTools(context, async ({ builds }) => {
    const sizes: BuildSize[] = [];
    for (const build of await builds.list()) {
      const store = builds.store(build.digest);
      const [receipts, objects] = await Promise.all([store.receipts(), store.count()]);
      sizes.push({ ...build, repositories: headReceipts(receipts).length, objects });
    }
    return sizes;
  });
}

/** Opens the tools for the index of a context and closes them after `use`. Throws `ServerUnavailable`. */
async function withTools<Result>(context: CliContext, use: (tools: OpenTools) => Promise<Result>): Promise<Result> {
  const places = { weaviate: await weaviateAddress(context), modelFolder: () => modelFolder(context) };
  const tools = await openTools(loadedConfig(context), places, context.env);
  try {
    return await use(tools);
  } finally {
    await tools.close();
  }
}

async function* nothing(): AsyncGenerator<never> {}

/** The planner of an index that has no build yet. */
function emptyPlanner(context: CliContext): ReturnType<typeof createPlanner> {
  const loaded = loadedConfig(context);
  const providers = loaded.config.providers.map(({ name }) => name);
  const store = { receipts: () => Promise.resolve([]), everything: nothing };
  return createPlanner({ mgit: openMgit(loaded, context.env), store, digest: '', providers });
}
