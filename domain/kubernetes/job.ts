import { groupOf, type KubernetesObject } from './object.ts';

/** True for a Job, which ends by itself. */
export function isJob({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>): boolean {
  return kind === 'Job' && groupOf(apiVersion) === 'batch';
}

/** True for a Job that its cluster removes some time after its end. */
export function isRemovedWhenDone(object: KubernetesObject): boolean {
  const { ttlSecondsAfterFinished: seconds } = (object['spec'] ?? {}) as { readonly ttlSecondsAfterFinished?: number };
  return isJob(object) && typeof seconds === 'number';
}
