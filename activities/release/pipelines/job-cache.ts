import { isUtf8 } from 'node:buffer';
import type { JobCache } from '../../../domain/release/contracts/pipeline.schema.ts';
import type { RunJobInput } from '../../../domain/release/pipelines/job.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { sha256 } from '../../../platform/sha256.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { archiveFiles, findFiles, openFound, unpackFiles } from './file-archive.ts';

/** A cache of a job at a commit. */
export interface KeyedCache {
  readonly paths: readonly string[];
  /** Where this run looks, the best place first. It saves in the first one. */
  readonly records: readonly string[];
  /** True when one was found. */
  readonly isFound: boolean;
}

/** Folder of the records that name the archive of a cache. */
const FOLDER = 'caches';

/**
 * Restores the caches of a job into its work tree before its first program runs. A cache that is damaged or gone counts
 * as not found.
 *
 * Runs of protected branches use caches that such runs have saved, and no others: the author of another branch decides
 * what is in its caches. Runs of other branches use their own, then the protected ones.
 */
export async function restoreCaches(
  blobs: BlobStore,
  caches: readonly JobCache[],
  input: Pick<RunJobInput, 'repository' | 'branch' | 'packed' | 'isProtected'>,
  folder: string,
): Promise<KeyedCache[]> {
  const places = input.isProtected
    ? ['protected']
    : [`branch-${sha256(input.branch ?? input.packed.commit)}`, 'protected'];
  const keyed: KeyedCache[] = [];
  for (const { key, paths } of caches) {
    const name = await keyOf(folder, key, paths);
    const records = places.map((place) => `${FOLDER}/${sha256(input.repository)}/${place}/${name}`);
    keyed.push({ paths, records, isFound: await restore(blobs, records, folder) });
  }
  return keyed;
}

/** Digest of the files of a key, and of what decides which files the cache has. */
async function keyOf(folder: string, key: readonly string[], paths: readonly string[]): Promise<string> {
  const files = (await findFiles(folder, key)).filter(({ isLink }) => !isLink);
  if (files.length === 0) throw new LonghaulError('InvalidInput', `cache: no file matches the key ${key.join(', ')}.`);
  const contents: [string, string][] = [];
  for (const file of files) {
    const opened = await openFound(folder, file);
    try {
      contents.push([file.path, sha256(await opened.readFile())]);
    } finally {
      await opened.close();
    }
  }
  return sha256(JSON.stringify([process.platform, process.arch, paths, contents]));
}

async function restore(blobs: BlobStore, records: readonly string[], folder: string): Promise<boolean> {
  for (const record of records) {
    const content = await blobs.getRecord(record);
    if (content === null || !isUtf8(content)) continue;
    try {
      await unpackFiles(blobs, Buffer.from(content).toString('utf8'), folder);
      return true;
    } catch (error) {
      if (!(error instanceof LonghaulError) || !['BlobNotFound', 'BlobDamaged'].includes(error.type)) throw error;
      await blobs.deleteRecord(record);
    }
  }
  return false;
}

/** Saves the caches of a job that passed and that were not found. */
export async function saveCaches(
  blobs: BlobStore,
  caches: readonly KeyedCache[],
  options: { readonly folder: string; readonly mostBytes: number; readonly signal: AbortSignal },
): Promise<void> {
  for (const { paths, records, isFound } of caches) {
    const [record] = records;
    if (isFound || record === undefined) continue;
    const archive = await archiveFiles(blobs, { ...options, patterns: paths, about: 'cache' });
    if (archive === null) continue;
    try {
      await blobs.putRecord(record, Buffer.from(archive.digest));
    } catch (error) {
      // a job that ran at the same time saved it first
      if (!(error instanceof LonghaulError) || error.type !== 'RecordExists') throw error;
    }
  }
}
