import type { Repository } from '../../../domain/git/repository.ts';
import type { PolicyFile } from '../../../domain/release/contracts/policy.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import type { Mgit } from '../../mgit/index.ts';
import { CONTRACT_FOLDERS } from '../contracts/contract-folder.ts';
import { checkPolicyFiles, type ContractFile, type ContractFolder } from '../contracts/contracts.ts';
import { storeContracts } from '../contracts/stored-contracts.ts';
import { readJson } from '../pipelines/stored-plan.ts';

const POLICY_FILE = /^polic(?:y|ies)\.ya?ml$/;

/** Where the policies of a default branch are. */
interface DefaultBranch {
  readonly mgit: Mgit;
  readonly blobs: BlobStore;
  readonly repository: Repository;
  /** Full oid of its head. */
  readonly head: string;
}

/**
 * Stores the policy files of a default branch, and returns their digest; null when it has none. Throws
 * `InvalidConfiguration` when both contract folders have some.
 */
export async function storeDefaultPolicies(
  { mgit, blobs, repository, head }: DefaultBranch,
  signal: AbortSignal,
): Promise<string | null> {
  const listed = await mgit.listFiles(repository, head, { signal });
  const folders: ContractFolder[] = [];
  for (const name of CONTRACT_FOLDERS) {
    const files: ContractFile[] = [];
    for (const { path } of listed) {
      const own = path.startsWith(`${name}/`) ? path.slice(name.length + 1) : '';
      if (!POLICY_FILE.test(own)) continue;
      const { content = null } = (await mgit.readFile(repository, head, path, { signal })) ?? {};
      files.push({ path: own, text: Buffer.from(content ?? []).toString('utf8') });
    }
    if (files.length > 0) folders.push({ name, files });
  }
  const [folder, other] = folders;
  if (folder === undefined) return null;
  if (other !== undefined) {
    throw new LonghaulError(
      'InvalidConfiguration',
      `The default branch of ${repository.id} has policies in ${folder.name} and ${other.name}: keep one of the two.`,
    );
  }
  return storeContracts(blobs, folder);
}

/** Reads them back. Throws `InvalidConfiguration` that lists everything that is wrong with them. */
export async function readDefaultPolicies(blobs: BlobStore, digest: string, repository: string): Promise<PolicyFile> {
  const { policy, problems } = checkPolicyFiles((await readJson(blobs, digest)) as ContractFolder);
  if (problems.length === 0) return policy;
  throw new LonghaulError(
    'InvalidConfiguration',
    `The policies of the default branch of ${repository} are wrong:\n${problems.join('\n')}`,
  );
}
