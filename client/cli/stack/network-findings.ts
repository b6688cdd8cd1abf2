import { namedAuthorities } from '../../../activities/shared/authorities.ts';
import { proxyFor } from '../../../activities/shared/network.ts';
import type { S3BlobsConfig } from '../../../domain/config/blobs.schema.ts';
import { isLoopback, PROXY_VARIABLES, shownProxy } from '../../../platform/proxy.ts';
import type { CliContext } from '../../core/context.ts';
import type { Finding } from '../commands.ts';
import { fine, wrong } from '../finding.ts';

/** How other machines are reached: the proxy of each forge, and the certificate authorities. */
export function networkFindings(context: CliContext): Finding[] {
  return [proxyFinding(context), authoritiesFinding()];
}

/** The ways to forges, the bucket and the collector. Passwords in the address of a proxy are not shown. */
function proxyFinding({ config, env }: CliContext): Finding {
  const name = 'proxy';
  if (!PROXY_VARIABLES.some((variable) => env[variable])) return fine(name, 'none: no variable names one');
  const forges = config.providers.flatMap((provider) => {
    if (!('url' in provider)) return [];
    const { url } = provider;
    const urls = 'apiUrl' in provider && provider.apiUrl !== undefined ? [url, provider.apiUrl] : [url];
    const ways = [...new Set(urls.map((each) => wayTo(each, env)))];
    return [`${provider.name} ${ways.join(' and ')}`];
  });
  const others = [
    ...(config.blobs.type === 's3' ? [['blobs', addressOf(config.blobs)] as const] : []),
    ...TRACES.flatMap((variable) => (env[variable] ? [['traces', env[variable]] as const] : [])).slice(0, 1),
  ].map(([what, url]) => `${what} ${isLoopback(new URL(url).hostname) ? directly(url) : wayTo(url, env)}`);
  const ways = [...forges, ...others];
  return fine(name, ways.length === 0 ? 'in the environment, for no forge' : ways.join(', '));
}

/** The variables of the collector; the first wins. */
const TRACES = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];

function addressOf({ endpoint, region }: S3BlobsConfig): string {
  return endpoint ?? `https://s3.${region}.amazonaws.com`;
}

function directly(url: string): string {
  return `directly to ${new URL(url).host}`;
}

function wayTo(url: string, env: NodeJS.ProcessEnv): string {
  const proxy = proxyFor(url, env);
  return proxy === null ? directly(url) : `to ${new URL(url).host} through ${shownProxy(proxy)}`;
}

function authoritiesFinding(): Finding {
  const name = 'certificate authorities';
  const files = [...namedAuthorities()];
  const unusable = files.filter(([, count]) => count === 0).map(([file]) => file);
  if (unusable.length > 0) {
    return wrong(
      name,
      `${unusable.join(', ')} cannot be read, or has no certificate`,
      'Correct NODE_EXTRA_CA_CERTS or GIT_SSL_CAINFO: a file in PEM format.',
    );
  }
  const extra = files.map(([file, count]) => `${count} of ${file}`);
  return fine(name, ["the system's", ...extra].join(', '));
}
