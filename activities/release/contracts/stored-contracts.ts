import { Readable } from 'node:stream';
import { gt } from 'semver';
import { generationPaths } from '../../../domain/release/contracts/version.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { SharedSource } from '../../../domain/release/deployment/shared-file.ts';
import { sha256 } from '../../../platform/sha256.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import {
  checkContracts,
  isEnvironmentsFile,
  type ContractFile,
  type ContractFolder,
  type Contracts,
} from './contracts.ts';

/** The contracts of a repository, read back from the blob store. */
export interface StoredContracts extends Contracts {
  /** Name of their folder: `.longhaul` or `.gryt`. */
  readonly folder: string;
  /** Its files as they were written. */
  readonly files: readonly ContractFile[];
  /** Where the environments come from, if another repository has them; null for its own. */
  readonly shared: SharedSource | null;
  /** SHA-256 of a file of the folder as it was written, without its ending: `pipelines/full-ci`; null when there is none. */
  digestOf(stem: string): string | null;
  /** The file of a generation, which may be called `v1.5.0.yaml` or `1.5.0.yml`; null when there is none. */
  fileOfGeneration(version: string): ContractFile | null;
  /** SHA-256 of {@link fileOfGeneration}. */
  digestOfGeneration(version: string): string | null;
}

/** Stores contract files, and returns their digest: a flow carries that instead of the files. */
export async function storeContracts(blobs: BlobStore, folder: ContractFolder): Promise<string> {
  const { digest } = await blobs.put(Readable.from([Buffer.from(JSON.stringify(folder))]));
  return digest;
}

/** Reads stored contracts. Throws `InvalidConfiguration` that lists everything that is wrong with them. */
export async function readContracts(blobs: BlobStore, digest: string, about: string): Promise<StoredContracts> {
  const content = (await (await blobs.open(digest)).toArray()) as Buffer[];
  const folder = JSON.parse(Buffer.concat(content).toString('utf8')) as ContractFolder;
  const { contracts, problems } = checkContracts(folder);
  if (problems.length > 0) {
    throw new LonghaulError('InvalidConfiguration', `The contracts of ${about} are wrong:\n${problems.join('\n')}`);
  }
  const fileOf = (paths: readonly string[]): ContractFile | null =>
    paths.flatMap((path) => folder.files.find((each) => each.path === path) ?? [])[0] ?? null;
  const fileOfGeneration = (version: string): ContractFile | null => fileOf(generationPaths(version));
  return {
    ...contracts,
    folder: folder.name,
    files: folder.files,
    shared: folder.files.find(isEnvironmentsFile)?.from ?? null,
    digestOf: (stem) => digestOfFile(fileOf([`${stem}.yaml`, `${stem}.yml`])),
    fileOfGeneration,
    digestOfGeneration: (version) => digestOfFile(fileOfGeneration(version)),
  };
}

function digestOfFile(file: ContractFile | null): string | null {
  return file === null ? null : sha256(file.text);
}

/** Ids of the changes that generations above a version have. */
export function changesAfter({ generations }: Pick<Contracts, 'generations'>, version: string): readonly string[] {
  return Object.values(generations).flatMap((each) =>
    gt(each.version, version) ? each.changes.map(({ id }) => id) : [],
  );
}
