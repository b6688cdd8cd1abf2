import { LonghaulError } from '../../domain/shared/failures.ts';
import type { KubernetesObject } from '../../domain/kubernetes/object.ts';
import type { Cluster, ClusterOptions, ObjectReference, OpenCluster } from './cluster.ts';
import { type Kubectl, kubectlFailure } from './kubectl.ts';

/** What names an object to the API of one of several clusters. */
export interface PlacedReference extends ObjectReference {
  /** The context that leads to its cluster. */
  readonly context: string;
}

/** The clusters of a deployment. */
export interface Clusters {
  /** The cluster of a context. Throws `InvalidConfiguration` for one that may not be used. */
  of(context: string): Cluster;
  /** Objects as they are, in the given order; null for one that is not there. */
  read(references: readonly PlacedReference[]): Promise<readonly (KubernetesObject | null)[]>;
}

/** How clusters are opened. */
export interface ClustersOptions extends ClusterOptions {
  /** Why a context may not be used, in one sentence; null when it may. */
  readonly problemOf: (context: string) => string | null;
}

/** Opens the clusters of contexts, each once. */
export function clustersOf(openCluster: OpenCluster, { problemOf, ...options }: ClustersOptions): Clusters {
  const opened = new Map<string, Cluster>();
  const of = (context: string): Cluster => {
    const known = opened.get(context);
    if (known !== undefined) return known;
    const problem = problemOf(context);
    if (problem !== null) throw new LonghaulError('InvalidConfiguration', problem);
    const cluster = openCluster(context, options);
    opened.set(context, cluster);
    return cluster;
  };
  return { of, read: (references) => byContext(references, (context, own) => of(context).read(own)) };
}

/** Does something with the objects of each context, one context after another. Gives the results in the order of the objects. */
export async function byContext<Given extends { readonly context: string }, Result>(
  given: readonly Given[],
  work: (context: string, own: readonly Given[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  const results = new Map<Given, Result>();
  for (const context of new Set(given.map((each) => each.context))) {
    const own = given.filter((each) => each.context === context);
    for (const [at, result] of (await work(context, own)).entries()) results.set(own[at] as Given, result);
  }
  return given.map((each) => results.get(each) as Result);
}

/** Since when clusters do not answer this process. */
export interface Absences {
  /** Milliseconds for which the cluster of a context has not answered; 0 for one whose last answer came. */
  of(context: string): number;
  /** kubectl that notes whether clusters answer. */
  noting(kubectl: Kubectl): Kubectl;
}

const OF_CONTEXT = '--context=';

/** Notes since when clusters do not answer. */
export function createAbsences(now: () => number = Date.now): Absences {
  const since = new Map<string, number>();
  const note = (context: string, isGone: boolean): void => {
    if (!isGone) since.delete(context);
    else if (!since.has(context)) since.set(context, now());
  };
  const noted = async <Answer>(context: string, answer: Promise<Answer>): Promise<Answer> => {
    try {
      const given = await answer;
      note(context, false);
      return given;
    } catch (error) {
      note(context, isAway(error));
      throw error;
    }
  };
  return {
    of: (context) => now() - (since.get(context) ?? now()),
    noting: (kubectl) => ({
      async run(args, options) {
        const result = await kubectl.run(args, options);
        const context = args.find((each) => each.startsWith(OF_CONTEXT))?.slice(OF_CONTEXT.length);
        if (context !== undefined) {
          note(context, result.code !== 0 && isAway(kubectlFailure(context, '', result.stderr)));
        }
        return result;
      },
      inContext: (context, args, options) => noted(context, kubectl.inContext(context, args, options)),
      ask: (context, question) => noted(context, kubectl.ask(context, question)),
    }),
  };
}

function isAway(error: unknown): boolean {
  return error instanceof LonghaulError && error.type === 'ClusterUnavailable';
}
