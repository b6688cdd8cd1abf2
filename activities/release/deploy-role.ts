import { openBlobs } from '../blobs/open-blobs.ts';
import { createClusters } from '../kubernetes/cluster.ts';
import { createAbsences } from '../kubernetes/clusters.ts';
import { createKubectl } from '../kubernetes/kubectl.ts';
import { expandPath } from '../shared/config.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import type { OpenRole, WorkerStart } from '../shared/wing-role.ts';
import { createDeployActivities } from './deployments.ts';
import { createChangeActivities } from './environment-changes.ts';
import { readSeal } from './deployment/sealed.ts';

/** The most milliseconds between heartbeats to the server. */
const HEARTBEAT_MS = 5_000;

/**
 * Opens the tools of the role `deploy`: kubectl with the credentials of its clusters, and the key of what is sealed, which
 * no other role has. Throws `InvalidConfiguration` without that key.
 */
export async function openDeployRole({ loaded, env, places }: WorkerStart): Promise<OpenRole> {
  const { kubectl: program, kubeconfig, key, contexts, unreachable } = loaded.config.deploy;
  const seal = await readSeal(key === undefined ? undefined : expandPath(key, '/'));
  const absences = createAbsences();
  const kubectl = createKubectl({
    program,
    kubeconfig: kubeconfig === undefined ? null : expandPath(kubeconfig, '/'),
    env,
  });
  const openCluster = createClusters(absences.noting(kubectl));
  const blobs = await openBlobs(loaded, env);
  const ledgerUrl = places.ledger();
  const ledger = openLedger(ledgerUrl);
  return {
    activities: {
      ...createDeployActivities({ openCluster, blobs, seal, contexts }),
      ...createChangeActivities({
        openCluster,
        absences,
        blobs,
        ledger,
        ledgerUrl,
        seal,
        contexts,
        unreachableMs: unreachable * 1_000,
      }),
    },
    // a worker that takes over waits no longer than the timeout of heartbeats
    limits: { heartbeatMs: HEARTBEAT_MS },
    close: () => ledger.destroy(),
  };
}
