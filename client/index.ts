export { type FlowHandle, type Flows, startFlow } from './flows.ts';
export { FLOWS_QUEUE } from '../domain/queues.ts';
export { openSearch, type SearchSession } from './search.ts';
export { type CliContext, openContext } from './cli/context.ts';
export type { SearchQuestion } from '../activities/catalog.ts';
export type { SearchAnswer, SearchExplanation, SearchQuery, SearchResult } from '../activities/index/search.ts';
export type {
  Confirmation,
  FleetProgress,
  FleetResult,
  IngestStreamInput,
  OnboardInput,
  RemoveInput,
  RepositoryFailure,
  RepositoryOutcome,
  SyncRepositoriesInput,
  SyncRepositoryInput,
  VerifyInput,
} from '../domain/catalog/flows.ts';
export type { Build, BuildComparison, BuildSettings, StoredQuery } from '../domain/catalog/build.ts';
export type {
  PruneInput,
  PruneResult,
  ReembedInput,
  ReembedProgress,
  ReembedResult,
  SwitchInput,
  SwitchResult,
} from '../domain/catalog/build-flows.ts';
export type { Difference, DifferenceKind, VerificationReport } from '../domain/catalog/verification.ts';
export type {
  ApplySyncGroupsInput,
  ApplySyncGroupsResult,
  GroupChange,
  SyncGroup,
  SyncGroupInput,
} from '../domain/catalog/sync-groups.ts';
export type { Receipt, Snapshot } from '../domain/catalog/receipt.ts';
export { FAILURES, type FailureType, LonghaulError } from '../domain/failures.ts';
