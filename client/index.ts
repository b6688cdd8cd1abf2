export { type FlowHandle, startFlow } from './core/start-flow.ts';
export type { Flows } from '../domain/flows.ts';
export { FLOWS_QUEUE } from '../domain/shared/queues.ts';
export { openSearch, type SearchSession } from './catalog/search.ts';
export { type CliContext, openContext } from './core/context.ts';
export type { SearchQuestion } from '../activities/catalog/open-index.ts';
export type { SearchAnswer, SearchExplanation, SearchQuery, SearchResult } from '../activities/index/search.ts';
export type {
  IngestStreamInput,
  OnboardInput,
  RemoveInput,
  SyncRepositoriesInput,
  SyncRepositoryInput,
  VerifyInput,
} from '../domain/catalog/flows/flows.ts';
export type { Confirmation } from '../domain/shared/confirmation.ts';
export type { CatalogFleetResult, RepositoryOutcome } from '../domain/catalog/flows/fleet.ts';
export type { Ask, FlowProgress } from '../domain/shared/progress.ts';
export type { RepositoryFailure } from '../domain/fleet/failure.ts';
export type { Build, BuildComparison, BuildSettings, StoredQuery } from '../domain/catalog/index/build.ts';
export type {
  PruneInput,
  PruneResult,
  ReembedInput,
  ReembedResult,
  SwitchInput,
  SwitchResult,
} from '../domain/catalog/flows/build-flows.ts';
export type { Difference, DifferenceKind, VerificationReport } from '../domain/catalog/index/verification.ts';
export type {
  ApplySyncGroupsInput,
  ApplySyncGroupsResult,
  GroupChange,
  SyncGroup,
  SyncGroupInput,
} from '../domain/catalog/groups/sync-groups.ts';
export type { Receipt } from '../domain/catalog/index/receipt.ts';
export type { Snapshot } from '../domain/git/snapshot.ts';
export { FAILURES, type FailureType, LonghaulError } from '../domain/shared/failures.ts';
