import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { PackedCommit } from '../../../domain/release/pipelines/job.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { checkOut, type CheckoutOptions, unpackCommit, type UnpackedCommit } from '../../git/checkout.ts';
import type { Git } from '../../git/git.ts';
import { openObjectReader } from '../../git/cat-file.ts';
import { once } from '../../shared/once.ts';
import { CONTRACT_FOLDERS } from '../contracts/contract-folder.ts';
import type { ContractFile, ContractFolder } from '../contracts/contracts.ts';

/** Commits from the blob store, unpacked on the disk of this process. */
export interface CommitSources {
  /** Makes a work tree of a commit in a folder that does not exist. */
  checkOut(packed: PackedCommit, folder: string, options: CheckoutOptions): Promise<void>;
  /** The contract files of a commit; null when it has none. */
  contracts(packed: PackedCommit, options: CheckoutOptions): Promise<ContractFolder | null>;
  /** The message of a commit. */
  message(packed: PackedCommit, options: CheckoutOptions): Promise<string>;
}

/** Unpacked commits that a process keeps. */
const MOST_KEPT = 16;
const LARGEST_CONTRACT = 1_000_000;
const MOST_CONTRACTS = 5_000;

/** Creates {@link CommitSources} in a folder of this process. */
export function createCommitSources(git: Git, blobs: BlobStore, folder: string): CommitSources {
  const unpacked = new Map<string, Promise<UnpackedCommit>>();
  const uses = new Map<string, number>();

  async function withUnpacked<Result>(
    { commit, tree, pack }: PackedCommit,
    options: CheckoutOptions,
    work: (source: UnpackedCommit) => Promise<Result>,
  ): Promise<Result> {
    const key = `${pack}-${commit}`;
    uses.set(key, (uses.get(key) ?? 0) + 1);
    try {
      const source = await once(unpacked, key, async () => {
        await mkdir(folder, { recursive: true });
        await forgetOldest();
        return unpackCommit(git, join(folder, `${key}.git`), commit, () => blobs.open(pack), options);
      });
      // the caller of a flow gives all three: a run would count for a tree that the commit does not have
      const found = (await git.run(['cat-file', 'commit', commit], { ...options, gitDir: source.path })).toString(
        'latin1',
      );
      if (!found.startsWith(`tree ${tree}\n`)) {
        throw new LonghaulError('InvalidInput', `packed: the commit ${commit} does not have the tree ${tree}.`);
      }
      return await work(source);
    } finally {
      uses.set(key, (uses.get(key) ?? 1) - 1);
    }
  }

  async function forgetOldest(): Promise<void> {
    const idle = [...unpacked.keys()].filter((key) => (uses.get(key) ?? 0) === 0);
    for (const key of idle.slice(0, Math.max(0, unpacked.size - MOST_KEPT))) {
      unpacked.delete(key);
      uses.delete(key);
      await rm(join(folder, `${key}.git`), { recursive: true, force: true });
    }
  }

  return {
    checkOut: (packed, target, options) =>
      withUnpacked(packed, options, (source) => checkOut(git, source, target, options)),
    message: (packed, options) =>
      withUnpacked(packed, options, async ({ path, commit }) => {
        const text = await git.run(['cat-file', 'commit', commit], { ...options, gitDir: path });
        return text.toString('utf8').split('\n\n').slice(1).join('\n\n');
      }),
    contracts: (packed, options) =>
      withUnpacked(packed, options, async ({ path, commit }) => {
        const args = ['ls-tree', '-r', '-z', commit, ...CONTRACT_FOLDERS.map((name) => `${name}/`)];
        const listed = (await git.run(args, { ...options, gitDir: path })).toString('utf8').split('\0');
        const entries = listed.flatMap((entry) => {
          const [, oid = '', name = ''] = /^100(?:644|755) blob ([0-9a-f]+)\t(.+\.ya?ml)$/.exec(entry) ?? [];
          return name === '' ? [] : [{ oid, name }];
        });
        const [name, other] = CONTRACT_FOLDERS.filter((each) => entries.some((one) => one.name.startsWith(`${each}/`)));
        if (name === undefined) return null;
        if (other !== undefined) {
          throw new LonghaulError(
            'InvalidConfiguration',
            `${options.about} has ${name} and ${other} at ${commit}: keep one of the two.`,
          );
        }
        const own = entries.filter((entry) => entry.name.startsWith(`${name}/`)).slice(0, MOST_CONTRACTS);
        return { name, files: await readFiles(path, own, name.length + 1, options) };
      }),
  };

  async function readFiles(
    path: string,
    entries: readonly { readonly oid: string; readonly name: string }[],
    prefix: number,
    { about, signal }: CheckoutOptions,
  ): Promise<ContractFile[]> {
    const format = (entries[0]?.oid.length ?? 40) === 40 ? 'sha1' : 'sha256';
    const reader = await openObjectReader(git, { objects: join(path, 'objects'), format }, { about, signal });
    try {
      const files: ContractFile[] = [];
      const requests = entries.map(({ oid }) => ({ oid, maxBytes: LARGEST_CONTRACT }));
      let at = 0;
      for await (const { content } of reader.read(requests)) {
        const entry = entries[at++];
        if (entry) files.push({ path: entry.name.slice(prefix), text: Buffer.from(content ?? []).toString('utf8') });
      }
      return files;
    } finally {
      reader.close();
    }
  }
}
