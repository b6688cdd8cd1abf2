import { openMgit } from '../../activities/mgit/open-mgit.ts';
import { createPlanner } from '../../activities/catalog/planner.ts';
import type { Builds } from '../../activities/index/store/builds.ts';
import type { Build } from '../../domain/catalog/index/build.ts';
import type { OnboardInput, RemoveInput, SyncRepositoriesInput } from '../../domain/catalog/flows/flows.ts';
import {
  onboardRepositoriesFlow,
  type removeRepositoriesFlow,
  syncRepositoriesFlow,
} from '../../domain/catalog/flows/fleet-flows.ts';
import type { CatalogPlan } from '../../domain/catalog/flows/fleet.ts';
import type { CliContext } from '../core/context.ts';
import { loadedConfig } from '../core/servers.ts';
import { withBuilds } from './builds.ts';

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
