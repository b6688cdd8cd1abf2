import { Readable } from 'node:stream';
import type { Pipeline } from '../../../domain/release/contracts/pipeline.schema.ts';
import type { RunPlan } from '../../../domain/release/pipelines/plan.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';

/** The plan of a run with the programs of its jobs, as the blob store has it. */
export interface StoredPlan {
  readonly plan: RunPlan;
  readonly pipeline: Pipeline;
}

/** Stores a plan and returns its digest. */
export function storePlan(blobs: BlobStore, stored: StoredPlan): Promise<string> {
  return storeJson(blobs, stored);
}

/** Stores a JSON value in the blob store and returns its digest. */
export function storeJson(blobs: BlobStore, value: unknown): Promise<string> {
  return storeText(blobs, JSON.stringify(value));
}

/** Stores a text in the blob store and returns its digest. */
export async function storeText(blobs: BlobStore, text: string): Promise<string> {
  const { digest } = await blobs.put(Readable.from([Buffer.from(text)]));
  return digest;
}

/** Reads a plan. Throws `BlobNotFound`. */
export async function readPlan(blobs: BlobStore, digest: string): Promise<StoredPlan> {
  return (await readJson(blobs, digest)) as StoredPlan;
}

/** Reads a JSON value from the blob store. Throws `BlobNotFound`. */
export async function readJson(blobs: BlobStore, digest: string): Promise<unknown> {
  return JSON.parse(await readText(blobs, digest)) as unknown;
}

/** Reads a text from the blob store. Throws `BlobNotFound`. */
export async function readText(blobs: BlobStore, digest: string): Promise<string> {
  const content = (await (await blobs.open(digest)).toArray()) as Buffer[];
  return Buffer.concat(content).toString('utf8');
}
