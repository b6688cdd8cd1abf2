import { type Forges, openForges } from '../forges/open-forge.ts';
import { openBlobs } from '../blobs/open-blobs.ts';
import { openMgit } from '../mgit/open-mgit.ts';
import type { OpenRole, WorkerStart } from '../shared/wing-role.ts';
import { createCommitActivities } from './commits.ts';

/** Opens the tools of the release train in the role `repos`: git and forges with the credentials of the providers. */
export async function openCommitsRole(
  { loaded, env }: Pick<WorkerStart, 'loaded' | 'env'>,
  forges: Forges = openForges(loaded.config.providers, env),
): Promise<OpenRole> {
  const { release, alerts, pipelines } = loaded.config;
  const tools = {
    mgit: openMgit(loaded, env),
    blobs: await openBlobs(loaded, env),
    forges,
    pushCandidates: release.pushCandidates,
    protectedBranches: pipelines.protectedBranches,
    announcements: { channels: alerts.channels, announce: release.announce, env },
  };
  return { activities: createCommitActivities(tools) };
}
