import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Options of `longhaul worker`. */
export interface WorkerCommandOptions {
  readonly roles: string;
  /** Where metrics and health are served, `host:port`. */
  readonly metricsAddress?: string;
}

/** `longhaul worker`: the worker process, with our signals passed on. Gives its exit code. */
export async function runWorker(
  options: { config?: string; data?: string },
  { roles, metricsAddress }: WorkerCommandOptions,
): Promise<number> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const main = fileURLToPath(new URL(`../../workers/main.${extension}`, import.meta.url));
  const env = {
    ...process.env,
    ...(options.config === undefined ? {} : { LONGHAUL_CONFIG: options.config }),
    ...(options.data === undefined ? {} : { LONGHAUL_DATA_DIR: options.data }),
  };
  const args = [main, '--roles', roles, ...(metricsAddress === undefined ? [] : ['--metrics-address', metricsAddress])];
  const child = spawn(process.execPath, args, { env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
