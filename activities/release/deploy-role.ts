import { openBlobs } from '../blobs/open-blobs.ts';
import { createKubectl } from '../kubernetes/kubectl.ts';
import { expandPath } from '../shared/config.ts';
import type { OpenRole, WorkerStart } from '../shared/wing-role.ts';
import { createDeployActivities } from './deployments.ts';

/** Opens the tools of the role `deploy`: kubectl with the credentials of its clusters, which no other role has. */
export async function openDeployRole({ loaded, env }: WorkerStart): Promise<OpenRole> {
  const { kubectl: program, kubeconfig, contexts } = loaded.config.deploy;
  const kubectl = createKubectl({
    program,
    kubeconfig: kubeconfig === undefined ? null : expandPath(kubeconfig, '/'),
    env,
  });
  const blobs = await openBlobs(loaded, env);
  return { activities: createDeployActivities({ kubectl, blobs, contexts }) };
}
