import { fileURLToPath } from 'node:url';
import type { BundleOptions } from '@temporalio/worker';

/** The sources of the workflow bundle: all flows, and the interceptors that each of them has. `more`: further ones. */
export function workflowSources(
  more: readonly string[] = [],
): Pick<BundleOptions, 'workflowsPath'> & { readonly workflowInterceptorModules: string[] } {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = (name: string): string => fileURLToPath(new URL(`../workflows/${name}.${extension}`, import.meta.url));
  return { workflowsPath: file('index'), workflowInterceptorModules: [file('shared/step-progress'), ...more] };
}
