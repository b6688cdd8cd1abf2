import { matchesWildcards } from '../../../domain/git/pattern.ts';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';

/** Who may use which context of the kubeconfig, by its name (`deploy.contexts` in longhaul.yaml). */
export type AllowedContexts = Readonly<
  Record<
    string,
    {
      readonly repositories: readonly string[];
      readonly addresses: readonly string[];
      /** Whether commits may be deployed that are not released. */
      readonly candidates: boolean;
    }
  >
>;

/**
 * Why a repository may not use the context of its environment, or ask one of its addresses, in one sentence; null when it
 * may. A contract is written by the people of a repository; what they reach is decided by those of the worker.
 */
export function problemOfContext(
  contexts: AllowedContexts,
  repository: string,
  environment: Pick<Environment, 'context' | 'metrics' | 'services'>,
): string | null {
  const { context } = environment;
  const allowed = Object.hasOwn(contexts, context) ? contexts[context] : undefined;
  const id = repository.toLowerCase();
  if (!allowed?.repositories.some((pattern) => matchesWildcards(pattern.toLowerCase(), id))) {
    return `The worker does not let ${repository} use the context ${context}: allow it in deploy.contexts of its longhaul.yaml.`;
  }
  const origin = originsOf(environment).find((each) => !allowed.addresses.includes(each));
  return origin === undefined
    ? null
    : `The worker does not let environments of the context ${context} ask ${origin}: allow it in deploy.contexts.${context}.addresses of its longhaul.yaml.`;
}

/** Scheme, host and port of everything that an environment asks over HTTP, as requests are sent to them. */
function originsOf({ metrics, services }: Pick<Environment, 'metrics' | 'services'>): readonly string[] {
  const health = Object.values(services).flatMap((service) => service.health.map(({ http }) => http));
  return [metrics?.prometheus, ...health].flatMap((address) =>
    address === undefined ? [] : [new URL(address).origin],
  );
}

/** Why a commit that is not released may not be deployed with a context, in one sentence; null when it may. */
export function problemOfCandidate(contexts: AllowedContexts, context: string): string | null {
  if (Object.hasOwn(contexts, context) && contexts[context]?.candidates === true) return null;
  return `The worker does not let pipelines deploy commits with the context ${context} that are not released: allow it in deploy.contexts.${context}.candidates of its longhaul.yaml.`;
}
