import type { ChildSpec } from './child.ts';
import { poll } from './child.ts';
import { fetchWeaviate, PINNED_WEAVIATE } from './fetch-weaviate.ts';
import { findOnPath, pick, runProgram } from '../platform/program.ts';
import { findCached } from './server-cache.ts';
import type { FetchOptions } from './server-cache.ts';
import { PROXY_VARIABLES, reachDirectly } from '../platform/proxy.ts';
import { messageOf } from '../platform/error-code.ts';
import { StackError } from './stack-error.ts';
import { embeddedData, type WeaviateTarget } from './weaviate-connection.ts';
import type { ServerProgram } from './temporal.ts';

/** The Weaviate program: installed on PATH, or already fetched; null when there is none. */
export async function findWeaviate(cacheDir: string, env: NodeJS.ProcessEnv): Promise<ServerProgram | null> {
  for (const name of ['weaviate', 'weaviate-server']) {
    const installed = await findOnPath(name, env);
    if (installed === null) continue;
    // It has no --version; this check excludes another program of the same name. The version is read when it runs.
    const help = await runProgram(installed, ['--help'], { env, timeoutMs: 20_000 });
    if (help.code === 0 && `${help.stdout}${help.stderr}`.includes('Weaviate')) {
      return { command: installed, source: 'installed', version: null };
    }
  }
  const cached = await findCached(PINNED_WEAVIATE, cacheDir);
  return cached === null ? null : { command: cached, source: 'fetched', version: PINNED_WEAVIATE.version };
}

/** The Weaviate program, built if needed. Throws {@link StackError}. */
export async function obtainWeaviate(options: FetchOptions): Promise<ServerProgram> {
  const found = await findWeaviate(options.cacheDir, options.env);
  if (found !== null) return found;
  return { command: await fetchWeaviate(options), source: 'fetched', version: PINNED_WEAVIATE.version };
}

/** The ports that one Weaviate node listens on. */
export interface WeaviatePorts {
  readonly rest: number;
  readonly grpc: number;
  readonly gossip: number;
  /** Must be the number after `gossip`, and occupied: see {@link weaviateChild}. */
  readonly data: number;
  readonly raft: number;
  /** Must be the number after `raft`. */
  readonly raftRpc: number;
}

/**
 * How to run one node, on loopback as far as possible. It always binds two ports on every interface: gRPC, which
 * answers only with `apiKey`; and `ports.data`, where the nodes of a cluster talk and anyone can remove one
 * (`/v1/cluster/remove` needs no password). There are no other nodes: occupy that port, and it runs without it.
 */
export function weaviateChild(options: {
  command: string;
  dataDir: string;
  logFile: string;
  env: NodeJS.ProcessEnv;
  ports: WeaviatePorts;
  apiKey: string;
  modules: readonly string[];
  /** The environment with the proxies for modules. */
  proxies: NodeJS.ProcessEnv;
}): ChildSpec {
  const { ports, apiKey } = options;
  const target = { url: `http://127.0.0.1:${ports.rest}`, grpc: `127.0.0.1:${ports.grpc}`, apiKey };
  return {
    name: 'weaviate',
    command: options.command,
    args: ['--scheme', 'http', '--host', '127.0.0.1', '--port', String(ports.rest)],
    env: {
      ...options.env,
      ...nodeSettings(embeddedData(options.dataDir), ports),
      ...authentication(apiKey),
      ENABLE_MODULES: options.modules.join(','),
      // for requests of modules; programs in Go reach this machine directly
      ...(options.modules.length === 0 ? {} : pick(options.proxies, PROXY_VARIABLES)),
    },
    logFile: options.logFile,
    readyTimeout: 180_000,
    stopTimeout: 20_000,
    ready: async (signal) => {
      await poll(async () => ((await isReady(target, signal)) ? true : null), signal);
      // The key distinguishes our server from another one that took the port in the meantime.
      await weaviateVersion(target);
    },
  };
}

