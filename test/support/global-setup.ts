import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { workflowSources } from '../../workers/workflow-sources.ts';
import type { TestProject } from 'vitest/node';
import { loadConfig } from '../../activities/shared/config.ts';
import { withPostgres } from '../../platform/postgres-client.ts';
import { registerSearchAttributes } from '../../stack/search-attributes.ts';
import { readSecret } from '../../stack/secret.ts';
import { startStack } from '../../stack/stack.ts';
import { withTemporal } from '../../stack/temporal.ts';
import { namespaceOf } from './namespace.ts';

/** The servers that all real tests of one run share. */
export interface TestStack {
  readonly temporalAddress: string;
  readonly temporalUiUrl: string;
  readonly weaviate: { readonly url: string; readonly grpc: string; readonly apiKey: string | null };
  /** The login of PostgreSQL's superuser, who creates a database for each test file. */
  readonly superuserUrl: string;
  readonly modelFolder: string;
  readonly cacheDir: string;
  readonly workflowBundle: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    stack: TestStack;
  }
}

function superuserUrl(address: string, dataDir: string): string {
  return `postgres://postgres:${readSecret(join(dataDir, 'postgres.key')) ?? ''}@${address}/postgres`;
}

/**
 * Starts one real stack in a temporary folder for the whole run, with a namespace for each process of tests. What is
 * fetched or built goes to the user's cache, so that only the first run on a machine waits for it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { cacheDir } = loadConfig({ env: process.env });
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-test-'));
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(TEMPORAL|WEAVIATE|DATABASE)_/.test(name)),
  );
  const namespaces = Array.from({ length: project.vitest.config.maxWorkers }, (_, at) => namespaceOf(at + 1));
  const [stack, bundle] = await Promise.all([
    startStack({
      dataDir: join(folder, 'data'),
      cacheDir,
      env,
      onProgress: ({ about, message, passing }) => {
        if (!passing) process.stderr.write(`${about}: ${message}\n`);
      },
      temporalExtraArgs: [
        ...namespaces.flatMap((namespace) => ['--namespace', namespace]),
        // a test outlives no power failure; half of the server's processor time, and most of a wait for it, is the disk
        '--sqlite-pragma',
        'synchronous=off',
        // without it every short timer takes a second
        '--dynamic-config-value',
        'history.timerProcessorMaxTimeShift="10ms"',
        // experimental in this version of the server
        '--dynamic-config-value',
        'frontend.WorkflowPauseEnabled=true',
      ],
    }),
    bundleWorkflowCode({
      ...workflowSources(),
      logger: new DefaultLogger('WARN'),
    }),
  ]);
  const superuser = superuserUrl(stack.postgres.address, join(folder, 'data'));
  // as for Temporal
  await withPostgres(superuser, async (client) => {
    for (const setting of ['fsync', 'full_page_writes']) await client.query(`ALTER SYSTEM SET ${setting} = off`);
    await client.query('SELECT pg_reload_conf()');
  });
  for (const namespace of namespaces) {
    const target = { connectionOptions: { address: stack.temporal.address }, namespace };
    await withTemporal(target, (connection) => registerSearchAttributes(connection, namespace));
  }
  const workflowBundle = join(folder, 'workflow-bundle.js');
  await writeFile(workflowBundle, bundle.code);
  const { url, grpc, apiKey } = stack.weaviate;
  project.provide('stack', {
    temporalAddress: stack.temporal.address,
    temporalUiUrl: stack.temporal.uiUrl ?? '',
    weaviate: { url, grpc, apiKey },
    superuserUrl: superuser,
    modelFolder: stack.model.folder,
    cacheDir,
    workflowBundle,
  });
  return async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
