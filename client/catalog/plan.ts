import { openMgit } from '../../activities/catalog/open-mgit.ts';
import { createPlanner } from '../../activities/catalog/planner.ts';
import { type Builds, createBuilds } from '../../activities/index/store/builds.ts';
import { connectWeaviate } from '../../activities/index/store/weaviate.ts';
import type { Build } from '../../domain/catalog/index/build.ts';
import { headReceipts } from '../../domain/catalog/index/refs.ts';
import type { OnboardInput, RemoveInput, SyncRepositoriesInput } from '../../domain/catalog/flows/flows.ts';
import {
  onboardRepositoriesFlow,
  type removeRepositoriesFlow,
  syncRepositoriesFlow,
} from '../../domain/catalog/flows/fleet-flows.ts';
import type { CatalogPlan } from '../../domain/catalog/flows/fleet.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import type { CliContext } from '../core/context.ts';
import { loadedConfig, weaviateAddress } from '../core/servers.ts';

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
): Promise<CatalogPlan> {
  const { patterns = null, branch } = { branch: undefined, ...input };
  return withBuilds(context, async (builds) => {
    const planner = plannerOf(context, builds, await builds.live());
    if (flow === onboardRepositoriesFlow.type) return planner.onboarding(patterns ?? []);
    return flow === syncRepositoriesFlow.type ? planner.sync(patterns) : planner.removal(patterns, branch);
  });
}

/** All receipts of the live build, of every ref. */
export async function readReceipts(context: CliContext): Promise<Receipt[]> {
  return withBuilds(context, async (builds) => {
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
  return withBuilds(context, async (builds) => {
    const sizes: BuildSize[] = [];
    for (const build of await builds.list()) {
      const store = builds.store(build.digest);
      const [receipts, objects] = await Promise.all([store.receipts(), store.count()]);
      sizes.push({ ...build, repositories: headReceipts(receipts).length, objects });
    }
    return sizes;
  });
}

/** The builds of the index of a context, until `use` is done. Opens no model. Throws `ServerUnavailable`. */
async function withBuilds<Result>(context: CliContext, use: (builds: Builds) => Promise<Result>): Promise<Result> {
  const client = await connectWeaviate(await weaviateAddress(context));
  try {
    return await use(createBuilds(client, context.config.index.name));
  } finally {
    await client.close();
  }
}

async function* nothing(): AsyncGenerator<never> {}

/** The planner of the live build, or of an index that was not begun. */
function plannerOf(context: CliContext, builds: Builds, live: Build | null): ReturnType<typeof createPlanner> {
  const loaded = loadedConfig(context);
  const providers = loaded.config.providers.map(({ name }) => name);
  const mgit = openMgit(loaded, context.env, live?.settings.maxFileBytes);
  if (live !== null) return createPlanner({ mgit, store: builds.store(live.digest), digest: live.digest, providers });
  const store = { receipts: () => Promise.resolve([]), everything: nothing };
  return createPlanner({ mgit, store, digest: '', providers });
}
