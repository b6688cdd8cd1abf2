import { openBlobs } from '../blobs/open-blobs.ts';
import { createKubectl } from '../kubernetes/kubectl.ts';
import { expandPath } from '../shared/config.ts';
import type { OpenRole, WorkerStart } from '../shared/wing-role.ts';
import { createDeployActivities } from './deployments.ts';
import { readSeal } from './deployment/sealed.ts';

/**
 * Opens the tools of the role `deploy`: kubectl with the credentials of its clusters, and the key of what is sealed, which
 * no other role has. Throws `InvalidConfiguration` without that key.
 */
export async function openDeployRole({ loaded, env }: WorkerStart): Promise<OpenRole> {
  const { kubectl: program, kubeconfig, key, contexts } = loaded.config.deploy;
  const seal = await readSeal(key === undefined ? undefined : expandPath(key, '/'));
  const kubectl = createKubectl({
    program,
    kubeconfig: kubeconfig === undefined ? null : expandPath(kubeconfig, '/'),
    env,
  });
  const blobs = await openBlobs(loaded, env);
  return { activities: createDeployActivities({ kubectl, blobs, seal, contexts }) };
}
