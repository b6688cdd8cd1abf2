import { ApiKey, connectToCustom, type WeaviateClient } from 'weaviate-client';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { reachDirectly } from '../../../platform/proxy.ts';
import { type BatchInsert, openBatchInsert } from './batch-insert.ts';

/** The address of a Weaviate. */
export interface WeaviateAddress {
  /** Base URL of the REST endpoint. */
  readonly url: string;
  /** `host:port` of the gRPC endpoint; default: the host of `url`, port 50051, or 443 with https. */
  readonly grpc?: string | undefined;
  /** Sent as a bearer token. @default none */
  readonly apiKey?: string | null | undefined;
  /** Sent with every request: keys for modules of Weaviate. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The folder with its data, for messages. @default unknown, as for a server on another machine */
  readonly folder?: string | undefined;
}

/** Weaviate's own client, with Longhaul's batch insert. */
export interface IndexClient extends WeaviateClient {
  /** The server as messages name it: its address, and the folder with its data if known. */
  readonly place: string;
  readonly batches: BatchInsert;
}

/** A connected client. Throws `ServerUnavailable`, or `AuthenticationFailed` when the key is refused. */
export async function connectWeaviate({
  url,
  grpc,
  apiKey,
  headers = {},
  folder,
}: WeaviateAddress): Promise<IndexClient> {
  const rest = new URL(url);
  reachDirectly(rest);
  const secure = rest.protocol === 'https:';
  const grpcUrl = new URL(`grpc://${grpc ?? `${rest.hostname}:${secure ? 443 : 50_051}`}`);
  try {
    const client = await connectToCustom({
      httpHost: rest.hostname,
      httpPort: Number(rest.port || (secure ? 443 : 80)),
      httpPath: rest.pathname === '/' ? '' : rest.pathname,
      httpSecure: secure,
      grpcHost: grpcUrl.hostname,
      grpcPort: Number(grpcUrl.port),
      grpcSecure: secure,
      timeout: { init: 10, query: 60, insert: 120 },
      headers: { ...headers },
      ...(apiKey ? { authCredentials: new ApiKey(apiKey) } : {}),
    });
    const batches = openBatchInsert(grpcUrl.host, { secure, apiKey: apiKey ?? null });
    return {
      ...client,
      place: `Weaviate at ${rest.origin}${folder === undefined ? '' : ` with its data in ${folder}`}`,
      batches,
      close: async () => {
        batches.close();
        await client.close();
      },
    };
  } catch (error) {
    throw unavailable(error, rest.origin);
  }
}

/** Throws unless a Weaviate is ready for requests. */
export async function checkWeaviate({ url }: Pick<WeaviateAddress, 'url'>, signal: AbortSignal): Promise<void> {
  reachDirectly(url);
  const response = await fetch(new URL('/v1/.well-known/ready', url), { signal });
  if (!response.ok) throw new Error(`answers ${response.status}`);
}

/** True for an error that says nothing about the request: no answer, or an incomplete one. */
export function isConnectionLoss(error: unknown): boolean {
  const message = error instanceof Error ? error.message : String(error);
  return /UNAVAILABLE|ECONNREFUSED|ECONNRESET|EPIPE|fetch failed|socket hang up|No connection|DEADLINE_EXCEEDED|timed? ?out|leader not found/i.test(
    message,
  );
}

/** True when Weaviate refused the key. */
export function isKeyRefused(error: unknown): boolean {
  return REFUSED_KEY.test(error instanceof Error ? error.message : String(error));
}

/** REST answers 401; gRPC has no separate status for it: `UNKNOWN: extract auth: unauthorized: invalid api key`. */
const REFUSED_KEY = /\b401\b|unauthenticated|unauthorized|anonymous access not enabled/i;

/**
 * The named failure for an error of the client where it has a name: a read-only store, a refused key, a lost
 * connection; else the error itself.
 */
export function failureOfWeaviate(error: unknown, { place = 'Weaviate' }: { readonly place?: string } = {}): unknown {
  if (error instanceof LonghaulError) return error;
  const refused = readOnlyFailure(place, error instanceof Error ? error.message : String(error));
  if (refused !== null) return refused;
  return isKeyRefused(error) || isConnectionLoss(error) ? unavailable(error) : error;
}

/** The failure for a message of Weaviate that its store is read-only, as when its disk is nearly full; else null. */
export function readOnlyFailure(place: string, message: string): LonghaulError | null {
  const reason = /\bread-only due to:? *([^"\n]+)/i.exec(message)?.[1];
  if (reason === undefined) return null;
  return new LonghaulError('WeaviateReadOnly', `${place} accepts no writes, it is read-only: ${reason.trim()}.`);
}

/** The named failure for an error of the client: refused key, or a server that does not answer. */
export function unavailable(error: unknown, url?: string): LonghaulError {
  const message = error instanceof Error ? error.message : String(error);
  const where = url === undefined ? 'Weaviate' : `Weaviate at ${url}`;
  if (isKeyRefused(error)) {
    return new LonghaulError('AuthenticationFailed', `${where} refused the API key.`, { cause: error });
  }
  return new LonghaulError('ServerUnavailable', `${where} does not answer: ${message}`, { cause: error });
}