function nodeSettings(dataPath: string, ports: WeaviatePorts): NodeJS.ProcessEnv {
  return {
    PERSISTENCE_DATA_PATH: dataPath,
    // Keeps searches fast after a bulk write (without it 100 ms and more for most of a minute).
    PERSISTENCE_MEMTABLES_FLUSH_DIRTY_AFTER_SECONDS: '5',
    GRPC_PORT: String(ports.grpc),
    CLUSTER_HOSTNAME: 'node1',
    CLUSTER_IN_LOCALHOST: 'true',
    CLUSTER_BIND_ADDR: '127.0.0.1',
    CLUSTER_ADVERTISE_ADDR: '127.0.0.1',
    CLUSTER_GOSSIP_BIND_PORT: String(ports.gossip),
    CLUSTER_DATA_BIND_PORT: String(ports.data),
    RAFT_BOOTSTRAP_EXPECT: '1',
    RAFT_JOIN: 'node1',
    RAFT_PORT: String(ports.raft),
    RAFT_INTERNAL_RPC_PORT: String(ports.raftRpc),
    // A single node elects itself: ready in 3 s instead of 10.
    RAFT_HEARTBEAT_TIMEOUT: '1',
    RAFT_ELECTION_TIMEOUT: '1',
    RAFT_TIMEOUTS_MULTIPLIER: '1',
    DISABLE_TELEMETRY: 'true',
    // a late write must not recreate a deleted collection
    AUTOSCHEMA_ENABLED: 'false',
    API_BASED_MODULES_DISABLED: 'true',
    GO_PROFILING_DISABLE: 'true',
    DEFAULT_VECTORIZER_MODULE: 'none',
    QUERY_DEFAULTS_LIMIT: '25',
    LOG_LEVEL: 'warning',
    LOG_FORMAT: 'json',
  };
}

function authentication(apiKey: string): NodeJS.ProcessEnv {
  return {
    AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED: 'false',
    AUTHENTICATION_APIKEY_ENABLED: 'true',
    AUTHENTICATION_APIKEY_ALLOWED_KEYS: apiKey,
    AUTHENTICATION_APIKEY_USERS: 'longhaul',
    AUTHORIZATION_ADMINLIST_ENABLED: 'true',
    AUTHORIZATION_ADMINLIST_USERS: 'longhaul',
  };
}

async function isReady(target: WeaviateTarget, signal: AbortSignal): Promise<boolean> {
  reachDirectly(target.url);
  try {
    return (await fetch(`${target.url}/v1/.well-known/ready`, { signal })).ok;
  } catch {
    return false;
  }
}

/** The collections whose store is read-only, as after its disk became too full. Empty when the server does not say. */
export async function readOnlyCollections(target: WeaviateTarget): Promise<string[]> {
  reachDirectly(target.url);
  const response = await fetch(`${target.url}/v1/nodes?output=verbose`, {
    headers: authorizationOf(target),
    signal: AbortSignal.timeout(5000),
  });
  const answer = (await response.json().catch(() => null)) as {
    nodes?: { shards?: { class: string; vectorIndexingStatus: string }[] | null }[];
  } | null;
  const shards = answer?.nodes?.flatMap((node) => node.shards ?? []) ?? [];
  const readOnly = shards.filter(({ vectorIndexingStatus }) => vectorIndexingStatus === 'READONLY');
  return [...new Set(readOnly.map((shard) => shard.class))].sort();
}

function authorizationOf({ apiKey }: WeaviateTarget): Record<string, string> {
  return apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
}

/** Reads a server's version. Throws {@link StackError} when it does not answer or refuses the key. */
export async function weaviateVersion(target: WeaviateTarget): Promise<string> {
  reachDirectly(target.url);
  const response = await fetch(`${target.url}/v1/meta`, {
    headers: authorizationOf(target),
    signal: AbortSignal.timeout(5000),
  }).catch((error: unknown) => {
    const reason = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    throw new StackError(`No Weaviate answers at ${target.url} (${reason}): start it or correct the address.`, {
      cause: error,
    });
  });
  if (response.status === 401 || response.status === 403) {
    throw new StackError(`Weaviate at ${target.url} refuses the API key: set a valid one.`);
  }
  const answer = (await response.json().catch(() => null)) as { version?: unknown } | null;
  if (!response.ok || typeof answer?.version !== 'string') {
    throw new StackError(
      `The server at ${target.url} is not a Weaviate (status ${response.status}): correct the address.`,
    );
  }
  return answer.version;
}
