import type { WeaviateClient } from 'weaviate-client';
import { inject } from 'vitest';
import type { CollectionNames } from '../../../activities/index/store/collection-names.ts';
import { connectWeaviate } from '../../../activities/index/store/weaviate.ts';

/** An object of a collection, as stored in Weaviate. */
export interface RawObject {
  readonly id: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly vector: readonly number[];
  /** When Weaviate wrote it last. */
  readonly writtenAt: number;
}

/** An index accessed without the product's code, for comparing and damaging it. */
export interface RawIndex {
  readonly client: WeaviateClient;
  /** All objects of both collections, ordered by id. */
  chunks(): Promise<RawObject[]>;
  receipts(): Promise<RawObject[]>;
  delete(...ids: string[]): Promise<void>;
  /** Writes objects unchanged, replacing those with the same ids. */
  put(...objects: readonly Pick<RawObject, 'id' | 'properties' | 'vector'>[]): Promise<void>;
  /** Changes properties of the receipt of a repository. */
  damageReceipt(repository: string, change: Readonly<Record<string, unknown>>): Promise<void>;
  deleteReceipt(repository: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the collections of an index. */
export async function openRawIndex(names: CollectionNames): Promise<RawIndex> {
  const client = await connectWeaviate(inject('stack').weaviate);
  const read = async (collection: string): Promise<RawObject[]> => {
    const { objects } = await client.collections
      .use(collection)
      .query.fetchObjects({ limit: 10_000, includeVector: true, returnMetadata: ['updateTime'] });
    return objects
      .map(({ uuid, properties, vectors, metadata }) => ({
        id: uuid,
        properties: properties as Record<string, unknown>,
        vector: (vectors['default'] ?? []) as number[],
        writtenAt: metadata?.updateTime?.getTime() ?? 0,
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  };
  const receiptOf = async (repository: string): Promise<RawObject> => {
    const found = (await read(names.receipts)).find(({ properties }) => properties['repository'] === repository);
    if (!found) throw new Error(`there is no receipt of ${repository}`);
    return found;
  };
  const chunks = client.collections.use(names.chunks);
  return {
    client,
    chunks: () => read(names.chunks),
    receipts: () => read(names.receipts),
    async delete(...ids) {
      for (const id of ids) await chunks.data.deleteById(id);
    },
    async put(...objects) {
      const { errors } = await chunks.data.insertMany(
        objects.map(({ id, properties, vector }) => ({
          id,
          properties: properties as Record<string, string>,
          vectors: [...vector],
        })),
      );
      const [error] = Object.values(errors);
      if (error) throw new Error(error.message);
    },
    async damageReceipt(repository, change) {
      const { id, properties } = await receiptOf(repository);
      const { errors } = await client.collections
        .use(names.receipts)
        .data.insertMany([{ id, properties: { ...properties, ...change } as Record<string, string> }]);
      const [error] = Object.values(errors);
      if (error) throw new Error(error.message);
    },
    async deleteReceipt(repository) {
      await client.collections.use(names.receipts).data.deleteById((await receiptOf(repository)).id);
    },
    close: () => client.close(),
  };
}
