import type { DeployPlace } from '../../domain/release/deployment/deployment.ts';
import type { PackedCommit } from '../../domain/release/pipelines/job.ts';
import type { EnvironmentChange } from '../../domain/release/flows/deploy-flows.ts';
import { commitActivities, ledgerActivities, pipelineActivities } from './activities.ts';

/** Whose environments to read. */
interface EnvironmentsOf {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** Digest of contracts that were recorded, which are read instead of those of the commit. */
  readonly contracts?: string | undefined;
}

/** The environments of a commit. */
interface EnvironmentsRead {
  readonly environments: readonly DeployPlace[];
  /** Digest of the contracts that they are in, with the text of a shared file. */
  readonly contracts: string;
  /** Digest of the contracts as the commit has them. */
  readonly declared: string;
}

/**
 * Reads the environments of a commit. Those that several repositories share are read from the repository that has them, at
 * the head of its default branch now, unless `recorded` finds contracts with them.
 */
export async function readEnvironments(
  { repository, packed, contracts }: EnvironmentsOf,
  recorded: () => Promise<string | null> = () => Promise.resolve(null),
): Promise<EnvironmentsRead> {
  const asked = { repository, packed, ...(contracts === undefined ? {} : { contracts }) };
  const options = { summary: 'read the environments' };
  const own = await pipelineActivities.readEnvironments.executeWithOptions(options, [asked]);
  if (own.from === null) return { ...own, declared: own.contracts };
  const known = await recorded();
  if (known !== null) {
    const then = { repository, packed, contracts: known };
    const read = await pipelineActivities.readEnvironments.executeWithOptions(
      { summary: 'read the environments that were deployed' },
      [then],
    );
    return { ...read, declared: own.contracts };
  }
  const shared = await commitActivities.readShared.executeWithOptions(
    { summary: `read ${own.from.path} of ${own.from.repository}`.slice(0, 200) },
    [{ ...own.from, neededBy: repository }],
  );
  const read = await pipelineActivities.readEnvironments.executeWithOptions(
    { summary: 'read the shared environments' },
    [{ repository, packed, shared }],
  );
  return { ...read, declared: own.contracts };
}

/** Finds the contracts that a release was deployed with, for a deployment that goes back to it; null for another one. */
export function recordedContracts({
  repository,
  environment,
  version,
  goBack,
}: Pick<EnvironmentChange, 'repository' | 'environment' | 'version' | 'goBack'>): () => Promise<string | null> {
  return async () =>
    goBack
      ? ledgerActivities.contractsThen.executeWithOptions({ summary: 'the environments that it was deployed with' }, [
          { repository, environment, version },
        ])
      : null;
}
