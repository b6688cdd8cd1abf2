import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { PackedCommit } from '../../../domain/release/pipelines/job.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { checkOut, type CheckoutOptions, unpackCommit, type UnpackedCommit } from '../../git/checkout.ts';
import type { Git } from '../../git/git.ts';
import { openObjectReader } from '../../git/cat-file.ts';
import { copyTree } from '../../../platform/copy-tree.ts';
import { temporaryPath } from '../../../platform/temporary.ts';
import { untilAborted } from '../../../platform/until-aborted.ts';
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
/** A smaller commit is checked out once, and copied for each job: git takes longer to start than to write it. */
const SMALL_BYTES = 2_000_000;
const LARGEST_CONTRACT = 1_000_000;
const MOST_CONTRACTS = 5_000;

/** An unpacked commit that a process keeps. */
interface KeptCommit extends UnpackedCommit {
  /** The commit as git stores it. */
  readonly text: string;
  /** A checkout that is copied for each job, made by the first one; null for a commit that is too large. */
  readonly template: string | null;
}

/** Creates {@link CommitSources} in a folder of this process. */
export function createCommitSources(git: Git, blobs: BlobStore, folder: string): CommitSources {
  const unpacked = new Map<string, Promise<KeptCommit>>();
  const templates = new Map<string, Promise<void>>();
  const uses = new Map<string, number>();

  async function withUnpacked<Result>(
    packed: PackedCommit,
    { about, signal }: CheckoutOptions,
    work: (source: KeptCommit) => Promise<Result>,
  ): Promise<Result> {
    const key = keyOf(packed);
    return inUse(key, async () => {
      // jobs share the unpacking: it goes on when one of them is cancelled
      const source = await shared(signal, () => once(unpacked, key, () => inUse(key, () => unpack(packed, about))));
      // commit and tree are input of the flow: with another tree, the run would prove what it did not run
      if (!source.text.startsWith(`tree ${packed.tree}\n`)) {
        throw new LonghaulError(
          'InvalidInput',
          `packed: the commit ${packed.commit} does not have the tree ${packed.tree}.`,
        );
      }
      return work(source);
    });
  }

  /** A commit is kept while it is in use, also by work that goes on when those who wait for it are cancelled. */
  async function inUse<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    uses.set(key, (uses.get(key) ?? 0) + 1);
    try {
      return await work();
    } finally {
      uses.set(key, (uses.get(key) ?? 1) - 1);
    }
  }

  async function unpack(packed: PackedCommit, about: string): Promise<KeptCommit> {
    const { commit, pack } = packed;
    await mkdir(folder, { recursive: true });
    await forgetOldest();
    const path = join(folder, `${keyOf(packed)}.git`);
    const source = await unpackCommit(git, path, commit, () => blobs.open(pack), { about });
    const text = (await git.run(['cat-file', 'commit', commit], { about, gitDir: path })).toString('utf8');
    const isSmall = (await bytesOfPacks(path)) <= SMALL_BYTES;
    return { ...source, text, template: isSmall ? join(folder, `${keyOf(packed)}.files`) : null };
  }

  async function makeTemplate(source: UnpackedCommit, template: string, about: string): Promise<void> {
    const making = temporaryPath(template);
    try {
      await checkOut(git, source, making, { about });
      await rename(making, template);
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }

  async function forgetOldest(): Promise<void> {
    const idle = [...unpacked.keys()].filter((key) => (uses.get(key) ?? 0) === 0);
    for (const key of idle.slice(0, Math.max(0, unpacked.size - MOST_KEPT))) {
      unpacked.delete(key);
      templates.delete(key);
      uses.delete(key);
      await rm(join(folder, `${key}.git`), { recursive: true, force: true });
      await rm(join(folder, `${key}.files`), { recursive: true, force: true });
    }
  }

  return {
    checkOut: (packed, target, options) =>
      withUnpacked(packed, options, async (source) => {
        const { template } = source;
        if (template === null) return checkOut(git, source, target, options);
        const make = (): Promise<void> => makeTemplate(source, template, options.about);
        await shared(options.signal, () => once(templates, keyOf(packed), () => inUse(keyOf(packed), make)));
        return copyTree(template, target);
      }),
    message: (packed, options) =>
      withUnpacked(packed, options, ({ text }) => Promise.resolve(text.split('\n\n').slice(1).join('\n\n'))),
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

function keyOf({ pack, commit }: PackedCommit): string {
  return `${pack}-${commit}`;
}

/** Waits for work that goes on when this caller is cancelled. */
function shared<Value>(signal: AbortSignal | undefined, work: () => Promise<Value>): Promise<Value> {
  return signal === undefined ? work() : untilAborted(signal, work());
}

async function bytesOfPacks(repository: string): Promise<number> {
  const folder = join(repository, 'objects', 'pack');
  const files = await Promise.all((await readdir(folder)).map((name) => stat(join(folder, name))));
  return files.reduce((bytes, { size }) => bytes + size, 0);
}
