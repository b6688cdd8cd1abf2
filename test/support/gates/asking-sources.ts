import { fileURLToPath } from 'node:url';
import { workflowSources } from '../../../workers/workflow-sources.ts';

/** The sources of the flows that ask people, with the clock that skips time. */
export function askingFlows(): ReturnType<typeof workflowSources> {
  const clock = fileURLToPath(new URL('./skipping-clock.ts', import.meta.url));
  return {
    ...workflowSources([clock]),
    workflowsPath: fileURLToPath(new URL('./asking-flows.ts', import.meta.url)),
  };
}
