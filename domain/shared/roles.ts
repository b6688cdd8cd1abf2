import { LonghaulError } from './failures.ts';
import { DEPLOY_QUEUE, FLOWS_QUEUE, LEDGER_QUEUE, PIPELINES_QUEUE, REPOS_QUEUE } from './queues.ts';

/** What a worker process can serve: each role with its task queue (docs/architecture.md). */
export const QUEUE_OF_ROLE = {
  flows: FLOWS_QUEUE,
  repos: REPOS_QUEUE,
  ledger: LEDGER_QUEUE,
  pipelines: PIPELINES_QUEUE,
  deploy: DEPLOY_QUEUE,
} as const;

/** The name of a role of {@link QUEUE_OF_ROLE}. */
export type Role = keyof typeof QUEUE_OF_ROLE;

/** The names of all roles. */
export const ROLES = Object.keys(QUEUE_OF_ROLE) as readonly Role[];

/**
 * Roles that run programs of others: each is served by a process of its own, whose environment has no secrets. Not every
 * machine can isolate programs, so an installation may have no worker for them.
 */
const ALONE: readonly Role[] = ['pipelines'];

/** The roles of the release train: an installation that only searches has no database and no cluster, and no worker for them. */
const OF_RELEASES: readonly Role[] = ['ledger', 'deploy', ...ALONE];

/** The roles that every installation has, and that one process can serve together. */
export const COMMON_ROLES: readonly Role[] = ROLES.filter((role) => !OF_RELEASES.includes(role));

/** The roles in `flows,repos`, each once. Throws `InvalidInput`. */
export function parseRoles(text: string): readonly Role[] {
  const roles = text.split(',').map((name) => {
    const role = ROLES.find((known) => known === name);
    if (role !== undefined) return role;
    throw new LonghaulError('InvalidInput', `--roles: there is no role "${name}"; available: ${ROLES.join(', ')}.`);
  });
  const each = [...new Set(roles)];
  const alone = each.find((role) => ALONE.includes(role));
  if (alone === undefined || each.length === 1) return each;
  throw new LonghaulError(
    'InvalidInput',
    `--roles: the role "${alone}" runs programs of repositories, so it is served alone: start another worker for it.`,
  );
}
