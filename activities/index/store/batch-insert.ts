import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { createMessageWriter, fieldsOf, fixed64, lengthDelimited } from '../models/protobuf.ts';
import type { MessageWriter } from '../models/protobuf.ts';

/** The possible types of an object's property. */
export type BatchValue = string | number | readonly string[];

/** An object of a batch. */
export interface BatchObject {
  readonly id: string;
  readonly properties: Readonly<Record<string, BatchValue>>;
  readonly vector: Float32Array;
}

/** An object that Weaviate refused. */
export interface RefusedObject {
  /** Its index in the batch. */
  readonly index: number;
  readonly reason: string;
}

/** Weaviate's gRPC method that writes many objects: one request, and one answer that lists the refused objects. */
export interface BatchInsert {
  /**
   * Writes objects, replacing those with the same id, and returns the refused ones. Rejects with the gRPC error when
   * there is no answer within two minutes, and at once when the signal is aborted.
   */
  insert(
    collection: string,
    objects: readonly BatchObject[],
    signal: AbortSignal | undefined,
  ): Promise<RefusedObject[]>;
  /** Closes the connection. Running inserts are rejected. */
  close(): void;
}

const METHOD = '/weaviate.v1.Weaviate/BatchObjects';
const DEADLINE_MS = 120_000;
/** Weaviate's limit. */
const LARGEST_MESSAGE = 104_858_000;

/**
 * Connects to `host:port` on first use. The client's own `insertMany` makes the same call, but takes at least half a
 * second (docs/decisions/0003-weaviate-writes.md).
 */
export function openBatchInsert(
  address: string,
  { secure, apiKey }: { readonly secure: boolean; readonly apiKey: string | null },
): BatchInsert {
  const client = new Client(address, secure ? credentials.createSsl() : credentials.createInsecure(), {
    'grpc.max_send_message_length': LARGEST_MESSAGE,
    // a restarting server is back within seconds
    'grpc.initial_reconnect_backoff_ms': 250,
    'grpc.max_reconnect_backoff_ms': 2_000,
  });
  const metadata = new Metadata();
  if (apiKey) metadata.set('authorization', `Bearer ${apiKey}`);

  return {
    async insert(collection, objects, signal) {
      signal?.throwIfAborted();
      const stopped = new AbortController();
      const reply = new Promise<Buffer>((resolve, reject) => {
        const call = client.makeUnaryRequest<Buffer, Buffer>(
          METHOD,
          (bytes) => bytes,
          (bytes) => bytes,
          encodeRequest(collection, objects),
          metadata,
          { deadline: Date.now() + DEADLINE_MS },
          (error, answer = Buffer.alloc(0)) => {
            stopped.abort();
            if (signal?.aborted) reject(signal.reason as Error);
            else if (error) reject(error);
            else resolve(answer);
          },
        );
        signal?.addEventListener('abort', () => call.cancel(), { once: true, signal: stopped.signal });
      });
      return refusedIn(await reply);
    },
    close: () => client.close(),
  };
}

// fields of weaviate/v1/batch.proto
const OBJECTS = lengthDelimited(1);
const UUID = lengthDelimited(1);
const PROPERTIES = lengthDelimited(3);
const COLLECTION = lengthDelimited(4);
const VECTOR_BYTES = lengthDelimited(6);
const SINGLE_VALUES = lengthDelimited(1);
const TEXT_ARRAY = lengthDelimited(6);
const EMPTY_LIST = lengthDelimited(10);
const TEXT = lengthDelimited(1);
const PROPERTY_NAME = lengthDelimited(2);
// fields of google/protobuf/struct.proto
const ENTRY = lengthDelimited(1);
const KEY = lengthDelimited(1);
const VALUE = lengthDelimited(2);
const STRING_VALUE = lengthDelimited(3);
const NUMBER_VALUE = fixed64(2);

function encodeRequest(collection: string, objects: readonly BatchObject[]): Buffer {
  const out = createMessageWriter();
  for (const { id, properties, vector } of objects) {
    out.message(OBJECTS, () => {
      out.string(UUID, id);
      out.string(COLLECTION, collection);
      out.bytes(VECTOR_BYTES, new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
      out.message(PROPERTIES, () => writeProperties(out, Object.entries(properties)));
    });
  }
  return out.written();
}

function writeProperties(out: MessageWriter, properties: readonly (readonly [string, BatchValue])[]): void {
  out.message(SINGLE_VALUES, () => {
    for (const [name, value] of properties) if (typeof value !== 'object') writeEntry(out, name, value);
  });
  for (const [name, value] of properties) {
    if (typeof value !== 'object') continue;
    if (value.length === 0) out.string(EMPTY_LIST, name);
    else writeTextArray(out, name, value);
  }
}

function writeEntry(out: MessageWriter, name: string, value: string | number): void {
  out.message(ENTRY, () => {
    out.string(KEY, name);
    out.message(VALUE, () => {
      if (typeof value === 'string') out.string(STRING_VALUE, value);
      else out.double(NUMBER_VALUE, value);
    });
  });
}

function writeTextArray(out: MessageWriter, name: string, values: readonly string[]): void {
  out.message(TEXT_ARRAY, () => {
    for (const value of values) out.string(TEXT, value);
    out.string(PROPERTY_NAME, name);
  });
}

/** Field 2 of the answer, repeated: the index (1) and the error (2) of an object. */
function refusedIn(reply: Buffer): RefusedObject[] {
  return fieldsOf(reply).flatMap(({ number, value }) => {
    if (number !== 2 || typeof value === 'number') return [];
    const fields = new Map(fieldsOf(value).map((field) => [field.number, field.value]));
    return { index: Number(fields.get(1) ?? 0), reason: String(fields.get(2) ?? '') };
  });
}
