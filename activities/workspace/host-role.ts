import { LonghaulError } from '../../domain/shared/failures.ts';
import { hostRole, type Role } from '../../domain/shared/roles.ts';
import { openBlobs } from '../blobs/open-blobs.ts';
import { createMgit } from '../mgit/index.ts';
import type { OpenRole, WorkerStart } from '../shared/wing-role.ts';
import { createHostActivities, type HostTools } from './host-activities.ts';
import { createPrepareActivities } from './prepare/prepare-activities.ts';
import { createRepairActivities } from './repair/repair-activities.ts';
import { createTeardownActivities } from './teardown/teardown-activities.ts';

/** The most milliseconds between heartbeats to the server. */
const HEARTBEAT_MS = 2_000;

/**
 * Opens the tools of the role of this machine: git, and the blob store with the plans. Throws `InvalidConfiguration` when
 * the configuration has no `host`, or another name.
 */
export async function openHostRole({ loaded, env }: WorkerStart, role: Role): Promise<OpenRole> {
  const { host, providers } = loaded.config;
  const { dataDir, cacheDir } = loaded;
  if (host === undefined || hostRole(host.name) !== role) {
    const found = host === undefined ? 'there is no section "host"' : `"host.name" is ${host.name}`;
    throw new LonghaulError(
      'InvalidConfiguration',
      `${loaded.path ?? 'longhaul.yaml'}: ${found}, and this worker is to serve ${role}.`,
    );
  }
  const blobs = await openBlobs(loaded, env);
  const tools: HostTools = {
    host,
    blobs,
    providers,
    dataDir,
    cacheDir,
    env,
    openMgit: (owner) =>
      createMgit({ providers, cacheDir, env, maxFileBytes: loaded.config.index.maxFileBytes, owner }),
  };
  return {
    activities: {
      ...createHostActivities(tools),
      ...createPrepareActivities(tools),
      ...createRepairActivities(tools),
      ...createTeardownActivities(tools),
    },
    limits: { heartbeatMs: HEARTBEAT_MS },
  };
}
