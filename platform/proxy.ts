import { BlockList, isIP } from 'node:net';

/** The variables that name proxies, in both cases. */
export const PROXY_VARIABLES: readonly string[] = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap(
  (name) => [name, name.toUpperCase()],
);

/** An address in a proxy variable that is none. */
export class ProxyError extends Error {
  /** Names the error in logs. */
  override readonly name = 'ProxyError';
}

/**
 * The proxy for requests to an address, as libcurl, and therefore git, chooses it; null for none. In addition
 * `HTTP_PROXY` counts like `http_proxy`, which libcurl reads in lower case only. Throws {@link ProxyError}.
 */
export function proxyOf({ protocol, hostname }: URL, env: NodeJS.ProcessEnv): URL | null {
  const name = `${protocol.slice(0, -1)}_proxy`;
  const given = variable(env, name) ?? variable(env, 'all_proxy');
  if (given === null || isExcepted(hostname, exceptedHosts(env))) return null;
  const proxy = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`);
  if (proxy === null || proxy.hostname === '') {
    throw new ProxyError(
      `The variable ${name} or all_proxy is not the address of a proxy: give it as http://host:port.`,
    );
  }
  if (!/^(?:https?|socks5h?|socks):$/.test(proxy.protocol)) {
    throw new ProxyError(`The proxy ${shownProxy(proxy)} has an unknown protocol: use http, https or socks5.`);
  }
  // libcurl's default
  if (proxy.protocol !== 'https:' && !/:\d+\/?$/.test(given)) proxy.port = '1080';
  return proxy;
}

/** A proxy without its credentials, as it may be shown. */
export function shownProxy(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`;
}

/** The value of a variable in lower or else upper case; null when it is missing or empty. */
export function variable(env: NodeJS.ProcessEnv, name: string): string | null {
  return env[name] || env[name.toUpperCase()] || null;
}

/** The hosts in `no_proxy`; git takes the lower case also when it is empty. */
export function exceptedHosts(env: NodeJS.ProcessEnv): string {
  return env['no_proxy'] ?? env['NO_PROXY'] ?? '';
}

/** True when `no_proxy` excepts a host: a name covers what is below it, an address may be a network. */
function isExcepted(hostname: string, list: string): boolean {
  if (list.trim() === '*') return true;
  const host = plain(hostname);
  const family = isIP(host);
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '') return false;
    if (family !== 0) return isAddressIn(host, entry);
    const name = plain(entry).replace(/^\./, '');
    return name !== '' && (host === name || host.endsWith(`.${name}`));
  });
}

function isAddressIn(host: string, entry: string): boolean {
  const [network = '', bits] = entry.split('/');
  const address = plain(network);
  if (isIP(address) === 0 || isIP(address) !== isIP(host)) return false;
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  const most = family === 'ipv4' ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > most) return false;
  const networks = new BlockList();
  networks.addSubnet(address, prefix, family);
  return networks.check(host, family);
}

/** Without the brackets of an IPv6 address and the dot at the end, in lower case. */
function plain(host: string): string {
  return host
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
}

/** True for a host that is this machine. */
export function isLoopback(hostname: string): boolean {
  const host = plain(hostname);
  return host === 'localhost' || host.endsWith('.localhost') || isAddressIn(host, '127.0.0.0/8') || host === '::1';
}

/** Origins of our own servers on this machine. */
const ours = new Set<string>();

/** Requests of `fetch` to this address never use a proxy, if it is on this machine: one of our own servers is there. */
export function reachDirectly(url: string | URL): void {
  const { origin, hostname } = new URL(url);
  if (isLoopback(hostname)) ours.add(origin);
}

/** True for an address that was given to {@link reachDirectly}. */
export function isReachedDirectly({ origin }: URL): boolean {
  return ours.has(origin);
}
