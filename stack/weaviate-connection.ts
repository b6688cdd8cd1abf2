import { join } from 'node:path';
import { StackError } from './stack-error.ts';

/** Settings for an existing Weaviate, in addition to `WEAVIATE_URL` and `WEAVIATE_GRPC`. */
export interface WeaviateChoice {
  /** Address of its REST API. */
  readonly url?: string | undefined;
  /** `host:port` of its gRPC API. */
  readonly grpc?: string | undefined;
  /** Name of the environment variable with its API key; default `WEAVIATE_API_KEY`. */
  readonly apiKeyEnv?: string | undefined;
  /** Modules that the embedded server enables; none by default. */
  readonly modules?: readonly string[] | undefined;
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

/** The user's own Weaviate; null when neither the environment nor `longhaul.yaml` sets one. */
export function yourWeaviate(choice: WeaviateChoice, env: NodeJS.ProcessEnv): WeaviateTarget | null {
  const url = env['WEAVIATE_URL'] ?? choice.url;
  if (url === undefined || url === '') return null;
  if (!URL.canParse(url)) throw new StackError('WEAVIATE_URL is not a URL: give it as http://host:port.');
  const { protocol, hostname, username, password } = new URL(url);
  if (username !== '' || password !== '') {
    throw new StackError('WEAVIATE_URL contains a user or password: set the key in WEAVIATE_API_KEY.');
  }
  return {
    url: url.replace(/\/+$/, ''),
    grpc: env['WEAVIATE_GRPC'] ?? choice.grpc ?? `${hostname}:${protocol === 'https:' ? 443 : 50_051}`,
    apiKey: env[choice.apiKeyEnv ?? 'WEAVIATE_API_KEY'] ?? null,
  };
}

/** The folder with the data of the embedded server. */
export function embeddedData(dataDir: string): string {
  return join(dataDir, 'weaviate');
}
