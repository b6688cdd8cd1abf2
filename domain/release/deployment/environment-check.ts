/** The manifests of a service, rendered. */
export interface RenderedService {
  readonly service: string;
  /** SHA-256 of the sealed stream of documents in the blob store. */
  readonly manifests: string;
}

/** What an environment was found to be. */
export interface CheckedEnvironment {
  readonly name: string;
  /** The version of kubectl, without `v`; null where it is not known. */
  readonly kubectl: string | null;
  /** Where its objects are, the environment's own context first. */
  readonly clusters: readonly CheckedCluster[];
  /** What keeps a deployment from it, a sentence each; empty when nothing does. */
  readonly problems: readonly string[];
}

/** What was found of a cluster. */
export interface CheckedCluster {
  readonly context: string;
  readonly namespaces: readonly string[];
  /** Its version, without `v`; null where it is not known. */
  readonly version: string | null;
  /** How many objects the manifests have there. */
  readonly objects: number;
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
    .flatMap(({ name, kubectl, clusters, problems }) => {
      const lines = clusters.map(({ context, namespaces, version, objects }) => {
        const places = `${namespaces.length === 1 ? 'namespace' : 'namespaces'} ${namespaces.join(' and ')}`;
        return `context ${context}, ${places}, cluster ${version ?? 'unknown'}, kubectl ${kubectl ?? 'unknown'}, ${objects} objects`;
      });
      return [
        ...(lines.length === 1 ? [`${name}: ${lines.join('')}`] : [`${name}:`, ...lines.map((line) => `  ${line}`)]),
        ...(problems.length === 0 ? ['  ready for deployments'] : problems.map((problem) => `  ${problem}`)),
      ];
    })
    .join('\n');
}
