import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { FetchHttpHandler } from '@smithy/fetch-http-handler';
import type { S3BlobsConfig } from '../../domain/config/blobs.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { reachDirectly } from '../../platform/proxy.ts';
import { type Objects, streamOver } from './objects.ts';

/** Larger contents are uploaded in parts of this size; one part is in memory at a time. */
const PART_BYTES = 16 * 1024 * 1024;
/** For a request with its body until its answer begins: a part is uploaded at a megabit per second. */
const REQUEST_TIMEOUT_MS = 150_000;
/** S3's limit per upload. */
const MOST_PARTS = 10_000;

/**
 * Objects in a bucket. An object becomes visible when it is complete; parts of an interrupted upload are invisible, and
 * the bucket's lifecycle removes them. Credentials come from `env` (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
 * `AWS_SESSION_TOKEN`), otherwise from the role of the pod or machine, as the AWS SDK resolves it.
 */
export function createS3Objects(config: S3BlobsConfig, env: NodeJS.ProcessEnv): Objects {
  const { bucket, prefix, endpoint, region, forcePathStyle } = config;
  const keys = credentialsOf(env);
  // a server on this machine needs no proxy
  if (endpoint !== undefined) reachDirectly(endpoint);
  const client = new S3Client({
    region,
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(keys === null ? {} : { credentials: keys }),
    maxAttempts: 5,
    // not the client's own, which knows neither the proxies nor all authorities of this process (network.ts)
    requestHandler: new FetchHttpHandler({ requestTimeout: REQUEST_TIMEOUT_MS, customFetch: fetchRetryably }),
    // every body is signed with its SHA-256; servers other than Amazon's refuse the newer checksums
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const place = `the bucket ${bucket}${endpoint === undefined ? '' : ` at ${endpoint}`}`;
  const at = (name: string): { Bucket: string; Key: string } => ({ Bucket: bucket, Key: prefix + name });

  /** Sends a request and names the server's refusals. */
  async function ask<Answer>(question: Promise<Answer>): Promise<Answer> {
    try {
      return await question;
    } catch (error) {
      throw failureOfS3(error, place);
    }
  }

  async function putParts(name: string, parts: AsyncIterable<Buffer>): Promise<void> {
    const { UploadId } = await ask(client.send(new CreateMultipartUploadCommand(at(name))));
    try {
      const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
      for await (const Body of parts) {
        const PartNumber = Parts.length + 1;
        const { ETag } = await ask(client.send(new UploadPartCommand({ ...at(name), UploadId, PartNumber, Body })));
        Parts.push({ PartNumber, ETag });
      }
      const MultipartUpload = { Parts };
      await ask(client.send(new CompleteMultipartUploadCommand({ ...at(name), UploadId, MultipartUpload })));
    } catch (error) {
      await client.send(new AbortMultipartUploadCommand({ ...at(name), UploadId })).catch(() => undefined);
      throw error;
    }
  }

  async function* read(body: Readable): AsyncGenerator<Buffer, void> {
    try {
      yield* body as AsyncIterable<Buffer>;
    } catch (error) {
      throw failureOfS3(error, place);
    }
  }

  return {
    place,
    async putFile(name, file, size) {
      if (size > PART_BYTES) return putParts(name, partsOf(file, size));
      for await (const Body of partsOf(file, size)) await ask(client.send(new PutObjectCommand({ ...at(name), Body })));
    },
    async create(name, content) {
      try {
        await client.send(new PutObjectCommand({ ...at(name), Body: content, IfNoneMatch: '*' }));
        return true;
      } catch (error) {
        if ((error as Error).name === 'PreconditionFailed') return false;
        throw failureOfS3(error, place);
      }
    },
    async open(name) {
      try {
        const { Body } = await client.send(new GetObjectCommand(at(name)));
        return streamOver(Body === undefined ? Readable.from([]) : Readable.fromWeb(Body.transformToWebStream()), read);
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return null;
        throw failureOfS3(error, place);
      }
    },
    async has(name) {
      // not HEAD: its answer has no body, so a missing bucket would look like a missing object
      const asked = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix + name, MaxKeys: 1 });
      return (await ask(client.send(asked))).Contents?.[0]?.Key === prefix + name;
    },
    async *list(folder) {
      const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix + folder });
      for (let page = await ask(pages.next()); !page.done; page = await ask(pages.next())) {
        for (const { Key = '' } of page.value.Contents ?? []) yield Key.slice(prefix.length);
      }
    },
    async delete(name) {
      await ask(client.send(new DeleteObjectCommand(at(name))));
    },
  };
}

/** Every request without an answer is sent again: the client knows the codes of Node's sockets, not those of `fetch`. */
async function fetchRetryably(request: string | URL | Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    throw Object.assign(error as Error, { $retryable: {} });
  }
}

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

function credentialsOf(env: NodeJS.ProcessEnv): Keys | null {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env;
  if (!accessKeyId || !secretAccessKey) return null;
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

/** Reads the file in parts, one in memory at a time; an empty file is one empty part. */
async function* partsOf(path: string, size: number): AsyncGenerator<Buffer, void> {
  const bytes = Math.max(PART_BYTES, Math.ceil(size / MOST_PARTS));
  const file = await open(path);
  try {
    for (let from = 0; from === 0 || from < size; from += bytes) {
      const part = Buffer.alloc(Math.min(bytes, size - from));
      for (let read = 0; read < part.length;) {
        const { bytesRead } = await file.read(part, read, part.length - read, from + read);
        if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
        read += bytesRead;
      }
      yield part;
    }
  } finally {
    await file.close();
  }
}

/** The last one is Versity's. */
const REFUSED_KEYS =
  /^(AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|CredentialsProviderError|XAdminUserNotFound)$/;
const WRONG_SETTINGS = /^(NoSuchBucket|PermanentRedirect|AuthorizationHeaderMalformed|InvalidBucketName)$/;
const UNREACHABLE = /^(E[A-Z_]+|TimeoutError|RequestTimeout|InternalError|ServiceUnavailable)$/;

/** Converts an error of the server or network to a named failure; other errors are returned unchanged. */
function failureOfS3(error: unknown, place: string): unknown {
  if (!(error instanceof Error) || error instanceof LonghaulError) return error;
  // `fetch` names the cause only there
  const isOfFetch = error instanceof TypeError && error.cause instanceof Error;
  const { name, message, code = name } = (isOfFetch ? error.cause : error) as NodeJS.ErrnoException;
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
  const said = message === '' || message === 'UnknownError' ? `${name} ${status || code}` : message;
  const named = (type: LonghaulError['type'], what: string): LonghaulError =>
    new LonghaulError(type, `${what} ${place}: ${said.replace(/\.$/, '')}.`, { cause: error });
  if (WRONG_SETTINGS.test(name)) return named('InvalidConfiguration', 'blobs in longhaul.yaml is wrong about');
  if (REFUSED_KEYS.test(name) || status === 401 || status === 403) {
    return named('AuthenticationFailed', 'The AWS credentials in the environment were refused by');
  }
  if (name === 'SlowDown' || status === 429) return named('RateLimited', 'Too many requests to');
  if (isOfFetch || status >= 500 || UNREACHABLE.test(code) || UNREACHABLE.test(name)) {
    return named('ServerUnavailable', 'Cannot reach');
  }
  return error;
}
