import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { readContracts } from '../contracts/stored-contracts.ts';
import { type AllowedContexts, problemOfEnvironment } from './allowed-context.ts';

/** Names an environment of a commit. */
export interface EnvironmentOfCommit {
  readonly repository: string;
  /** Digest of the contracts of the commit. */
  readonly contracts: string;
  /** Its name. */
  readonly environment: string;
}

/**
 * An environment as a commit declares it. Throws `InvalidInput` when there is none with this name, and
 * `InvalidConfiguration` when the worker does not let the repository use one of its contexts.
 */
export async function allowedEnvironment(
  { blobs, contexts }: { readonly blobs: BlobStore; readonly contexts: AllowedContexts },
  { repository, contracts, environment: name }: EnvironmentOfCommit,
): Promise<Environment> {
  const { environments } = await readContracts(blobs, contracts, repository);
  const environment = environments.find((each) => each.name === name);
  if (environment === undefined) throw new LonghaulError('InvalidInput', `${repository} has no environment ${name}.`);
  const problem = problemOfEnvironment(contexts, repository, environment);
  if (problem !== null) throw new LonghaulError('InvalidConfiguration', problem);
  return environment;
}
