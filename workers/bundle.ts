import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker';
import { TRACING_MODULE } from './tracing.ts';
import { workflowSources } from './workflow-sources.ts';

/** The workflow code: the bundle from the build, or a new one from the sources. The bundle with tracing is larger. */
export async function workflowBundle({ traced }: { readonly traced: boolean }): Promise<WorkflowBundleOption> {
  const name = traced ? 'workflow-bundle-traced.js' : 'workflow-bundle.js';
  const built = fileURLToPath(new URL(`../${name}`, import.meta.url));
  if (existsSync(built)) return { codePath: built };
  return bundleWorkflowCode({
    ...workflowSources(traced ? [createRequire(import.meta.url).resolve(TRACING_MODULE)] : []),
    logger: new DefaultLogger('WARN'),
  });
}
