import { type WeaviateClient } from 'weaviate-client';
import { LonghaulError } from '../../domain/failures.ts';
/** Where a Weaviate is. */
export interface WeaviateAddress {
    /** Base URL of the REST endpoint. */
    readonly url: string;
    /** `host:port` of the gRPC endpoint; default: the host of `url`, port 50051, or 443 with https. */
    readonly grpc?: string | undefined;
    readonly apiKey?: string | null | undefined;
}
/** A connected client. Throws `ServerUnavailable`, or `AuthenticationFailed` when the key is refused. */
export declare function connectWeaviate({ url, grpc, apiKey }: WeaviateAddress): Promise<WeaviateClient>;
/** True for an error that says nothing about the request: nobody answered, or the answer broke off. */
export declare function isConnectionLoss(error: unknown): boolean;
/** The named failure for an error of the client: refused key, or a server that does not answer. */
export declare function unavailable(error: unknown, url?: string): LonghaulError;
