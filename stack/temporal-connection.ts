import type { NativeConnectionOptions } from '@temporalio/worker';
import { isLoopback, proxyOf } from '../platform/proxy.ts';
import { messageOf } from '../platform/error-code.ts';
import { StackError } from './stack-error.ts';

/** Further settings for an existing Temporal server, in addition to the environment and `temporal.toml`. */
export interface TemporalChoice {
  /** A profile of `temporal.toml`. */
  readonly profile?: string | undefined;
  /** `host:port`. @default as the environment or the profile says */
  readonly address?: string | undefined;
  /** @default `default`, or as the environment or the profile says */
  readonly namespace?: string | undefined;
}

/** How to reach a Temporal server, with TLS and API key; for connections of clients and workers. */
export interface TemporalTarget {
  readonly connectionOptions: NativeConnectionOptions & { readonly address: string };
  readonly namespace: string;
}

/**
 * The user's own Temporal server: from the environment (`TEMPORAL_ADDRESS`, …), a profile of `temporal.toml`, or
 * `longhaul.yaml`; null when none of them sets an address. Throws {@link StackError} when the profile cannot be read.
 */
export async function yourTemporal(choice: TemporalChoice, env: NodeJS.ProcessEnv): Promise<TemporalTarget | null> {
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  const overrideEnvVars: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) overrideEnvVars[name] = value;
  try {
    const config = loadClientConnectConfig({
      overrideEnvVars,
      ...(choice.profile === undefined ? {} : { profile: choice.profile }),
    });
    const address = config.connectionOptions.address ?? choice.address;
    if (address === undefined) return null;
    return {
      connectionOptions: { ...config.connectionOptions, address },
      namespace: config.namespace ?? choice.namespace ?? 'default',
    };
  } catch (error) {
    throw new StackError(
      `Temporal's profile cannot be read: ${messageOf(error)}. Correct temporal.toml or the profile.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * The options of a worker's connection, with the proxy of the environment unless the server is on this machine: the
 * worker's runtime reads no variables.
 */
export function throughProxy(
  options: TemporalTarget['connectionOptions'],
  env: NodeJS.ProcessEnv,
): TemporalTarget['connectionOptions'] {
  const target = URL.parse(`${options.tls ? 'https' : 'http'}://${options.address}`);
  const proxy = target === null || isLoopback(target.hostname) ? null : proxyOf(target, env);
  if (proxy === null) return options;
  const { username, password, hostname, port } = proxy;
  const basicAuth = { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  return {
    ...options,
    proxy: {
      type: 'http-connect',
      targetHost: `${hostname}:${port || 80}`,
      ...(username === '' ? {} : { basicAuth }),
    },
  };
}
