import { matchesWildcards } from '../../../domain/git/pattern.ts';
import type { Environment } from '../../../domain/release/contracts/environments.schema.ts';

/** Who may use which context of the kubeconfig, by its name (`deploy.contexts` in longhaul.yaml). */
export type AllowedContexts = Readonly<
  Record<string, { readonly repositories: readonly string[]; readonly prometheus: readonly string[] }>
>;

/**
 * Why a repository may not use the context of its environment, or ask its Prometheus, in one sentence; null when it may.
 * A contract is written by the people of a repository; which cluster they reach is decided by those of the worker.
 */
export function problemOfContext(
  contexts: AllowedContexts,
  repository: string,
  { context, metrics }: Pick<Environment, 'context' | 'metrics'>,
): string | null {
  const allowed = Object.hasOwn(contexts, context) ? contexts[context] : undefined;
  const id = repository.toLowerCase();
  if (!allowed?.repositories.some((pattern) => matchesWildcards(pattern.toLowerCase(), id))) {
    return `The worker does not let ${repository} use the context ${context}: allow it in deploy.contexts of its longhaul.yaml.`;
  }
  if (metrics === undefined || allowed.prometheus.includes(metrics.prometheus)) return null;
  return `The worker does not let environments of the context ${context} ask ${metrics.prometheus}: allow it in deploy.contexts.${context}.prometheus of its longhaul.yaml.`;
}
