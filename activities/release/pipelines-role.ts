import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTemporaries, temporaryPath } from '../../platform/temporary.ts';
import { openBlobs } from '../blobs/open-blobs.ts';
import { createGit } from '../git/git.ts';
import { openSandbox } from '../sandbox/open-sandbox.ts';
import { sandboxSettings } from '../sandbox/sandbox-settings.ts';
import type { OpenRole, WorkerStart } from '../shared/wing-role.ts';
import { createPipelineActivities } from './pipelines.ts';
import { createJobSecrets } from './pipelines/job-secrets.ts';
import { createCommitSources } from './pipelines/commit-sources.ts';

/** People watch the output of a job in its heartbeats. */
const HEARTBEAT_MS = 1_000;

/** Opens the tools of the role `pipelines`. Throws `SandboxUnusable` where there is none. */
export async function openPipelinesRole({ loaded, env }: WorkerStart): Promise<OpenRole> {
  const secrets = createJobSecrets(loaded, env);
  const sandbox = await openSandbox(sandboxSettings(loaded, env));
  const blobs = await openBlobs(loaded, env);
  await mkdir(loaded.cacheDir, { recursive: true });
  // what a killed process left
  await removeTemporaries(loaded.cacheDir);
  const folder = temporaryPath(join(loaded.cacheDir, 'commits'));
  const sources = createCommitSources(createGit(loaded.cacheDir, env), blobs, folder);
  const { artifactBytes } = loaded.config.pipelines.limits;
  return {
    activities: createPipelineActivities({ blobs, sources, sandbox, secrets, artifactBytes }),
    limits: { heartbeatMs: HEARTBEAT_MS },
    async close() {
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
