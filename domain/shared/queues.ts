/** The task queue of the flows: workflow tasks, and activities that need Temporal only. */
export const FLOWS_QUEUE = 'longhaul-flows';

/** The task queue of the workers that have git and disk. */
export const REPOS_QUEUE = 'longhaul-repos';

/** The task queue of the workers that run programs of repositories. */
export const PIPELINES_QUEUE = 'longhaul-pipelines';

/** The task queue of the workers that have kubectl and its credentials. */
export const DEPLOY_QUEUE = 'longhaul-deploy';

/** The task queue of the workers that have the ledger's database. */
export const LEDGER_QUEUE = 'longhaul-ledger';

/** The task queue of the workers on one machine: what needs the disk of this machine. */
export function hostQueue(host: string): string {
  return `longhaul-host-${host}`;
}
