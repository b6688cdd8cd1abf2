import type { Config } from '../../domain/config/config.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { exceptedHosts, PROXY_VARIABLES, ProxyError, proxyOf, variable } from '../../platform/proxy.ts';

/** Variables that name a file with certificate authorities, for Node and for git. */
export const AUTHORITY_FILES: readonly string[] = ['NODE_EXTRA_CA_CERTS', 'GIT_SSL_CAINFO'];
/** The variables that {@link openNetwork} may change. */
const CHANGED = [...AUTHORITY_FILES, 'SSL_CERT_FILE', 'grpc_proxy', 'no_grpc_proxy'];

/** What the network of a process depends on. */
export interface NetworkOptions {
  readonly config: Pick<Config, 'network' | 'providers'>;
  readonly cacheDir: string;
  /** The environment; it is changed, for libraries and child processes that read it. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Makes `fetch`, gRPC and git of this process reach other machines in the same way (docs/configuration.md): through the
 * proxies of the environment, with the certificate authorities that it names. Our own servers on this machine are
 * reached directly. Does nothing when the environment has no such setting. Throws `InvalidConfiguration`.
 */
export async function openNetwork({ config, cacheDir, env }: NetworkOptions): Promise<void> {
  let untrusted: readonly string[] = [];
  if (config.network.authoritiesFromGit || AUTHORITY_FILES.some((name) => env[name])) {
    const { readGitConfiguration, shareAuthorities, trustInNode } = await import('./authorities.ts');
    if (config.network.authoritiesFromGit) await readGitConfiguration(config.providers, env);
    const certificates = await shareAuthorities(cacheDir, env);
    if (!trustInNode(certificates)) untrusted = certificates;
  }
  const isProxied = PROXY_VARIABLES.some((name) => env[name]);
  if (isProxied) {
    checkProxies(env);
    setGrpcProxy(env);
  }
  // libraries look there themselves, whatever the environment of the command is
  if (env !== process.env) for (const name of CHANGED) if (env[name]) process.env[name] = env[name];
  if (isProxied || untrusted.length > 0) {
    const { replaceFetch } = await import('./proxied-fetch.ts');
    replaceFetch(env, untrusted);
  }
}

/** The proxy for requests to an address; null for none. Throws `InvalidConfiguration`. */
export function proxyFor(url: string, env: NodeJS.ProcessEnv): URL | null {
  try {
    return proxyOf(new URL(url), env);
  } catch (error) {
    if (error instanceof ProxyError) throw new LonghaulError('InvalidConfiguration', error.message, { cause: error });
    throw error;
  }
}

function checkProxies(env: NodeJS.ProcessEnv): void {
  for (const scheme of ['http', 'https']) proxyFor(`${scheme}://proxy.invalid`, { ...env, no_proxy: '', NO_PROXY: '' });
}

/** Hosts in the form of grpc-js: the end of a name, or an IPv4 network. */
const THIS_MACHINE = ['localhost', '127.0.0.0/8', '::1'];

/**
 * The variables that grpc-js prefers, which nothing else reads: it knows the others in lower case only. Every gRPC
 * server on this machine is ours: Temporal and Weaviate.
 */
function setGrpcProxy(env: NodeJS.ProcessEnv): void {
  const proxy =
    env['grpc_proxy'] || (variable(env, 'https_proxy') ?? variable(env, 'http_proxy') ?? variable(env, 'all_proxy'));
  if (proxy) env['grpc_proxy'] = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  const excepted = env['no_grpc_proxy'] || exceptedHosts(env);
  const hosts = excepted.split(/[\s,]+/).filter((host) => host !== '');
  // grpc-js has no `*`, but every name ends with the empty one
  env['no_grpc_proxy'] = excepted.trim() === '*' ? ',' : [...new Set([...hosts, ...THIS_MACHINE])].join(',');
}
