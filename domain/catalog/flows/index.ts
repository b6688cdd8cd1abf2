import { applySyncGroupsFlow, syncGroupFlow, watchFleetFlow } from './group-flows.ts';
import {
  onboardRepositoriesFlow,
  removeRepositoriesFlow,
  syncRepositoriesFlow,
  verifyCatalogFlow,
} from './fleet-flows.ts';
import { followRepositoryFlow, takeDeliveriesFlow } from './follow-flows.ts';
import { fillBuildFlow, pruneIndexFlow, reembedIndexFlow, switchIndexFlow } from './index-flows.ts';
import {
  ingestStreamFlow,
  removeRepositoryFlow,
  syncRepositoryFlow,
  verifyRepositoryFlow,
} from './repository-flows.ts';

/** The flows of the catalog, in the order of docs/flows.md. */
export const catalogFlows = [
  onboardRepositoriesFlow,
  syncRepositoriesFlow,
  syncRepositoryFlow,
  removeRepositoriesFlow,
  removeRepositoryFlow,
  reembedIndexFlow,
  fillBuildFlow,
  switchIndexFlow,
  pruneIndexFlow,
  verifyCatalogFlow,
  verifyRepositoryFlow,
  applySyncGroupsFlow,
  syncGroupFlow,
  watchFleetFlow,
  followRepositoryFlow,
  takeDeliveriesFlow,
  ingestStreamFlow,
] as const;
