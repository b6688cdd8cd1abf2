import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import tls from 'node:tls';
import type { Dispatcher } from 'undici';
import type { Config } from '../../domain/config/config.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { pick, runProgram } from '../../platform/program.ts';
import {
  exceptedHosts,
  isReachedDirectly,
  PROXY_VARIABLES,
  ProxyError,
  proxyOf,
  variable,
} from '../../platform/proxy.ts';
import { sha256 } from '../../platform/sha256.ts';
import { writeWhole } from '../../platform/whole-file.ts';

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
  if (config.network.authoritiesFromGit) await readGitConfiguration(config.providers, env);
  const certificates = await shareAuthorities(cacheDir, env);
  const proxied = PROXY_VARIABLES.some((name) => env[name]);
  if (proxied) {
    checkProxies(env);
    setGrpcProxy(env);
  }
  // read by libraries that look there themselves, whatever the environment of the command is
  if (env !== process.env) Object.assign(process.env, pick(env, [...GRPC_VARIABLES, ...AUTHORITY_VARIABLES]));
  const trusts = certificates.length === 0 || trustInNode(certificates);
  if (proxied || !trusts) await replaceFetch(env, trusts ? [] : certificates);
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

const GRPC_VARIABLES = ['grpc_proxy', 'no_grpc_proxy'];
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

/** Variables that name a file with certificate authorities, for Node and for git; git's replaces the system's set. */
const AUTHORITY_FILES = ['NODE_EXTRA_CA_CERTS', 'GIT_SSL_CAINFO'];
/** These, and what other libraries and programs read. */
const AUTHORITY_VARIABLES = [...AUTHORITY_FILES, 'SSL_CERT_FILE'];
/** The set of the system: Debian, Red Hat, SUSE, Alpine and macOS. */
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Writes the system's authorities and those that the environment names to one file, and lets every variable that is not
 * set yet, and git's, name it. Returns those that the environment names.
 */
async function shareAuthorities(cacheDir: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const given = await Promise.all(AUTHORITY_FILES.map((name) => certificatesIn(env[name])));
  const extra = [...new Set(given.flat())];
  if (extra.length === 0) return [];
  const system = SYSTEM_FILES.find((file) => existsSync(file));
  const all = new Set([...(system === undefined ? tls.rootCertificates : await certificatesIn(system)), ...extra]);
  const text = `${[...all].join('\n')}\n`;
  const file = join(cacheDir, 'authorities', `${sha256(text).slice(0, 32)}.pem`);
  if (!existsSync(file)) await writeWhole(file, text, { durable: false });
  env['GIT_SSL_CAINFO'] = file;
  for (const name of AUTHORITY_VARIABLES) env[name] ||= file;
  return extra;
}

/** The certificates in a file; none when there is no such file: `doctor` reports that. */
async function certificatesIn(file: string | undefined): Promise<string[]> {
  if (!file) return [];
  const text = await readFile(file, 'utf8').catch(() => '');
  return (text.match(CERTIFICATE) ?? []).map((certificate) => certificate.replaceAll('\r\n', '\n'));
}

/** The files that the environment names, and how many authorities are in each: 0 when it cannot be read. */
export async function authoritiesIn(env: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, number>> {
  const files = [...new Set(AUTHORITY_FILES.flatMap((name) => env[name] || []))];
  const found = await Promise.all(files.map(async (file) => [file, (await certificatesIn(file)).length] as const));
  return new Map(found);
}

/** Adds authorities to those of all TLS connections of this process. False before Node 22.19, which cannot. */
function trustInNode(certificates: readonly string[]): boolean {
  // missing in Node 22.18
  const { setDefaultCACertificates, getCACertificates } = tls as Partial<typeof tls>;
  if (setDefaultCACertificates === undefined || getCACertificates === undefined) return false;
  setDefaultCACertificates([...new Set([...getCACertificates('default'), ...certificates])]);
  return true;
}

/** Sets `GIT_SSL_CAINFO` to what `http.sslCAInfo` of the user's or the system's git configuration says for the forges. */
async function readGitConfiguration(providers: Config['providers'], env: NodeJS.ProcessEnv): Promise<void> {
  if (env['GIT_SSL_CAINFO']) return;
  const visible = pick(env, ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM']);
  for (const provider of providers) {
    if (!('url' in provider)) continue;
    for (const where of ['--global', '--system']) {
      const args = ['config', where, '--includes', '--type=path', '--get-urlmatch', 'http.sslCAInfo', provider.url];
      const { code, stdout } = await runProgram('git', args, { env: visible, timeoutMs: 10_000 });
      const file = stdout.trim();
      if (code !== 0 || file === '') continue;
      env['GIT_SSL_CAINFO'] = file;
      return;
    }
  }
}

/** Replaces `fetch` by one that uses proxies; Node's own cannot before version 24. */
async function replaceFetch(env: NodeJS.ProcessEnv, certificates: readonly string[]): Promise<void> {
  const undici = await import('undici');
  const connect = certificates.length === 0 ? {} : { ca: [...tls.rootCertificates, ...certificates] };
  const agents = new Map<string, Dispatcher>();
  const open = (proxy: URL | null): Dispatcher => {
    if (proxy === null) return new undici.Agent({ connect });
    const { username, password } = proxy;
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
      'base64',
    );
    const uri = new URL(proxy);
    uri.username = '';
    uri.password = '';
    const isSocks = proxy.protocol.startsWith('socks');
    return new undici.ProxyAgent({
      // names are resolved by the proxy in any case
      uri: isSocks ? proxy.href.replace(/^socks5?h?:/, 'socks5:') : uri.href,
      // as curl: CONNECT for https only
      proxyTunnel: false,
      requestTls: connect,
      proxyTls: connect,
      ...(username === '' || isSocks ? {} : { token: `Basic ${credentials}` }),
    });
  };
  class ByAddress extends undici.Dispatcher {
    override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
      const target = new URL(String(options.origin));
      const proxy = isReachedDirectly(target) ? null : proxyOf(target, env);
      const key = proxy?.href ?? '';
      const agent = agents.get(key) ?? open(proxy);
      agents.set(key, agent);
      return agent.dispatch(options, handler);
    }
  }
  undici.setGlobalDispatcher(new ByAddress());
  undici.install();
}
