import { Client, credentials, Metadata } from '@grpc/grpc-js';
import protobuf from 'protobufjs/minimal.js';

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

const LENGTH_DELIMITED = 2;
const FIXED_64 = 1;

/** The tag of a string, bytes or message field. */
const tagOf = (field: number): number => (field << 3) | LENGTH_DELIMITED;

// fields of weaviate/v1/batch.proto
const OBJECTS = tagOf(1);
const UUID = tagOf(1);
const PROPERTIES = tagOf(3);
const COLLECTION = tagOf(4);
const VECTOR_BYTES = tagOf(6);
const SINGLE_VALUES = tagOf(1);
const TEXT_ARRAY = tagOf(6);
const EMPTY_LIST = tagOf(10);
const TEXT = tagOf(1);
const PROPERTY_NAME = tagOf(2);
const ERRORS = tagOf(2);
const ERROR_INDEX = 1 << 3;
const ERROR_TEXT = tagOf(2);
// fields of google/protobuf/struct.proto
const ENTRY = tagOf(1);
const KEY = tagOf(1);
const VALUE = tagOf(2);
const STRING_VALUE = tagOf(3);
const NUMBER_VALUE = (2 << 3) | FIXED_64;

function encodeRequest(collection: string, objects: readonly BatchObject[]): Buffer {
  const out = protobuf.Writer.create();
  for (const { id, properties, vector } of objects) {
    out.uint32(OBJECTS).fork();
    out.uint32(UUID).string(id).uint32(COLLECTION).string(collection);
    out.uint32(VECTOR_BYTES).bytes(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
    out.uint32(PROPERTIES).fork();
    writeProperties(out, Object.entries(properties));
    out.ldelim().ldelim();
  }
  const { buffer, byteOffset, byteLength } = out.finish();
  return Buffer.from(buffer, byteOffset, byteLength);
}

function writeProperties(out: protobuf.Writer, properties: readonly (readonly [string, BatchValue])[]): void {
  out.uint32(SINGLE_VALUES).fork();
  for (const [name, value] of properties) if (typeof value !== 'object') writeEntry(out, name, value);
  out.ldelim();
  for (const [name, value] of properties) {
    if (typeof value !== 'object') continue;
    if (value.length === 0) out.uint32(EMPTY_LIST).string(name);
    else writeTextArray(out, name, value);
  }
}

function writeEntry(out: protobuf.Writer, name: string, value: string | number): void {
  out.uint32(ENTRY).fork().uint32(KEY).string(name).uint32(VALUE).fork();
  if (typeof value === 'string') out.uint32(STRING_VALUE).string(value);
  else out.uint32(NUMBER_VALUE).double(value);
  out.ldelim().ldelim();
}

function writeTextArray(out: protobuf.Writer, name: string, values: readonly string[]): void {
  out.uint32(TEXT_ARRAY).fork();
  for (const value of values) out.uint32(TEXT).string(value);
  out.uint32(PROPERTY_NAME).string(name).ldelim();
}

/** Field 2 of the answer, repeated: the index (1) and the error (2) of an object. Throws when the answer is damaged. */
function refusedIn(reply: Buffer): RefusedObject[] {
  const reader = protobuf.Reader.create(reply);
  const refused: RefusedObject[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === ERRORS) refused.push(readRefused(reader, reader.uint32()));
    else reader.skipType(tag & 7);
  }
  return refused;
}

function readRefused(reader: protobuf.Reader, length: number): RefusedObject {
  const end = reader.pos + length;
  let index = 0;
  let reason = '';
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === ERROR_INDEX) index = reader.int32();
    else if (tag === ERROR_TEXT) reason = reader.string();
    else reader.skipType(tag & 7);
  }
  return { index, reason };
}
