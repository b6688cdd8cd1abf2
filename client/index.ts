export { type FlowHandle, type Flows, FLOWS_QUEUE, startFlow } from './flows.ts';
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
export type { Receipt, Snapshot } from '../domain/catalog/receipt.ts';
export { FAILURES, type FailureType, LonghaulError } from '../domain/failures.ts';
