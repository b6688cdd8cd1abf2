import { type Isolation, openSandbox, type Sandbox } from '../sandbox/sandbox.ts';
import type { OpenRole, WorkerStart } from '../shared/wing-role.ts';
import { sandboxSettings } from '../sandbox/sandbox-settings.ts';

/** Opens the tools of the role `pipelines`: the sandbox. Throws `SandboxUnusable` where there is none. */
export async function openPipelinesRole({ loaded, env }: WorkerStart): Promise<OpenRole> {
  const sandbox = await openSandbox(sandboxSettings(loaded, env));
  return { activities: createPipelineActivities({ sandbox }), close: () => sandbox.close() };
}

/** The tools of {@link createPipelineActivities}. */
export interface PipelineTools {
  readonly sandbox: Sandbox;
}

/** The activities of workers that run programs of repositories. */
export function createPipelineActivities({ sandbox }: PipelineTools) {
  return {
    /** What separates the programs of this worker from its machine, for reports. */
    describeSandbox: (): Promise<Isolation> => Promise.resolve(sandbox.isolation),
  };
}
