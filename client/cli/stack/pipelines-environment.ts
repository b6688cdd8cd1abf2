import type { Config } from '../../../domain/config/config.schema.ts';
import { PROXY_VARIABLES } from '../../../platform/proxy.ts';
import { sessionEnvironment } from '../../../stack/server-environment.ts';

/** What the role `pipelines` uses: addresses and keys of Temporal and the blob store, folders, proxies. */
const NEEDED =
  /^(?:(?:TEMPORAL|AWS|OTEL)_.*|LONGHAUL_(?:CONFIG|(?:CACHE|DATA)_DIR|METRICS_ADDRESS|DEBUG)|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO)$/;

/** The environment of a worker process, and the variables that it reads from its standard input (`--variables -`). */
export interface HandedEnvironment {
  /** Without tokens, keys and addresses: programs of repositories may be able to read it. */
  readonly env: NodeJS.ProcessEnv;
  /** A JSON object. */
  readonly variables: string;
}

/**
 * Divides the environment of a worker of the role `pipelines`. Tokens of forges are in neither part; the secrets of jobs
 * are handed.
 */
export function pipelinesEnvironment(
  full: NodeJS.ProcessEnv,
  { pipelines: { secrets } }: Pick<Config, 'pipelines'>,
): HandedEnvironment {
  const ofJobs = Object.values(secrets).map(({ valueEnv }) => valueEnv);
  const handed = Object.entries(full).filter(
    ([name]) => NEEDED.test(name) || PROXY_VARIABLES.includes(name) || ofJobs.includes(name),
  );
  const level = full['LONGHAUL_LOG_LEVEL'];
  return {
    env: { ...sessionEnvironment(full), ...(level === undefined ? {} : { LONGHAUL_LOG_LEVEL: level }) },
    variables: JSON.stringify(Object.fromEntries(handed)),
  };
}
