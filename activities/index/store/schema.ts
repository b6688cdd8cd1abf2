import weaviate, { type WeaviateClient } from 'weaviate-client';
import type { CollectionNames } from './collection-names.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { sha256 } from '../../../platform/sha256.ts';

/** Part of every object's identity: raise it when the meaning of a property, or the skip rules, change. */
const SCHEMA_VERSION = 2;

/** Digest of everything that an index depends on in addition to git, 16 hex digits. */
export function indexDigest(analyzer: string, maxFileBytes: number): string {
  return sha256(`${analyzer} schema-${SCHEMA_VERSION} max-${maxFileBytes}`).slice(0, 16);
}

/** The properties of one chunk of code, as Weaviate stores them. */
export type ChunkProperties = {
  repo: string;
  path: string;
  language: string;
  blob: string;
  ordinal: number;
  /** First byte of the object's id: listings of any size are read in pages by it. */
  bucket: number;
  /** The refs that hold this object. */
  refs: string[];
  text: string;
  /** Split and stemmed words of the text, its path, and the definitions in and around it: searched by BM25. */
  stems: string;
  pathStems: string;
  scopeStems: string;
  symbols: string[];
  /** Names that the chunk declares, extends or exports again without defining them. */
  declares: string[];
  startLine: number;
  endLine: number;
};

/** The properties of a receipt, as Weaviate stores them. */
export type ReceiptProperties = {
  repository: string;
  ref: string;
  cloneUrl: string;
  /** Empty when the provider has none. */
  uid: string;
  branch: string;
  commit: string;
  tree: string;
  timestamp: string;
  digest: string;
  files: number;
  objects: number;
  xor: string;
  indexedAt: string;
  pending: string;
  branches?: string[];
};

/** One property of a collection, in the client's format. */
interface Property {
  readonly name: string;
  readonly dataType: 'text' | 'text[]' | 'int';
  readonly tokenization?: 'field' | 'word';
  readonly indexFilterable?: boolean;
  readonly indexSearchable?: boolean;
  readonly indexRangeFilters?: boolean;
}

/**
 * How many candidates Weaviate keeps while it searches the graph of vectors (`dynamicEfMax`). Its default of 500 takes a
 * third more processor time and finds 3 % more of the hundred nearest vectors, which changes no figure of docs/search.md.
 */
const GRAPH_CANDIDATES = 200;

type CreateCollection = Parameters<WeaviateClient['collections']['create']>[0];

const stored = (name: string, dataType: 'text' | 'text[]' | 'int' = 'text'): Property =>
  dataType === 'int'
    ? { name, dataType, indexFilterable: false }
    : { name, dataType, tokenization: 'field', indexFilterable: false, indexSearchable: false };
const filtered = (name: string, dataType: 'text' | 'text[]' = 'text'): Property => ({
  name,
  dataType,
  tokenization: 'field',
  indexSearchable: false,
});
const searched = (name: string): Property => ({
  name,
  dataType: 'text',
  tokenization: 'word',
  indexFilterable: false,
});

const CHUNK_PROPERTIES: readonly Property[] = [
  filtered('repo'),
  filtered('path'),
  filtered('language'),
  stored('blob'),
  stored('ordinal', 'int'),
  { name: 'bucket', dataType: 'int', indexFilterable: false, indexRangeFilters: true },
  filtered('refs', 'text[]'),
  stored('text'),
  searched('stems'),
  searched('pathStems'),
  searched('scopeStems'),
  stored('symbols', 'text[]'),
  stored('declares', 'text[]'),
  stored('startLine', 'int'),
  stored('endLine', 'int'),
];

const RECEIPT_PROPERTIES: readonly Property[] = [
  filtered('repository'),
  filtered('ref'),
  ...['cloneUrl', 'uid', 'branch', 'commit', 'tree', 'timestamp', 'digest'].map((name) => stored(name)),
  stored('files', 'int'),
  stored('objects', 'int'),
  stored('xor'),
  stored('indexedAt'),
  stored('pending'),
  stored('branches', 'text[]'),
];

/**
 * Creates missing collections and adds properties that an older version did not have. Idempotent, and safe in several
 * workers concurrently. `description` is only written when the chunks collection is created. Throws `SchemaMismatch`
 * when a collection of that name has other properties.
 */
export async function ensureSchema(client: WeaviateClient, names: CollectionNames, description: string): Promise<void> {
  const inverted = weaviate.configure.invertedIndex({
    bm25b: 0.75,
    bm25k1: 1.2,
    stopwordsPreset: 'none',
  });
  await ensureCollection(client, {
    name: names.receipts,
    description: `Longhaul receipts, schema ${SCHEMA_VERSION}`,
    properties: RECEIPT_PROPERTIES,
    vectorizers: weaviate.configure.vectors.selfProvided({
      vectorIndexConfig: weaviate.configure.vectorIndex.flat(),
    }),
  });
  // last, because a build exists once its chunks do
  await ensureCollection(client, {
    name: names.chunks,
    description,
    properties: CHUNK_PROPERTIES,
    invertedIndex: inverted,
    vectorizers: weaviate.configure.vectors.selfProvided({
      vectorIndexConfig: weaviate.configure.vectorIndex.hnsw({
        distanceMetric: 'cosine',
        dynamicEfMax: GRAPH_CANDIDATES,
        quantizer: weaviate.configure.vectorIndex.quantizer.none(),
      }),
    }),
  });
}

async function ensureCollection(
  client: WeaviateClient,
  requested: Omit<NonNullable<CreateCollection>, 'properties'> & { name: string; properties: readonly Property[] },
): Promise<void> {
  if (!(await client.collections.exists(requested.name))) {
    try {
      await client.collections.create(requested as CreateCollection);
      return;
    } catch (error) {
      // another worker may have created it first
      if (!(await client.collections.exists(requested.name))) throw error;
    }
  }
  const collection = client.collections.use(requested.name);
  const present = new Map((await collection.config.get()).properties.map((property) => [property.name, property]));
  for (const property of requested.properties) {
    const found = present.get(property.name);
    if (found === undefined) {
      await collection.config.addProperty(property);
      continue;
    }
    const { tokenization } = property;
    const sameTokens = tokenization === undefined || found.tokenization === tokenization;
    if (found.dataType !== property.dataType || !sameTokens) {
      throw new LonghaulError(
        'SchemaMismatch',
        `Collection ${requested.name} in Weaviate has a property ${property.name} of type ${found.dataType}/${found.tokenization}, ` +
          `not ${property.dataType}/${tokenization ?? 'none'}.`,
      );
    }
  }
}
