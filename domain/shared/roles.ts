import { LonghaulError } from './failures.ts';
import { FLOWS_QUEUE, REPOS_QUEUE } from './queues.ts';

/** What a worker process can serve: each role with its task queue (docs/architecture.md). */
export const QUEUE_OF_ROLE = { flows: FLOWS_QUEUE, repos: REPOS_QUEUE } as const;

/** The name of a role of {@link QUEUE_OF_ROLE}. */
export type Role = keyof typeof QUEUE_OF_ROLE;

/** The names of all roles. */
export const ROLES = Object.keys(QUEUE_OF_ROLE) as readonly Role[];

/** The roles in `flows,repos`, each once. Throws `InvalidInput`. */
export function parseRoles(text: string): readonly Role[] {
  const roles = text.split(',').map((name) => {
    const role = ROLES.find((known) => known === name);
    if (role !== undefined) return role;
    throw new LonghaulError('InvalidInput', `--roles: there is no role "${name}"; available: ${ROLES.join(', ')}.`);
  });
  return [...new Set(roles)];
}
