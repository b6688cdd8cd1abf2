import { type WeaviateClient } from 'weaviate-client';
import { type Receipt } from '../../domain/catalog/receipt.ts';
import { type ChunkProperties, type CollectionNames } from './schema.ts';
/** One object of the index: a chunk of code with its vector. */
export interface IndexObject {
    readonly id: string;
    readonly properties: Omit<ChunkProperties, 'bucket'>;
    readonly vector: Float32Array;
}
/** One object as a listing shows it. */
export interface InventoryEntry {
    readonly id: string;
    readonly path: string;
}
/** The index in Weaviate: chunks of code, and the receipts that vouch for them. */
export interface IndexStore {
    readonly names: CollectionNames;
    /** Makes and checks the collections; every other method needs it to have run once. */
    prepare(): Promise<void>;
    /**
     * Writes objects, replacing those of the same id. What Weaviate refuses is tried again one by one; throws
     * `IndexIncomplete` with the reason when an object still cannot be stored. Nothing refused counts as written.
     */
    write(objects: readonly IndexObject[]): Promise<void>;
    /** Deletes objects by id; ids that are not there are no error. */
    delete(ids: readonly string[]): Promise<void>;
    /** Deletes every object of a repository and its receipt, the receipt last. Gives the number of objects deleted. */
    deleteRepository(repository: string): Promise<number>;
    /** How many objects a repository has. */
    count(repository: string): Promise<number>;
    /** All objects of a repository by id and path, in pages. */
    inventory(repository: string): AsyncIterable<InventoryEntry[]>;
    /** The ids of the objects of these paths of a repository. */
    idsOfPaths(repository: string, paths: readonly string[]): Promise<string[]>;
    readReceipt(repository: string): Promise<Receipt | null>;
    writeReceipt(receipt: Receipt): Promise<void>;
    /** All receipts, in order of repository ids. */
    receipts(): Promise<Receipt[]>;
}
/** The index called `name`, for objects made under `digest`. */
export declare function createIndexStore(client: WeaviateClient, name: string, digest: string): IndexStore;
