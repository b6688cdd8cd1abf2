import { openForges } from '../forges/open-forge.ts';
import { openBlobs } from '../blobs/open-blobs.ts';
import { openMgit } from '../mgit/open-mgit.ts';
import type { OpenRole, WorkerStart } from '../shared/wing-role.ts';
import { createCommitActivities } from './commits.ts';

/** Opens the tools of the release train in the role `repos`: git with the credentials of the providers. */
export async function openCommitsRole({ loaded, env }: WorkerStart): Promise<OpenRole> {
  const { pushCandidates } = loaded.config.release;
  const tools = {
    mgit: openMgit(loaded, env),
    blobs: await openBlobs(loaded, env),
    forges: openForges(loaded.config.providers, env),
    pushCandidates,
  };
  return { activities: createCommitActivities(tools) };
}
