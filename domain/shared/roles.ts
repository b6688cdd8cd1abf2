import { LonghaulError } from './failures.ts';

/** What a worker process can do. A role is a task queue (docs/architecture.md). */
export const ROLES = ['flows', 'repos'] as const;
/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** The roles in `flows,repos`. Throws `InvalidInput`. */
export function parseRoles(text: string): readonly Role[] {
  return text.split(',').map((name) => {
    const role = ROLES.find((known) => known === name);
    if (role !== undefined) return role;
    throw new LonghaulError('InvalidInput', `--roles: there is no role "${name}"; available: ${ROLES.join(', ')}.`);
  });
}
