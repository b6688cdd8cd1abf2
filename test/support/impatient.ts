import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connection, WorkflowClientInterceptor } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { vi } from 'vitest';
import { registerSearchAttributes } from '../../stack/search-attributes.ts';
import { workflowSources } from '../../workers/workflow-sources.ts';

/** Bundles the flows with `impatient-flows.ts` into a folder; returns the file. */
export async function impatientBundle(folder: string): Promise<string> {
  const { code } = await bundleWorkflowCode({
    ...workflowSources([fileURLToPath(new URL('./impatient-flows.ts', import.meta.url))]),
    logger: new DefaultLogger('WARN'),
  });
  const path = join(folder, 'impatient-flows.js');
  await writeFile(path, code);
  return path;
}

/** Interceptors of a client that reassign a dead worker's workflow task after five seconds, and record started runs. */
export function impatientStarts(started: [string, string][]): WorkflowClientInterceptor {
  const workflowTaskTimeout = msToTs('5 seconds');
  return {
    async start(input, next) {
      const runId = await next({ ...input, options: { ...input.options, workflowTaskTimeout } });
      started.push([input.options.workflowId, runId]);
      return runId;
    },
    async signalWithStart(input, next) {
      const runId = await next({ ...input, options: { ...input.options, workflowTaskTimeout } });
      started.push([input.options.workflowId, runId]);
      return runId;
    },
  };
}

/** Creates a namespace for flows. */
export async function openNamespace(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  // the server needs a moment to make it known everywhere
  await vi.waitFor(() => registerSearchAttributes(connection, namespace), { timeout: 60_000, interval: 100 });
}
