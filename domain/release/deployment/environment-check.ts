/** The manifests of a service, rendered. */
export interface RenderedService {
  readonly service: string;
  /** SHA-256 of the sealed stream of documents in the blob store. */
  readonly manifests: string;
}

/** What an environment was found to be. */
export interface CheckedEnvironment {
  readonly name: string;
  readonly context: string;
  readonly namespace: string;
  /** Versions of kubectl and of the cluster, without `v`; null where they are not known. */
  readonly kubectl: string | null;
  readonly cluster: string | null;
  /** How many objects its manifests have. */
  readonly objects: number;
  /** What keeps a deployment from it, a sentence each; empty when nothing does. */
  readonly problems: readonly string[];
}

/** Minor versions by which kubectl may differ from the cluster (the version skew policy of Kubernetes). */
const MOST_SKEW = 1;

/** Why kubectl must not be used with a cluster; null when it may. Versions are such as `1.33.2`. */
export function problemOfVersions(kubectl: string, cluster: string): string | null {
  const [ours, theirs] = [kubectl, cluster].map((version) => version.split('.').map(Number));
  const isNear =
    ours?.[0] === theirs?.[0] && Math.abs((ours?.[1] ?? Number.NaN) - (theirs?.[1] ?? Number.NaN)) <= MOST_SKEW;
  return isNear
    ? null
    : `kubectl ${kubectl} is more than one minor version away from the cluster's ${cluster}: install another kubectl on the worker`;
}

/** The environments as people read them, and what is wrong with each. */
export function describeEnvironments(environments: readonly CheckedEnvironment[]): string {
  return environments
    .map(({ name, context, namespace, kubectl, cluster, objects, problems }) =>
      [
        `${name}: context ${context}, namespace ${namespace}, cluster ${cluster ?? 'unknown'}, kubectl ${kubectl ?? 'unknown'}, ${objects} objects`,
        ...(problems.length === 0 ? ['  ready for deployments'] : problems.map((problem) => `  ${problem}`)),
      ].join('\n'),
    )
    .join('\n');
}
