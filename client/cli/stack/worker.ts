import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { statusAddress } from '../../../activities/telemetry/status-server.ts';
import { parseRoles } from '../../../domain/shared/roles.ts';
import type { CliContext } from '../../core/context.ts';
import { stackVariables } from '../../core/stack-variables.ts';
import { pipelinesEnvironment } from './pipelines-environment.ts';

/** Options of `longhaul worker`. */
export interface WorkerCommandOptions {
  readonly roles: string;
  /** Where metrics and health are served, `host:port`. */
  readonly metricsAddress?: string;
}

/**
 * `longhaul worker`: runs the worker process and forwards signals. Where no Temporal is configured, it finds the servers of
 * `longhaul up` on the same data folder. Returns its exit code. Invalid options are refused
 * here, with messages for people. Throws `InvalidInput`, `InvalidConfiguration`.
 */
export async function runWorker(context: CliContext, { roles, metricsAddress }: WorkerCommandOptions): Promise<number> {
  const { config, configPath, dataDir, env, signals } = context;
  const isAlone = parseRoles(roles).includes('pipelines');
  statusAddress(metricsAddress, env);
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const main = fileURLToPath(new URL(`../../../workers/main.${extension}`, import.meta.url));
  const full = {
    ...env,
    ...(await stackVariables(context)),
    ...(configPath === null ? {} : { LONGHAUL_CONFIG: configPath }),
    LONGHAUL_DATA_DIR: dataDir,
  };
  const args = [main, '--roles', roles, ...(metricsAddress === undefined ? [] : ['--metrics-address', metricsAddress])];
  const handed = isAlone ? pipelinesEnvironment(full, config) : null;
  const child =
    handed === null
      ? spawn(process.execPath, args, { env: full, stdio: 'inherit' })
      : spawn(process.execPath, [...args, '--variables', '-'], {
          env: handed.env,
          stdio: ['pipe', 'inherit', 'inherit'],
        });
  child.stdin?.end(handed?.variables);
  const forwarded = (['SIGINT', 'SIGTERM'] as const).map((name) => ({ name, forward: () => void child.kill(name) }));
  for (const { name, forward } of forwarded) signals.on(name, forward);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    for (const { name, forward } of forwarded) signals.off(name, forward);
  }
}
