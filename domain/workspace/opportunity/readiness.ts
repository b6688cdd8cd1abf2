import { testsPassing, type ValidationRecords } from '../validation-record.schema.ts';
import { versionFits } from '../version-fits.ts';
import type { SnapshotContent } from '../workspace-snapshot.ts';
import type { WorkspaceReadiness } from './opportunity.ts';

/** What the checkout of a repository is ready for, as the snapshot and recorded validations have measured it. */
export function checkoutReadiness(
  name: string,
  { repos, git, links, deps, topology }: SnapshotContent,
  validations: ValidationRecords,
): WorkspaceReadiness {
  const repo = repos.find((one) => one.name === name);
  const state = git.find((one) => one.repo === name);
  const isCloned = repo?.['exists?'] === true && state?.['is_git_repo?'] === true;
  const providers = topology.providers[name] ?? [];
  const isLinked = providers.every((provider) => links.some((link) => link.repo === name && link.dep === provider));
  const packages = repos.flatMap((one) => one.packages);
  const fits = deps
    .filter((dep) => dep.repo === name)
    .flatMap(({ app, ecosystem, requirement }) => {
      const provided = packages.find((one) => one.name === app && one.ecosystem === ecosystem);
      if (provided === undefined) return [];
      const isKnown = requirement !== null && provided.version !== null;
      return [isKnown ? versionFits(ecosystem, requirement, provided.version) : null];
    });
  return {
    repo_cloned: isCloned,
    repo_linked: isCloned && isLinked,
    deps_resolved: !isCloned ? null : fits.includes(false) ? false : fits.includes(null) ? null : true,
    // what is changed now was not tested at the commit
    tests_passing: state?.['dirty?'] === false ? testsPassing(validations, name, state.head_sha) : null,
  };
}
