import type { ChildSpec } from './child.ts';
import type { FetchOptions } from './server-cache.ts';
import type { ServerProgram } from './temporal.ts';
/** Where an existing Weaviate may be named, besides `WEAVIATE_URL` and `WEAVIATE_GRPC`. */
export interface WeaviateChoice {
    readonly url?: string | undefined;
    readonly grpc?: string | undefined;
    /** Name of the environment variable that holds its API key; default `WEAVIATE_API_KEY`. */
    readonly apiKeyEnv?: string | undefined;
}
/** How to reach a Weaviate server. */
export interface WeaviateTarget {
    /** Base URL of its REST interface, without a slash at the end. */
    readonly url: string;
    /** `host:port` of its gRPC endpoint. */
    readonly grpc: string;
    /** null for a server without authentication. */
    readonly apiKey: string | null;
}
/** The user's own Weaviate; null when neither the environment nor `longhaul.yaml` names one. */
export declare function yourWeaviate(choice: WeaviateChoice, env: NodeJS.ProcessEnv): WeaviateTarget | null;
/** The Weaviate program: installed on PATH, or already fetched; null when neither is there. */
export declare function findWeaviate(cacheDir: string, env: NodeJS.ProcessEnv): Promise<ServerProgram | null>;
/** The Weaviate program, built when it is nowhere. Throws {@link StackError}. */
export declare function obtainWeaviate(options: FetchOptions): Promise<ServerProgram>;
/** The ports that one Weaviate node listens on. */
export interface WeaviatePorts {
    readonly rest: number;
    readonly grpc: number;
    readonly gossip: number;
    /** Must be the number after `gossip`, and busy: see {@link weaviateChild}. */
    readonly data: number;
    readonly raft: number;
    /** Must be the number after `raft`. */
    readonly raftRpc: number;
}
/**
 * How to run one node. All that can be bound to loopback is. Two ports it binds on every interface whatever it is told: gRPC,
 * where nothing is answered without `apiKey`; and `ports.data`, where other nodes of a cluster talk and anybody may remove
 * them (`/v1/cluster/remove` asks for no password). There are no other nodes: keep that port busy, and it serves without it.
 */
export declare function weaviateChild(options: {
    command: string;
    dataDir: string;
    logFile: string;
    env: NodeJS.ProcessEnv;
    ports: WeaviatePorts;
    apiKey: string;
}): ChildSpec;
/** Asks a server for its version. Throws {@link StackError} when it does not answer or refuses the key. */
export declare function weaviateVersion(target: WeaviateTarget): Promise<string>;
