import type { Generation } from '../../../domain/release/contracts/generation.schema.ts';
import type { Coverage, ReleaseCommit } from '../../../domain/release/promotion/promotion.ts';
import { stricterPolicy } from '../../../domain/release/promotion/stricter.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { readContracts, type StoredContracts } from '../contracts/stored-contracts.ts';
import { readDefaultPolicies } from './default-policies.ts';

/** The contracts of the commit that is released. */
export interface ReleaseContracts {
  readonly contracts: StoredContracts;
  readonly generation: Generation;
  /** SHA-256 of the generation's file. */
  readonly digest: string;
}

/**
 * Reads the contracts of a release, with the policies of the commit. Throws `InvalidInput` when the commit does not
 * declare the generation.
 */
export async function readRelease(
  blobs: BlobStore,
  { repository, version, packed: { commit }, contracts: stored }: ReleaseCommit,
): Promise<ReleaseContracts> {
  const at = commit.slice(0, 12);
  const contracts = await readContracts(blobs, stored, `${repository} at ${at}`);
  const generation = contracts.generations[version];
  const digest = contracts.digestOfGeneration(version);
  if (generation === undefined || digest === null) {
    throw new LonghaulError(
      'InvalidInput',
      `${repository} has no generation ${version} at ${at}: add its file to the commit.`,
    );
  }
  return { contracts, generation, digest };
}

/** The same with the rules of a promotion: those of the commit and of the default branch. Throws `InvalidConfiguration`, too. */
export async function readRules(
  blobs: BlobStore,
  released: ReleaseCommit & { readonly coverage: Pick<Coverage, 'policies'> },
): Promise<ReleaseContracts> {
  const read = await readRelease(blobs, released);
  const { policies } = released.coverage;
  if (policies === null) return read;
  const policy = stricterPolicy(read.contracts.policy, await readDefaultPolicies(blobs, policies, released.repository));
  return { ...read, contracts: { ...read.contracts, policy } };
}
