import { groupOf, type KubernetesObject } from './object.ts';

/** By `Kind.group`, the resources that are listed to find the pods of a workload, and which of them are of its present revision. */
const LISTED: Readonly<Record<string, readonly string[]>> = {
  'Deployment.apps': ['pods', 'replicasets.apps'],
  'StatefulSet.apps': ['pods'],
  'DaemonSet.apps': ['pods'],
  'ReplicaSet.apps': ['pods'],
  'Job.batch': ['pods'],
};

/** The resources that are listed to find the pods of a workload by its selector; none for other kinds. */
export function listedForPods({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>): readonly string[] {
  return LISTED[`${kind}.${groupOf(apiVersion)}`] ?? [];
}
