import type { CheckedEnvironment, RenderedService } from '../../domain/release/deployment/environment-check.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { OpenCluster } from '../kubernetes/cluster.ts';
import { clustersOf } from '../kubernetes/clusters.ts';
import { heartbeating } from '../shared/heartbeating.ts';
import { readContracts } from './contracts/stored-contracts.ts';
import { type AllowedContexts, problemOfContext, problemOfEnvironment } from './deployment/allowed-context.ts';
import { checkEnvironment, unasked } from './deployment/check-environment.ts';
import type { Seal } from './deployment/sealed.ts';

/** Tools of the activities of the role `deploy`. */
export interface DeployTools {
  readonly openCluster: OpenCluster;
  readonly blobs: BlobStore;
  /** Opens what is sealed to {@link DeployActivities.sealingKey}. */
  readonly seal: Seal;
  /** Who may use which context (`deploy.contexts`). */
  readonly contexts: AllowedContexts;
}

/** Asks about an environment. */
export interface CheckEnvironmentInput {
  readonly repository: string;
  /** Digest of the contracts in the blob store. */
  readonly contracts: string;
  /** Name of the environment. */
  readonly environment: string;
  readonly services: readonly RenderedService[];
}

/** Activities of the role `deploy`: they alone reach clusters. */
export interface DeployActivities {
  /** The public key that contents for this role are sealed to: rendered manifests have Secrets. */
  sealingKey(): Promise<string>;
  /** What an environment lacks for a deployment of these manifests. Changes nothing. */
  checkEnvironment(input: CheckEnvironmentInput): Promise<CheckedEnvironment>;
}

/** Creates the activities. */
export function createDeployActivities({ openCluster, blobs, seal, contexts }: DeployTools): DeployActivities {
  return {
    sealingKey: () => Promise.resolve(seal.recipient),
    checkEnvironment: ({ repository, contracts, environment: name, services }) =>
      heartbeating(async (signal) => {
        const { environments } = await readContracts(blobs, contracts, repository);
        const environment = environments.find((each) => each.name === name);
        if (environment === undefined) {
          throw new LonghaulError('InvalidInput', `${repository} has no environment ${name}.`);
        }
        // before anything is asked
        const problem = problemOfEnvironment(contexts, repository, environment);
        if (problem !== null) return unasked(environment, problem);
        const problemOf = (context: string): string | null => problemOfContext(contexts, repository, context);
        const clusters = clustersOf(openCluster, { problemOf, signal });
        return checkEnvironment({ clusters, blobs, seal, environment, services, signal });
      }),
  };
}
