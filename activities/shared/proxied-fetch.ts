import tls from 'node:tls';
import * as undici from 'undici';
import { isReachedDirectly, proxyOf } from '../../platform/proxy.ts';

/**
 * Replaces `fetch` of this process by one that uses the proxies of `env`, which Node's own cannot before version 24, and
 * also trusts `certificates`.
 */
export function replaceFetch(env: NodeJS.ProcessEnv, certificates: readonly string[]): void {
  const connect = certificates.length === 0 ? {} : { ca: [...tls.rootCertificates, ...certificates] };
  const agents = new Map<string, undici.Dispatcher>();
  const open = (proxy: URL | null): undici.Dispatcher => {
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
    override dispatch(options: undici.Dispatcher.DispatchOptions, handler: undici.Dispatcher.DispatchHandler): boolean {
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
