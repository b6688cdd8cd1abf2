/** The names of the collections of one build. */
export interface CollectionNames {
  /** The chunks of one digest: each chunker and model has its own collection. */
  readonly chunks: string;
  /** Their receipts. */
  readonly receipts: string;
}

/** The collection names of the index `name` (`index.name` in longhaul.yaml) under a digest. */
export function collectionNames(name: string, digest: string): CollectionNames {
  return { chunks: `${name}Chunk_${digest}`, receipts: `${name}Receipt_${digest}` };
}
