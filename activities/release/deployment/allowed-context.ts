import { matchesWildcards } from '../../../domain/git/pattern.ts';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';
import { contextsOf, placeOfService } from '../../../domain/release/deployment/service-place.ts';

/** Who may use which context of the kubeconfig, by its name (`deploy.contexts` in longhaul.yaml). */
export type AllowedContexts = Readonly<
  Record<
    string,
    {
      readonly repositories: readonly string[];
      readonly addresses: readonly string[];
      /** Whether commits may be deployed that are not released. */
      readonly candidates: boolean;
      /** Whether its cluster no longer exists. */
      readonly retired: boolean;
    }
  >
>;

type Asking = Pick<Environment, 'context' | 'namespace' | 'metrics' | 'services'>;

/**
 * Why a repository may not use a context of its environment, or ask one of its addresses, in one sentence; null when it
 * may. A contract is written by the people of a repository; what they reach is decided by those of the worker.
 */
export function problemOfEnvironment(
  contexts: AllowedContexts,
  repository: string,
  environment: Asking,
): string | null {
  for (const context of contextsOf(environment)) {
    const problem = problemOfContext(contexts, repository, context);
    if (problem !== null) return problem;
    const origin = originsOf(environment, context).find((each) => !contexts[context]?.addresses.includes(each));
    if (origin !== undefined) {
      return `The worker does not let environments of the context ${context} ask ${origin}: allow it in deploy.contexts.${context}.addresses of its longhaul.yaml.`;
    }
  }
  return null;
}

/** Why a repository may not use a context, in one sentence; null when it may. */
export function problemOfContext(contexts: AllowedContexts, repository: string, context: string): string | null {
  const allowed = Object.hasOwn(contexts, context) ? contexts[context] : undefined;
  const id = repository.toLowerCase();
  if (!allowed?.repositories.some((pattern) => matchesWildcards(pattern.toLowerCase(), id))) {
    return `The worker does not let ${repository} use the context ${context}: allow it in deploy.contexts of its longhaul.yaml.`;
  }
  return allowed.retired
    ? `The context ${context} is retired (deploy.contexts.${context} of the worker's longhaul.yaml): name another one.`
    : null;
}

/** Scheme, host and port of everything that an environment asks over HTTP because of a context, as requests are sent to them. */
function originsOf(environment: Asking, context: string): readonly string[] {
  const { metrics, services } = environment;
  const health = Object.entries(services).flatMap(([name, service]) =>
    placeOfService(environment, name).context === context ? service.health.map(({ http }) => http) : [],
  );
  const prometheus = context === environment.context ? metrics?.prometheus : undefined;
  return [prometheus, ...health].flatMap((address) => (address === undefined ? [] : [new URL(address).origin]));
}

/** Why a commit that is not released may not be deployed with contexts, in one sentence; null when it may. */
export function problemOfCandidate(contexts: AllowedContexts, asked: readonly string[]): string | null {
  const refused = asked.find((each) => !Object.hasOwn(contexts, each) || contexts[each]?.candidates !== true);
  return refused === undefined
    ? null
    : `The worker does not let pipelines deploy commits with the context ${refused} that are not released: allow it in deploy.contexts.${refused}.candidates of its longhaul.yaml.`;
}
